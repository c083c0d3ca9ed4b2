/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The address of new code is handed to somebody who may keep it.
 */
#include "kernel.h"

void start_timer(void (*fn)(int));
static void expired(int x)
{
	work(x);
}

static void known(int x)
{
	work(x + 1);
}

int entry(int x)
{
	start_timer(expired);
	return work(x);
}
