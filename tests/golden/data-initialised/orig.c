/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A variable that was zero starts with a value now.
 */
#include "kernel.h"

static int level;
int entry(int x)
{
	return level += x;
}
