/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Constants of enumerations in a header, with and without names; one only counts.
 * flags: -g -gdwarf-5
 */
#include "changed.h"
#include "kernel.h"

int entry(enum state s, enum kind k)
{
	return s == BUSY ? FLAG_B : k == NR_KINDS ? MAX_ITEMS : work(k);
}
