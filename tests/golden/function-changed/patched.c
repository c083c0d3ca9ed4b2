/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One function changed; its neighbours and what it refers to stay the kernel's.
 */
#include "kernel.h"

static int state;
static noinline int helper(int x)
{
	return work(x) + state++;
}

int first(int x)
{
	return x < 0 ? -22 : helper(x);
}

int second(int x)
{
	return helper(x) + first(x);
}
