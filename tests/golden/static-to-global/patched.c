/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A static function becomes global and its variable too: the same things.
 */
#include "kernel.h"

noinline int helper(int x)
{
	return work(x);
}

int state;
int entry(int x)
{
	return state += helper(x);
}
