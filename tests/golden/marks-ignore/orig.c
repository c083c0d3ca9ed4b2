/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A function and a section that the author wants ignored: they stay, with a note; nothing else is spared.
 */
#include "kernel.h"

static int tunable __used __section(".data.tunables") = 1;
static int other __used = 2;

static noinline int helper(int x)
{
	return work(x) + 3;
}

int entry(int x)
{
	return helper(x) + other + tunable;
}

int second(int x)
{
	return work(x) + 4;
}
