/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading the kernel's small files: shared by the files of lib/livepatch. */
#ifndef RK_LIVEPATCH_INTERNAL_H
#define RK_LIVEPATCH_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/str.h"

/* sysfs and proc files have no size: read to the end, about max bytes at most. Absent (also when the task or
 * module goes while we read) is *ret_found = false, not an error. */
struct rk_err *rk_livepatch_read_raw(const char *path, size_t max, struct rk_str *ret,
				     bool *ret_found) __must_use;
/* The same for text: trailing newlines removed. */
struct rk_err *rk_livepatch_read_small(const char *path, size_t max, struct rk_str *ret,
				       bool *ret_found) __must_use;

/* path is the entry's own. */
typedef struct rk_err *rk_livepatch_entry_fn(void *ctx, const char *path, const char *name);
/* Each entry of a directory that doesn't begin with '.'; an absent directory is *ret_found = false (may be NULL), not an error. */
struct rk_err *rk_livepatch_for_each_entry(const char *path, bool dirs_only, bool *ret_found,
					   rk_livepatch_entry_fn *fn, void *ctx) __must_use;

struct rk_livepatch_roots;
/* Each thread of each process: <proc>/PID/task/TID. */
struct rk_err *rk_livepatch_for_each_thread(const struct rk_livepatch_roots *roots,
					    rk_livepatch_entry_fn *fn, void *ctx) __must_use;
/* A thread's name (NULL: it is gone) and its kernel stack ("": gone, or only root may read it), as <proc>/PID/task/TID shows them, in arena. */
struct rk_err *rk_livepatch_read_comm(const char *path, struct rk_arena *arena, const char **ret)
	__must_use;
struct rk_err *rk_livepatch_read_stack(const char *path, struct rk_arena *arena, const char **ret)
	__must_use;

/* Milliseconds of the monotonic clock. */
unsigned long rk_livepatch_now_ms(void);
/* Sleeps ms or until a signal. */
void rk_livepatch_sleep_ms(unsigned int ms);

#endif
