/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Static locals that are called what macros call theirs, but are elsewhere: their state is the kernel's.
 */
#include "kernel.h"

int entry(int x)
{
	static struct {
		int state;
		int b;
	} descriptor;
	static int C;

	C += x;
	descriptor.state += x;
	use(&C);
	return descriptor.state + 2;
}
