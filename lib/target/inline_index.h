/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The index of inlined functions: for every function of a header, which functions of the shipped kernel and its modules have its code within
 * them. Made once from gigabytes of debug info, which needn't be kept; a lookup is a binary search in one file of some megabytes.
 *
 * The file, numbers little-endian and 32 bits wide: struct rk_inline_header, then objects, units, functions (sorted by name, then file), places
 * (by function), strings. A string is named by its offset among the strings. The hash covers all behind it.
 */
#ifndef RK_TARGET_INLINE_INDEX_H
#define RK_TARGET_INLINE_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/sha256.h"

#define RK_INLINE_MAGIC "rk-inlines-1"

struct rk_inline_header {
	char magic[16];
	char hash[RK_SHA256_HEX_SIZE - 1]; /* SHA-256 of what follows, hexadecimal */
	char origin[RK_SHA256_HEX_SIZE - 1];
	uint32_t nr_objects, nr_units, nr_functions, nr_places, nr_string_bytes;
};

struct rk_inline_object {
	uint32_t name; /* "vmlinux", "nf_tables" */
	uint32_t is_known;
};

struct rk_inline_unit {
	uint32_t name, object;
};

struct rk_inline_function {
	uint32_t name, file, first_place, nr_places;
};

#define RK_INLINE_NOWHERE UINT32_MAX /* no function is known */
#define RK_INLINE_INIT	  (1u << 31) /* stands in .init* */

struct rk_inline_place {
	uint32_t unit;
	uint32_t container; /* RK_INLINE_NOWHERE, or the name's offset with RK_INLINE_INIT */
};

/* Making one. Adding may happen on several threads; in which order makes no difference to the file. */
struct rk_inline_builder;

struct rk_err *rk_inline_builder_create(struct rk_inline_builder **ret) __must_use;
void rk_inline_builder_destroy(struct rk_inline_builder *builder);

/* Takes in what the debug info of the file at path says, as object ("vmlinux", "nf_tables"). Errors as of rk_debug_inlines_read(). */
struct rk_err *rk_inline_builder_add(struct rk_inline_builder *builder, const char *object,
				     const char *path) __must_use;

/* A module of which no debug info is there; nothing happens if it was added. */
struct rk_err *rk_inline_builder_add_unknown(struct rk_inline_builder *builder, const char *object)
	__must_use;

/* Writes the file (once: the builder is of no more use), whole or not at all. origin: 64 characters that say what it was made from, or NULL. */
struct rk_err *rk_inline_builder_write(struct rk_inline_builder *builder, const char *origin,
				       const char *path) __must_use;

struct rk_inline_index;

/* Errors: RK_ERR_SYS, RK_ERR_FORMAT (no index, damaged). */
struct rk_err *rk_inline_index_open(const char *path, struct rk_inline_index **ret) __must_use;
/* The same of bytes in memory, which must outlive the index. */
struct rk_err *rk_inline_index_parse(const char *name, const void *data, size_t size,
				     struct rk_inline_index **ret) __must_use;
void rk_inline_index_close(struct rk_inline_index *index);

/* What it was made from; "" if that wasn't said. */
const char *rk_inline_index_origin(const struct rk_inline_index *index);

/* Files that were read, vmlinux and modules, and how many of the modules have no debug info. */
struct rk_inline_counts {
	size_t modules, unknown_modules;
	bool knows_vmlinux;
};
struct rk_err *rk_inline_index_count(const struct rk_inline_index *index,
				     struct rk_inline_counts *ret) __must_use;

/* One place; strings live as long as the index. */
struct rk_inline {
	const char *object, *unit;
	const char *
		container; /* NULL: some function of the unit, of which no instruction is the function's own */
	bool is_init;
};

/* Calls fn for all places of the function that file ("include/net/sock.h") declares, by object and unit. Errors: RK_ERR_FORMAT, fn's. */
struct rk_err *rk_inline_index_find(const struct rk_inline_index *index, const char *function,
				    const char *file,
				    struct rk_err *(*fn)(void *ctx, const struct rk_inline *found),
				    void *ctx) __must_use;

static inline void rk_cleanup_inline_builder(struct rk_inline_builder **b)
{
	rk_inline_builder_destroy(*b);
}
#define _cleanup_inline_builder_ _cleanup_(rk_cleanup_inline_builder)

static inline void rk_cleanup_inline_index(struct rk_inline_index **i)
{
	rk_inline_index_close(*i);
}
#define _cleanup_inline_index_ _cleanup_(rk_cleanup_inline_index)

#endif
