/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A new variable, initialised, and one that is zero; the old one stays the kernel's.
 */
#include "kernel.h"

static int old_state;
static int limit = 16;
static int used_up;
int entry(int x)
{
	old_state += x;
	if (used_up++ > limit)
		return -1;
	return work(x);
}

void set_limit(int x)
{
	work(x);
	limit = x;
}
