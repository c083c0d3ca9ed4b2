/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading the kernel's small files: shared by the files of lib/livepatch. */
#ifndef RK_LIVEPATCH_INTERNAL_H
#define RK_LIVEPATCH_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

/* sysfs and proc files have no size: read to the end, about max bytes at most. Absent (also when the task or
 * module goes while we read) is *ret_found = false, not an error. */
struct rk_err *rk_livepatch_read_raw(const char *path, size_t max, struct rk_str *ret,
				     bool *ret_found) __must_use;
/* The same for text: trailing newlines removed. */
struct rk_err *rk_livepatch_read_small(const char *path, size_t max, struct rk_str *ret,
				       bool *ret_found) __must_use;

/* Milliseconds of the monotonic clock. */
unsigned long rk_livepatch_now_ms(void);
/* Sleeps ms or until a signal. */
void rk_livepatch_sleep_ms(unsigned int ms);

#endif
