/* SPDX-License-Identifier: GPL-2.0 */
/*
 * WARN() of a changed function, and of an unchanged one, whose line is the same.
 */
#include "kernel.h"

int entry(int x)
{
	if (x < 0)
		WARN();
	return work(x);
}

int other(int x)
{
	if (x < 0)
		WARN();
	return work(x);
}
