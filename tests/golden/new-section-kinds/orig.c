/* SPDX-License-Identifier: GPL-2.0 */
/*
 * New variables in sections of their own kind keep it: read after init only, and what may refer to init code.
 */
#include "kernel.h"

#define __ro_after_init __section(".data..ro_after_init")
#define __refdata	__section(".ref.data")

int entry(int x)
{
	return work(x);
}
