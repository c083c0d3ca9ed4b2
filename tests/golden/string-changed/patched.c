/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A literal changed: its function is changed, the code's bytes are the same.
 */
#include "kernel.h"

int entry(int x)
{
	return printk("VALUE %d\n", x);
}

int other(int x)
{
	return printk("other %d\n", x);
}
