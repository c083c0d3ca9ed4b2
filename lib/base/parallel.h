/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One function for many independent pieces of work, on several threads. */
#ifndef RK_BASE_PARALLEL_H
#define RK_BASE_PARALLEL_H

#include <stddef.h>

#include "lib/base/err.h"

/* Calls fn(ctx, 0 … nr - 1), each once, in no order, on at most `threads` threads and the caller's. After an error no
 * further call begins; the first error found is returned. RK_ERR_INTERRUPTED after rk_interrupt(). */
struct rk_err *rk_parallel(size_t nr, unsigned int threads,
			   struct rk_err *(*fn)(void *ctx, size_t i), void *ctx) __must_use;

#endif
