/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A function with a static local is inlined into its caller, which the patch causes: the variable is the same.
 */
#include "kernel.h"

static noinline int counted(int x)
{
	static int count;
	return work(count += x);
}

int entry(int x)
{
	return counted(x) + 1;
}
