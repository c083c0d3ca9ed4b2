/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Members that become something else of the same size; a union that gets one more view; a callback with one more parameter.
 * flags: -g -gdwarf-5
 */
#include "changed.h"
#include "kernel.h"

int entry(struct item *item)
{
	return item->ops->call(item, 1);
}
