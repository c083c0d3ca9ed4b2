/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A static local of one name is removed from one function and added to another: two variables, not one.
 */
#include "kernel.h"

int first(int x)
{
	static int count;
	return work(count += x);
}

int second(int x)
{
	return work(x);
}
