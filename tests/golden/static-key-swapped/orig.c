/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Another static key leaves the same nop in the code: only the entry in __jump_table differs.
 */
#include "kernel.h"

struct static_key old_key, new_key;
int entry(int x)
{
	if (static_branch(&old_key))
		return work(x);
	return 0;
}

int other(int x)
{
	if (static_branch(&old_key))
		return work(x + 1);
	return 1;
}
