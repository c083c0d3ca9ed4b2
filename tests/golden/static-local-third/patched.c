/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A third static local of one name in a function: the two that were there keep their state, the new one is in the patch.
 */
#include "kernel.h"

int entry(int x)
{
	if (x > 10) {
		static int count;
		count += x;
		work(count);
	} else if (x > -10) {
		static int count;
		count -= x;
		work(count);
	} else {
		static int count;
		count ^= x;
		work(count);
	}
	return x;
}
