/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Changed init code and init data have no effect any more.
 */
#include "kernel.h"

static int __initdata size = 4;
static int table[64];
int __init start(int x)
{
	table[0] = size;
	return work(x);
}

void __exit stop(void)
{
	work(0);
}
