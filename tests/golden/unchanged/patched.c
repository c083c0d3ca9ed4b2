/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The same source twice: nothing is changed and nothing included.
 */
#include "kernel.h"

static int state;
int get(int x)
{
	state += x;
	return printk("state %d\n", state);
}
