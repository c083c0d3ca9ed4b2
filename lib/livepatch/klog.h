/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which lines of a kernel log tell of trouble. */
#ifndef RK_LIVEPATCH_KLOG_H
#define RK_LIVEPATCH_KLOG_H

#include <stdbool.h>

#include "lib/base/str.h"

/* The kind of trouble a line tells of ("warning", "bug", "oops", "lockup", "stall", "hung-task", "livepatch", "module", "trace",
 * "panic"), NULL for any other line. priority as in <linux/kern_levels.h>. That a module taints the kernel is no trouble. */
const char *rk_klog_trouble(unsigned int priority, const char *text);

/* True when two lines say the same apart from numbers, addresses and offsets. */
bool rk_klog_is_same(const char *a, const char *b);

#endif
