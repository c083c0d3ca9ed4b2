/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two functions change places and their static locals of one name change numbers: nothing is new or changed.
 */
#include "kernel.h"

int first(int x)
{
	static int count;
	return work(count += x);
}

int second(int x)
{
	static int count;
	return work(count -= x);
}
