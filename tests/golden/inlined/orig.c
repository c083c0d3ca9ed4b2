/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A changed function that was inlined everywhere changes those it is inlined into.
 */
#include "kernel.h"

static always_inline int limit(int x)
{
	return x > 16 ? 16 : x;
}

int first(int x)
{
	return work(limit(x));
}

int second(int x)
{
	return work(limit(x + 1));
}

int third(int x)
{
	return work(x);
}
