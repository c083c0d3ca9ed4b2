/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A static constant table changed that only functions read: they are replaced and have the new one.
 */
#include "kernel.h"

static const short policy[] = {
	1,
	2,
	3,
};
int parse(int x)
{
	return policy[x];
}

int parse_more(int x)
{
	static const int widths[4] = {
		1,
		2,
	};
	return work(x) + widths[x] + policy[x];
}

int bystander(int x)
{
	return work(x);
}
