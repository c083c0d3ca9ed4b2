/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Only the part that gcc split off as unlikely changed: the whole function is replaced.
 */
#include "kernel.h"

void __cold fail(int x);
int entry(int x)
{
	int y = work(x);
	if (y < 0) {
		fail(3);
		y = work(y + 1);
	}
	return work(y) + 1;
}

int other(int x)
{
	int y = work(x);
	if (y < 0) {
		fail(2);
		y = work(y + 1);
	}
	return work(y) + 2;
}
