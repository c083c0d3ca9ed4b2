/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The patch takes away the constant argument: the clone is gone, and the function itself was there before.
 */
#include "kernel.h"

static noinline int scale(int x, int by)
{
	int sum = 0;
	for (int i = 0; i < x; i++)
		sum += work(i + by) * by;
	return sum;
}

int first(int x)
{
	return scale(x, 7);
}
