/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A changed function takes its static calls along; another target of one is a change.
 */
#include "kernel.h"

int entry(int x)
{
	static_call(first);
	return work(x + 1);
}

int other(int x)
{
	static_call(second);
	return work(x);
}
