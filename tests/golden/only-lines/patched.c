/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Comments and empty lines; nothing else.
 * flags: -g
 */
#include "kernel.h"

/* a comment
 * of two lines */

struct item {
	int kind;
};

int entry(struct item *item)
{
	/* nothing */
	return work(item->kind);
}
