/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Per-CPU variables: one that is there is the kernel's, a new one has its own place in the patch's per-CPU section.
 */
#include "kernel.h"

#define this_cpu_add(var, n) asm("addl %1, %%gs:%0" : "+m"(var) : "ri"(n))

static __percpu_section int events;

int entry(int x)
{
	this_cpu_add(events, x);
	return work(x);
}
