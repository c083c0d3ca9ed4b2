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

static void one(int x)
{
	work(x + 4);
}

static int compare(const void *a, const void *b)
{
	return work(5);
}

static int constructor(void *obj, void *shadow, void *data)
{
	return work(6);
}

static void object(int x)
{
	work(x + 7);
}

static const struct pair searched[9] = {{"a", one}, {"b", one}};
static const struct pair copied[40] = {{"c", one}};
static const struct numbers only_numbers = {{1, 2, 3}};

const struct pair *find(const char *name)
{
	work(1);
	return bsearch(name, searched, 9, sizeof(*searched), compare);
}

void copy(struct pair *pairs, struct numbers *numbers)
{
	work(2);
	memcpy(pairs, copied, sizeof(copied));
	memcpy(numbers, &only_numbers, sizeof(only_numbers));
}

void shadow(void *obj)
{
	work(3);
	klp_shadow_alloc(obj, 1, 8, 0, constructor, 0);
	klp_shadow_alloc(object, 2, 8, 0, constructor, 0);
}
