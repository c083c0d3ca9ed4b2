/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A variable of no size (a lock class key without lockdep), used by changed code.
 */
#include "kernel.h"

struct lock_class_key {
};
static struct lock_class_key old_key;
int entry(int x)
{
	static struct lock_class_key __key;
	use(&__key);
	use(&old_key);
	return work(x + 1);
}
