/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One of several static locals of one name that are used alike is new: nothing says which, so that none is paired.
 */
#include "kernel.h"

int entry(int x)
{
	if (x > 10) {
		static int count;
		work(++count);
	} else if (x > -10) {
		static int count;
		work(++count);
	} else {
		static int count;
		work(++count);
	}
	return x;
}
