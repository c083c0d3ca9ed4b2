/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A constant changed; one function reads it, others hand its address to somebody who may keep it.
 */
#include "kernel.h"

struct user {
	const int *limits;
};

void use_limits(const int *limits);

static const int limits[4] = {1, 2, 4, 9};
static const int lent[4] = {1, 2, 5, 9};

static const int compared[4] = {1, 2, 6, 10};

int entry(int x)
{
	return work(limits[x & 3]);
}

int is_ours(const struct user *u)
{
	return work(2) && u->limits == compared;
}

int sum(void)
{
	int sum = 0;

	for (const int *limit = compared; limit < compared + 4; limit++)
		sum += work(*limit);
	return sum;
}

void attach(struct user *u)
{
	work(1);
	u->limits = limits;
}

void pass(int x)
{
	work(x);
	use_limits(lent);
}
