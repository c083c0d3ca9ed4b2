/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A function of which gcc inlines the short way out, and leaves the rest in .part.0; only the rest changed.
 */
#include "kernel.h"

static int slow(int *p, int x)
{
	if (!p)
		return 0;
	for (int i = 0; i < x; i++) {
		*p += work(i);
		work(*p);
		work(*p + 1);
		work(*p + 2);
		work(*p + 3);
	}
	printk("slow %d\n", *p);
	return work(*p) + work(x) + work(x + 1);
}

int first(int *p, int x)
{
	return slow(p, x) + 1;
}

int second(int *p, int x)
{
	return slow(p, x) + 2;
}
