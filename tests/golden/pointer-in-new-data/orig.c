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

int setup(int x)
{
	return do_open(x) + 1;
}
