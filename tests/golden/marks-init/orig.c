/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A callback in init code is gone when it is to run.
 */
#include "kernel.h"

int entry(int x)
{
	return work(x) + 1;
}
