/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which argument an address is decides: what is searched is returned in parts, a copy of a table holds the table's functions, and an
 * object that a shadow variable belongs to is remembered.
 */
#include "kernel.h"

typedef unsigned long size_t;
struct pair {
	const char *name;
	void (*fn)(int);
};
struct numbers {
	long v[40];
};

void *bsearch(const void *key, const void *base, size_t num, size_t size,
	      int (*cmp)(const void *, const void *));
void *memcpy(void *to, const void *from, size_t size);
void *klp_shadow_alloc(void *obj, unsigned long id, size_t size, unsigned int flags,
		       int (*ctor)(void *, void *, void *), void *data);

const struct pair *find(const char *name)
{
	work(1);
	return 0;
}

void copy(struct pair *pairs, struct numbers *numbers)
{
	work(2);
}

void shadow(void *obj)
{
	work(3);
}
