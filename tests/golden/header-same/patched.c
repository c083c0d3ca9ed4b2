/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a header says in other words: typedefs, qualifiers, names of members, new types.
 * flags: -g -gdwarf-5
 */
#include "changed.h"
#include "kernel.h"

int entry(struct item *item)
{
	return work(item->count + item->pair.a);
}
