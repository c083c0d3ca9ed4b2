/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A function that is gone: its caller changed.
 */
#include "kernel.h"

int entry(int x)
{
	return work(x);
}
