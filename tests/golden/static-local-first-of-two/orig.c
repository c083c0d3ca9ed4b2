/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The first of two static locals of one name is used in another way: by their order in the code they stay what they are.
 */
#include "kernel.h"

int entry(int x)
{
	if (x > 10) {
		static int count;
		count += x;
		work(count);
	} else {
		static int count;
		count -= x;
		work(count);
	}
	return x;
}
