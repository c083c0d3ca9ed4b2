/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A function with two names (as system calls have) is one function, whichever name is called.
 */
#include "kernel.h"

noinline long body(int x)
{
	return work(x) + 1;
}

long other_name(int x) __attribute__((alias("body")));
int entry(int x)
{
	return other_name(x + 1);
}

int second(int x)
{
	return body(x) + other_name(x);
}
