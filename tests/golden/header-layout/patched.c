/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A structure of a header grows, although a hole would have held the member, and with it what another header and the unit embed it in.
 * flags: -g -gdwarf-5
 */
#include "changed.h"
#include "header-layout/embeds.h"
#include "kernel.h"

struct own {
	struct whole whole;
};

int entry(struct own *own, many_t *many, struct pointing *p)
{
	return work(own->whole.after) + many->parts[1].last + p->part->last;
}
