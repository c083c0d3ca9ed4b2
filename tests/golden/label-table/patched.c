/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A table of labels in the changed function leads to the old code, so that the new one needs its own, even if
 * the table is the same.
 */
#include "kernel.h"

int entry(int x)
{
	static const void *const labels[] = {&&zero, &&one, &&two};
	goto *labels[x];
zero:
	return work(10);
one:
	return work(22);
two:
	return work(30) + 1;
}

int other(int x)
{
	static const void *const labels[] = {&&zero, &&one};
	goto *labels[x];
zero:
	return work(10);
one:
	return work(20);
}
