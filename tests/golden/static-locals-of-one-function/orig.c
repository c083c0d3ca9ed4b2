/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two static locals of one name in one function: which is which, only their place tells.
 */
#include "kernel.h"

int entry(int x)
{
	if (x) {
		static int count = 3;
		work(count++);
	} else {
		static int count = 4;
		work(count--);
	}
	return work(x);
}
