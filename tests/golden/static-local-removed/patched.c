/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One of two static locals of one name is gone; the other keeps its state.
 */
#include "kernel.h"

int first(int x)
{
	return work(x);
}

int second(int x)
{
	static int count;
	return work(count += x + 1);
}
