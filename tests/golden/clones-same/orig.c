/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A clone made for a constant argument (.constprop) and one for unused parameters (.isra): unchanged.
 */
#include "kernel.h"

struct pair {
	int a, b;
};
static noinline int scale(int x, int by)
{
	return work(x) * by + work(x + by);
}

static noinline int sum(struct pair *p, int unused)
{
	return work(p->a) + work(p->a);
}

int entry(int x)
{
	return scale(x, 7);
}

int other(struct pair *p)
{
	return sum(p, 1) + scale(p->b, 7);
}
