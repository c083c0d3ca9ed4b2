/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A new static local of the same name shifts the number of the one that was there, which must be found again.
 */
#include "kernel.h"

int first(int x)
{
	static int count;
	count += x;
	return work(x);
}

int second(int x)
{
	static int count;
	count++;
	return work(count + x);
}
