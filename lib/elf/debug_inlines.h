/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which functions have code of headers within them: debug info has, in every unit, an entry for each place where a function was inlined. All
 * of a file's are read in one go, unit by unit, and given to the caller; nothing is kept.
 */
#ifndef RK_ELF_DEBUG_INLINES_H
#define RK_ELF_DEBUG_INLINES_H

#include <stdbool.h>

#include "lib/base/err.h"

/* A function of a header, and one that has its code within it, or is its copy out of line. */
struct rk_debug_inline {
	const char *function, *file; /* "tcp_sk", "./include/linux/tcp.h" as the compiler had it */
	const char *unit;	     /* "net/ipv4/tcp_input.c" */
	const char *
		container; /* at the top level, however deep the inlining is; NULL: some function, no instruction tells which */
	bool is_init;	   /* the container stands in .init* */
};

/* Strings are valid during the call. An error ends the reading. */
typedef struct rk_err *(*rk_debug_inline_fn)(void *ctx, const struct rk_debug_inline *found);

/*
 * Calls fn for what the file at path, linked or relocatable, has of functions that aren't declared by their unit's own source. *ret_known: is
 * there debug info at all? Errors: RK_ERR_SYS, RK_ERR_FORMAT (no ELF file, damaged debug info), fn's.
 */
struct rk_err *rk_debug_inlines_read(const char *path, rk_debug_inline_fn fn, void *ctx,
				     bool *ret_known) __must_use;

#endif
