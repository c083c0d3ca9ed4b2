/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The first code of the unit is a header's: which number its own file has in the debug info depends on that.
 * flags: -g -gdwarf-5
 */
#include "kernel.h"
#include "layout-header-first/header.h"

struct context {
	int a;
	int n;
	int b;
};
int entry(struct context *c)
{
	return work(c->a) + c->n + from_header(c->a);
}

int other(struct context *c)
{
	return work(c->b);
}
