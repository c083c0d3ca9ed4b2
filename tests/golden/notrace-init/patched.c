/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A changed function that can't be traced, called from init code only: that has run.
 */
#include "kernel.h"

static noinline notrace int probe(int x)
{
	return work(x) + 1;
}

int __init start(int x)
{
	return probe(x);
}
