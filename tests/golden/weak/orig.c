/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A weak function may be overridden by one of another unit: the diff redirects it, the proof decides.
 */
#include "kernel.h"

int __weak arch_work(int x)
{
	return work(x);
}

int entry(int x)
{
	return arch_work(x);
}
