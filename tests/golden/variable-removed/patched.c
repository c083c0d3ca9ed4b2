/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Variables that are gone: one written to, one constant.
 */
#include "kernel.h"

int entry(int x)
{
	return work(x);
}
