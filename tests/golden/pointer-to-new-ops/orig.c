/* SPDX-License-Identifier: GPL-2.0 */
/*
 * New data of old functions that somebody may keep, new data of numbers that is only read, and new data in new data.
 */
#include "kernel.h"

struct ops {
	int (*call)(int);
	const int *numbers;
};
static noinline int known(int x)
{
	return work(x);
}
static const struct ops known_ops = {.call = known};
void entry(const struct ops **ops, int x)
{
	*ops = &known_ops;
}
