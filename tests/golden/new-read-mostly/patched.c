/* SPDX-License-Identifier: GPL-2.0 */
/*
 * New data in sections of its own kind: .data..read_mostly and per-CPU data.
 */
#include "kernel.h"

static int __read_mostly tunable = 4;
static int __percpu_section counter;
int entry(int x)
{
	counter += tunable;
	return work(x);
}

void tune(int x)
{
	tunable = x;
}
