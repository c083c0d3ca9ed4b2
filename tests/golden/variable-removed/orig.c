/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Variables that are gone: one written to, one constant.
 */
#include "kernel.h"

static int count;
static const int steps[] = {1, 2, 4};
int entry(int x)
{
	count += steps[x];
	return work(count);
}
