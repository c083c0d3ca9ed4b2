/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The addresses of new code and of code that was there, in new data.
 */
#include "kernel.h"

struct ops {
	int (*open)(int);
	int (*close)(int);
};
void register_ops(const struct ops *ops);
static noinline int do_open(int x)
{
	return work(x);
}

static int do_close(int x)
{
	return work(-x);
}

static const struct ops new_ops = {
	.open = do_open,
	.close = do_close,
};
int setup(int x)
{
	register_ops(&new_ops);
	return do_open(x) + 1;
}
