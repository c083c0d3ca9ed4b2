/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Functions and variables that moved to other kinds of section.
 */
#include "kernel.h"

int state = 1;
static int table[] = {1, 2, 3};
int start(int x)
{
	state = x;
	return work(table[x]);
}

int __init stop(int x)
{
	return work(x);
}
