/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A named constant table changed: the kernel has its own, which others may read.
 */
#include "kernel.h"

const int table[] = {
	1,
	2,
	5,
};
int entry(int x)
{
	return table[x];
}
