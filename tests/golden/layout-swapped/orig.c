/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two members of one type changed places: the code may be the same, the meaning isn't.
 * flags: -g
 */
#include "kernel.h"

struct item {
	int first;
	int second;
	union {
		long number;
		void *pointer;
	};
	enum {
		NONE,
		SOME
	} amount;
};
int entry(struct item *item)
{
	return item->first + (int)item->number + item->amount;
}
