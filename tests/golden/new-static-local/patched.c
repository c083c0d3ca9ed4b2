/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A new static local starts at its initial value.
 */
#include "kernel.h"

int entry(int x)
{
	static int calls;
	if (calls++ > 10)
		return 0;
	return work(x);
}
