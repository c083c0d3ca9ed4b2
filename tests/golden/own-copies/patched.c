/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What macros make for one place each is never shared with the running kernel: a changed function has its own.
 */
#include "kernel.h"

int entry(int x)
{
	once(printk("%s: first\n", __func__));
	return work(x + 1);
}

int other(int x)
{
	once(printk("%s: other\n", __func__));
	return work(x);
}
