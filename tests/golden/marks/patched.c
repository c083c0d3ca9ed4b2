/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What authors declare: callbacks go along though nothing calls them, everything else is read and left behind.
 */
#include "kernel.h"

static int state;

static int prepare(void *object)
{
	state = work(1);
	return 0;
}

static void finish(void *object)
{
	use(&state);
}

MARK(.kind = KPATCH_MARK_PRE_PATCH, .subject = prepare);
MARK(.kind = KPATCH_MARK_POST_UNPATCH, .subject = finish);
MARK(.kind = KPATCH_MARK_STATE, .id = 7, .version = 2);
MARK(.kind = KPATCH_MARK_SHADOW_ID, .id = 9);
MARK(.kind = KPATCH_MARK_FORCE_UNSAFE, .subject = "entry");

int entry(int x)
{
	return work(x) + 2;
}
