/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Addresses of new code and tables: used at once, lent to a function that returns them, or kept.
 */
#include "kernel.h"

void sort(void *base, unsigned long num, unsigned long size, int (*cmp)(const void *, const void *),
	  void (*swap)(void *, void *, int));
void later(void (*fn)(int));

struct holder {
	void (*fn)(int);
};

int entry(int x, struct holder *h, int *list, int n)
{
	return work(x);
}

void *give(int x)
{
	work(x);
	return 0;
}
