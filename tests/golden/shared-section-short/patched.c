/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A tail call so near that the assembler made it two bytes long ties the function to its neighbour.
 */
#include "kernel.h"

__sched noinline int inner(int x)
{
	return work(x);
}

__sched int outer(int x)
{
	return inner(x + 2);
}
