/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Members that are added where nothing was, by the byte and by the bit; a member with another name; nothing else moves.
 * flags: -g -gdwarf-5
 */
#include "changed.h"
#include "kernel.h"

int entry(struct holes *h)
{
	return work(h->last) + h->one;
}
