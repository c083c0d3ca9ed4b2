/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A new static function and a new global one; only what changed calls them.
 */
#include "kernel.h"

static noinline int check(int x)
{
	return work(x) > 3 ? -22 : 0;
}

int check_all(int x)
{
	return check(x) | check(x + 1);
}

int entry(int x)
{
	return check_all(x) ?: work(x) + check(x);
}
