/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A new initcall beside an old one, whose label has other numbers now.
 */
#include "kernel.h"

static int __init early(void)
{
	return work(1);
}
initcall(early);
static int __init late(void)
{
	return work(2);
}
initcall(late);
