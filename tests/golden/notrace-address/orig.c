/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A changed function that can't be traced and whose address is data can't be replaced.
 */
#include "kernel.h"

static notrace int handler(int x)
{
	return work(x);
}

int (*const handlers[])(int) = {handler};
