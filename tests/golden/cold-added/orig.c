/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A function gets a cold part it did not have, and another one loses its own.
 */
#include "kernel.h"

void __cold fail(int x);
int entry(int x)
{
	int y = work(x);
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
