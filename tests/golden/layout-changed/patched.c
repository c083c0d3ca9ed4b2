/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A structure of the unit grew in the middle.
 * flags: -g
 */
#include "kernel.h"

struct item {
	int kind;
	int flags;
	void *data;
	unsigned int big : 3, small : 5;
};
int entry(struct item *item)
{
	use(item->data);
	return item->kind;
}
