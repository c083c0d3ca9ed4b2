/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A function that is gone: its caller changed.
 */
#include "kernel.h"

static noinline int helper(int x)
{
	return work(x) * 2;
}

int entry(int x)
{
	return helper(x);
}
