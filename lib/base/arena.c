/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bump allocation from zeroed blocks. A request too big for a block gets one of its own, put behind
 * the block in use so that the room left there isn't lost.
 */
#include "lib/base/arena.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define BLOCK_SIZE (64u << 10) /* a few hundred symbols; small enough for a tiny object's arena */
#define ALIGNMENT  _Alignof(max_align_t)

struct rk_arena_block {
	struct rk_arena_block *next;
	size_t used;
	size_t size;
	_Alignas(max_align_t) unsigned char data[];
};

void rk_arena_init(struct rk_arena *arena)
{
	*arena = (struct rk_arena)RK_ARENA_INIT;
}

void rk_arena_deinit(struct rk_arena *arena)
{
	struct rk_arena_block *block = arena->blocks;

	while (block) {
		struct rk_arena_block *next = block->next;

		free(block);
		block = next;
	}
	rk_arena_init(arena);
}

static struct rk_arena_block *add_block(struct rk_arena *arena, size_t size)
{
	bool is_own = size > BLOCK_SIZE / 4;
	size_t room = is_own ? size : BLOCK_SIZE;
	size_t bytes;

	if (__builtin_add_overflow(room, sizeof(struct rk_arena_block), &bytes))
		return NULL;

	struct rk_arena_block *block = calloc(1, bytes);
	if (!block)
		return NULL;
	block->size = room;
	if (is_own && arena->blocks) {
		block->next = arena->blocks->next;
		arena->blocks->next = block;
	} else {
		block->next = arena->blocks;
		arena->blocks = block;
	}
	return block;
}

void *rk_arena_alloc(struct rk_arena *arena, size_t size)
{
	size_t rounded;

	if (__builtin_add_overflow(size ? size : 1, ALIGNMENT - 1, &rounded))
		return NULL;
	rounded &= ~(ALIGNMENT - 1);

	struct rk_arena_block *block = arena->blocks;
	if (!block || block->size - block->used < rounded) {
		block = add_block(arena, rounded);
		if (!block)
			return NULL;
	}
	void *p = block->data + block->used;
	block->used += rounded;
	arena->used += rounded;
	return p;
}

void *rk_arena_calloc(struct rk_arena *arena, size_t nr, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(nr, size, &bytes))
		return NULL;
	return rk_arena_alloc(arena, bytes);
}

void *rk_arena_memdup(struct rk_arena *arena, const void *data, size_t size)
{
	void *p = rk_arena_alloc(arena, size);

	if (p && size)
		memcpy(p, data, size);
	return p;
}

char *rk_arena_strndup(struct rk_arena *arena, const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *p = rk_arena_alloc(arena, len + 1);

	if (p)
		memcpy(p, s, len);
	return p;
}

char *rk_arena_strdup(struct rk_arena *arena, const char *s)
{
	return rk_arena_memdup(arena, s, strlen(s) + 1);
}

char *rk_arena_vprintf(struct rk_arena *arena, const char *fmt, va_list ap)
{
	va_list again;

	va_copy(again, ap);
	int len = vsnprintf(NULL, 0, fmt, again);
	va_end(again);

	char *p = len < 0 ? NULL : rk_arena_alloc(arena, (size_t)len + 1);
	if (p)
		vsnprintf(p, (size_t)len + 1, fmt, ap);
	return p;
}

char *rk_arena_printf(struct rk_arena *arena, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *p = rk_arena_vprintf(arena, fmt, ap);
	va_end(ap);
	return p;
}
