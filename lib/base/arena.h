/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A region of memory that is freed as one: graph objects (sections, symbols, relocations, spans,
 * strings) live in the arena of the file or diff they belong to, so no pointer between them needs an owner.
 */
#ifndef RK_BASE_ARENA_H
#define RK_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

#include "lib/base/cleanup.h"

struct rk_arena_block;

struct rk_arena {
	struct rk_arena_block *blocks; /* newest first */
	size_t used;		       /* bytes handed out in all, for reports */
};

#define RK_ARENA_INIT \
	{             \
	}

void rk_arena_init(struct rk_arena *arena);
/* Frees everything that came from the arena; the arena is empty and usable again. */
void rk_arena_deinit(struct rk_arena *arena);

/* size zeroed bytes aligned for any type, NULL without memory. A size of 0 gives a valid pointer. */
void *rk_arena_alloc(struct rk_arena *arena, size_t size) __must_use;
/* nr zeroed elements of size bytes each; NULL on overflow or without memory. */
void *rk_arena_calloc(struct rk_arena *arena, size_t nr, size_t size) __must_use;
void *rk_arena_memdup(struct rk_arena *arena, const void *data, size_t size) __must_use;
char *rk_arena_strdup(struct rk_arena *arena, const char *s) __must_use;
char *rk_arena_strndup(struct rk_arena *arena, const char *s, size_t n) __must_use;
char *rk_arena_printf(struct rk_arena *arena, const char *fmt, ...) __must_use __printf(2, 3);
char *rk_arena_vprintf(struct rk_arena *arena, const char *fmt, va_list ap)
	__must_use __printf(2, 0);

#define rk_arena_new(arena, type) ((type *)rk_arena_alloc(arena, sizeof(type)))

#define _cleanup_arena_ _cleanup_(rk_arena_deinit)

#endif
