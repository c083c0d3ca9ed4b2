/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A new boot parameter beside an old one: the kernel has read its command line already.
 */
#include "kernel.h"

struct parameter {
	const char *name;
	int (*set)(const char *value);
	int early;
};
#define setup(text, fn)                                                        \
	static const char __setup_str_##fn[] __section(".init.rodata") = text; \
	static struct parameter __used __section(".init.setup")                \
		__setup_##fn = {__setup_str_##fn, fn, 0}

static int __init known(const char *value)
{
	return work(*value);
}
setup("known=", known);

int entry(int x)
{
	return work(x);
}
