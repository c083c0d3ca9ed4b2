/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An operations table changed: the slot is named.
 */
#include "kernel.h"

struct ops {
	int (*open)(int);
	int (*close)(int);
};
static int do_open(int x)
{
	return work(x);
}

static int do_close(int x)
{
	return work(-x);
}

static int do_close_safely(int x)
{
	return x ? do_close(x) : 0;
}

struct ops ops = {
	.open = do_open,
	.close = do_close_safely,
};
