/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A function of a shared section grew and moved the ones behind it, which call it and each other: they are not
 * changed.
 */
#include "kernel.h"

__sched noinline int first(int x)
{
	return work(x);
}

__sched noinline int second(int x)
{
	return first(x) + 1;
}

__sched int third(int x)
{
	return second(x);
}
