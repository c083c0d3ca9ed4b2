/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Code that reaches a table from before its start or from behind its end means that table.
 */
#include "kernel.h"

static int table[8];
static int __read_mostly before = 1, list[8] = {1}, after = 2;
int entry(int x)
{
	return work(table[x - 5] + list[x - 2]);
}

int second(int x)
{
	before = after;
	for (int *p = table; p < table + 8; p++)
		work(table[x - 3] = *p);
	return table[x]++ + list[x]++;
}
