/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which lines of the source a function of an object is made of: its own, and those of the functions that are inlined into it. By the debug
 * info of an object as the compiler wrote it.
 */
#ifndef RK_ELF_DEBUG_PLACES_H
#define RK_ELF_DEBUG_PLACES_H

#include <stdint.h>

#include "lib/base/err.h"

struct rk_debug_places;

/* Reads the object file at path. Without debug info no function has a place. Errors: RK_ERR_FORMAT, RK_ERR_SYS. */
struct rk_err *rk_debug_places_open(const char *path, struct rk_debug_places **ret) __must_use;
void rk_debug_places_close(struct rk_debug_places *places);

/* Lines first … last of file: from a function's name to where the next thing is declared, UINT32_MAX for the last one. file is as the
 * compiler wrote it ("/build/linux/net/ipv4/tcp.c"). */
typedef struct rk_err *rk_debug_place_fn(void *ctx, const char *file, uint32_t first,
					 uint32_t last);
/* Calls fn for each of them; what comes behind a '.' in function's name (".isra.0") doesn't count. Returns fn's error. */
struct rk_err *rk_debug_places_of(struct rk_debug_places *places, const char *function,
				  rk_debug_place_fn *fn, void *ctx) __must_use;

static inline void rk_cleanup_debug_places(struct rk_debug_places **p)
{
	rk_debug_places_close(*p);
}
#define _cleanup_debug_places_ _cleanup_(rk_cleanup_debug_places)

#endif
