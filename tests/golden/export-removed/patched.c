/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An export whose last user is gone, with its function; the other function changes.
 */
#include "kernel.h"

int second(int x)
{
	return work(x) + 2;
}
EXPORT_SYMBOL(second);
