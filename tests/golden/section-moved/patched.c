/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Functions and variables that moved to other kinds of section.
 */
#include "kernel.h"

int __initdata state = 1;
static const int table[] = {1, 2, 3};
int __init start(int x)
{
	state = x;
	return work(table[x]);
}

int stop(int x)
{
	return work(x);
}
