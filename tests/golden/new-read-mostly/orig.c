/* SPDX-License-Identifier: GPL-2.0 */
/*
 * New data in sections of its own kind: .data..read_mostly and per-CPU data.
 */
#include "kernel.h"

int entry(int x)
{
	return work(x);
}
