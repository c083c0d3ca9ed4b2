/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A new static function and a new global one; only what changed calls them.
 */
#include "kernel.h"

int entry(int x)
{
	return work(x);
}
