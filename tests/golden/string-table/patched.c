/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One string of a table of pointers changed: the table is data that the kernel has.
 */
#include "kernel.h"

static const char *const names[] = {
	"zero",
	"uno",
	"two",
};
const char *name_of(int x)
{
	return names[x];
}
