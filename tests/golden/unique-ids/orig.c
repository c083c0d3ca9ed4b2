/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counters in names that macros make shift: nothing is changed.
 */
#include "kernel.h"

static int __used UNIQUE_ID(modinfo) = 1;
static void *__used UNIQUE_ID(addressable) = &printk;
int entry(int x)
{
	static int UNIQUE_ID(state);
	return work(x);
}
