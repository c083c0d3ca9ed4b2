/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A static local becomes a variable of the file: the patched code uses a new one.
 */
#include "kernel.h"

static int count;
int entry(int x)
{
	return work(count += x);
}
