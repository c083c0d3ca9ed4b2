/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A changed function that calls itself, and one that is called by it and calls it back.
 */
#include "kernel.h"

int other(int x);
int entry(int x)
{
	return x ? work(x) + entry(x / 2) + other(x - 1) : 0;
}

int other(int x)
{
	return work(entry(x) + 1);
}
