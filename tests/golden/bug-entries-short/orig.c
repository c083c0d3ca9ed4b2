/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A kernel without DEBUG_BUGVERBOSE has entries of 8 bytes. Three of them are as long as two of the usual ones.
 */
#include "kernel.h"

#define SHORT_WARN() \
	asm volatile("1: ud2\n\t" TABLE("__bug_table", "aw", ".long 1b - .\n\t.word 1\n\t.word 0"))

int entry(int x)
{
	if (x < 0)
		SHORT_WARN();
	return work(x);
}

int other(int x)
{
	if (x < 0)
		SHORT_WARN();
	return work(x);
}

int third(int x)
{
	if (x < 0)
		SHORT_WARN();
	return work(x);
}
