/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A new export; the old one stays what it is.
 */
#include "kernel.h"

int first(int x)
{
	return work(x);
}
EXPORT_SYMBOL(first);
int second(int x)
{
	return work(x) + 1;
}
