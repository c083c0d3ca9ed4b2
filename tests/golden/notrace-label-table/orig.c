/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Places inside a function that can't be traced aren't its address: its caller can carry it.
 */
#include "kernel.h"

static noinline notrace int inner(int x)
{
	static const void *const labels[] = {&&zero, &&one, &&two};
	goto *labels[x];
zero:
	return work(10);
one:
	return work(21);
two:
	return work(30) + 1;
}

int entry(int x)
{
	return inner(x) + 1;
}
