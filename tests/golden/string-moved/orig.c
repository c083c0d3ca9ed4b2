/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A new literal before it moves the one of an unchanged function: that isn't a change.
 */
#include "kernel.h"

int entry(int x)
{
	return printk("value %d\n", x);
}

int other(int x)
{
	return printk("other %d\n", x);
}
