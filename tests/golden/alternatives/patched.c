/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A changed function takes the alternatives that are about it along, with the code that replaces them.
 */
#include "kernel.h"

int entry(int x)
{
	alternative("nop", "lfence", 18);
	return work(x + 1);
}

int other(int x)
{
	alternative("nop", "lfence", 18);
	alternative("call work", "call lookup", 19);
	return work(x);
}
