/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One of two equal entries is gone, and so is the only one of another function.
 */
#include "kernel.h"

static int __init again(void)
{
	return work(2);
}
initcall(again);
initcall(again);
static int __init late(void)
{
	return work(3);
}
initcall(late);
int entry(int x)
{
	return work(x);
}
