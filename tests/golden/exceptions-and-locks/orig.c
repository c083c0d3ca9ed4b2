/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Places that may fault (__ex_table) and lock prefixes (.smp_locks) go along with their function.
 */
#include "kernel.h"

static int counter;
int entry(int *from)
{
	int x;
	get_user(x, from);
	atomic_inc(&counter);
	return work(x);
}

int other(int *from)
{
	int x;
	get_user(x, from);
	atomic_inc(&counter);
	return work(x);
}
