/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Code that inline assembly puts aside goes along with its function, as .altinstr_aux does.
 */
#include "kernel.h"

int entry(int x)
{
	asm volatile("jmp 1f\n2:\n\t" TABLE(".altinstr_aux", "ax", "1: call work\n\tjmp 2b"));
	return work(x);
}

int other(int x)
{
	asm volatile("jmp 1f\n2:\n\t" TABLE(".altinstr_aux", "ax", "1: call lookup\n\tjmp 2b"));
	return work(x);
}
