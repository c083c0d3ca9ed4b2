/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The prototype of an exported function changed: modules call it the old way.
 * flags: -g
 */
#include "kernel.h"

int entry(int x, int y)
{
	return work(x + y);
}
EXPORT_SYMBOL(entry);
