/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Another comment, another line, and a member's type under another name: no layout changed.
 * flags: -g
 */
#include "kernel.h"

struct item {
	int kind;
	void *data;
};
int entry(struct item *item)
{
	use(item->data);
	return item->kind;
}
