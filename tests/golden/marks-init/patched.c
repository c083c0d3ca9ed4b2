/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A callback in init code is gone when it is to run.
 */
#include "kernel.h"

static int __init prepare(void *object)
{
	return work(1);
}

MARK(.kind = KPATCH_MARK_PRE_PATCH, .subject = prepare);

int entry(int x)
{
	return work(x) + 1;
}
