/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A clone's family: the function is gone, what it did is inlined in two callers.
 */
#include "kernel.h"

static noinline int helper(int x)
{
	static int count;
	return work(x + count++) * 3;
}

int first(int x)
{
	return helper(x);
}

int second(int x)
{
	return helper(x + 1);
}
