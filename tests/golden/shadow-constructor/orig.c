/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The constructor of a shadow variable is called at once and not kept; that is no escape of its address.
 */
#include "kernel.h"

int klp_shadow_alloc(void *obj, long id, long size, int flags, void *constructor, void *data);

int entry(void *x)
{
	return work(1);
}
