/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Comments and empty lines; nothing else.
 * flags: -g
 */
#include "kernel.h"

struct item {
	int kind;
};
int entry(struct item *item)
{
	return work(item->kind);
}
