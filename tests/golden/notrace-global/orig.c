/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A changed global function that can't be traced may be called from elsewhere.
 */
#include "kernel.h"

notrace int tick(int x)
{
	return work(x);
}

int entry(int x)
{
	return tick(x);
}
