/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the shipped kernel has a function inlined: its debug info has an entry for every place, in every unit. The file has hundreds of
 * megabytes and nothing is indexed: a function's name is looked for as bytes, and only units that have it are looked into.
 */
#ifndef RK_ELF_DEBUG_INLINES_H
#define RK_ELF_DEBUG_INLINES_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/vec.h"

struct rk_debug_inlines;

/* Opens a linked file. Without debug info nothing is found in it. Errors: RK_ERR_SYS, RK_ERR_FORMAT. */
struct rk_err *rk_debug_inlines_open(const char *path, struct rk_debug_inlines **ret) __must_use;
void rk_debug_inlines_close(struct rk_debug_inlines *inlines);

/* Is there debug info at all? */
bool rk_debug_inlines_is_known(const struct rk_debug_inlines *inlines);

/* A function that has another one's code within it, or is a copy of it out of line. */
struct rk_debug_container {
	const char *unit; /* "net/ipv4/tcp_input.c" */
	const char *
		function; /* at the top level, however deep the inlining is; NULL: some function, no instruction tells which */
	uint64_t address; /* 0 if it isn't known */
	const char
		*section; /* of address, NULL if it isn't known; lives as long as the open file */
};

struct rk_debug_containers {
	struct rk_arena arena;
	rk_vec(struct rk_debug_container) list;
};

/* Is unit to be looked into? */
typedef bool (*rk_debug_unit_fn)(void *ctx, const char *unit);

/* All containers of the function that file ("include/net/sock.h") declares, of the units that fn wants. */
struct rk_err *rk_debug_inlines_find(struct rk_debug_inlines *inlines, const char *function,
				     const char *file, rk_debug_unit_fn fn, void *ctx,
				     struct rk_debug_containers *ret) __must_use;
void rk_debug_containers_deinit(struct rk_debug_containers *containers);

static inline void rk_cleanup_debug_inlines(struct rk_debug_inlines **i)
{
	rk_debug_inlines_close(*i);
}
#define _cleanup_debug_inlines_	   _cleanup_(rk_cleanup_debug_inlines)
#define _cleanup_debug_containers_ _cleanup_(rk_debug_containers_deinit)

#endif
