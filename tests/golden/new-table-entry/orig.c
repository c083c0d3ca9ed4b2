/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Entries of tables that only their readers know, with a name and without one; others like them were there.
 */
#include "kernel.h"

struct module_info {
	int (*start)(int x);
	int order;
};
static int known(int x)
{
	return work(x + 5);
}
static const struct module_info known_info __used __section(".lsm_info.init") = {known, 1};
asm(TABLE("__timer_table", "a", ".quad entry"));
int entry(int x)
{
	return work(x);
}
