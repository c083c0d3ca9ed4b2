/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Only the replacement of an alternative changed: the code of the function is the same.
 */
#include "kernel.h"

int entry(int x)
{
	alternative("nop; nop; nop", "lfence", 18);
	return work(x);
}

int other(int x)
{
	alternative("nop; nop; nop", "lfence", 18);
	return work(x);
}
