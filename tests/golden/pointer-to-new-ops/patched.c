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
static const int read_only[4] = {3, 1, 4, 1};
static const int kept[4] = {5, 9, 2, 6};
static const struct ops new_ops = {.call = known, .numbers = kept};
void entry(const struct ops **ops, int x)
{
	*ops = x ? &new_ops : &known_ops;
	work(read_only[x & 3]);
}
