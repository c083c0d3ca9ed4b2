/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Functions that share a section: the assembler resolves calls and tail calls between them, which must be
 * references all the same.
 */
#include "kernel.h"

static int state;
__sched noinline int inner(int x)
{
	asm volatile(".skip 200, 0x90");
	return work(x);
}

__sched noinline int middle(int x)
{
	state = inner(x);
	return state;
}

__sched int outer(int x)
{
	return inner(x + 1) + middle(x);
}
