/* SPDX-License-Identifier: GPL-2.0 */
/*
 * gcc numbers the clones of a function in an order that the patch turns around: each must find the one that does
 * the same.
 * flags: -fipa-cp-clone --param ipa-cp-eval-threshold=1
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

int second(int x)
{
	return scale(x, 19);
}

int third(int x)
{
	return scale(x, x);
}
