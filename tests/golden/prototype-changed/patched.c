/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Prototypes that changed: a static function, whose callers are all here, and a global one, whose callers
 * linking looks for.
 * flags: -g
 */
#include "kernel.h"

static noinline int helper(int x, void *data)
{
	use(data);
	return work(x);
}

long entry(int x, void *data)
{
	return helper(x, data);
}
