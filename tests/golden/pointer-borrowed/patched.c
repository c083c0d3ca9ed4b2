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

static void one(int x)
{
	work(x + 1);
}

static void two(int x)
{
	work(x + 2);
}

static void stored(int x)
{
	work(x + 3);
}

static void delayed(int x)
{
	work(x + 4);
}

static void returned(int x)
{
	work(x + 5);
}

static void compared(int x)
{
	work(x + 6);
}

static int by_value(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static void (*const table[])(int) = {one, two, one, two};

struct lock {
	struct lock *first, *last;
};

void take(struct lock *lock);

static struct lock lock = {&lock, &lock};

int entry(int x, struct holder *h, int *list, int n)
{
	int i;

	take(&lock);
	sort(list, n, 4, by_value, 0);
	for (i = 0; i < n; i++)
		table[list[i] & 3](x);
	if (h->fn == compared)
		compared(x);
	if (x)
		h->fn = stored;
	else
		later(delayed);
	return work(x);
}

void *give(int x)
{
	work(x);
	return returned;
}
