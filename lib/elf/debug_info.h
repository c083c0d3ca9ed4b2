/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What debug info (DWARF 4 and 5, through libdw) says about one compiled object: the layouts of all structures, unions and
 * enumerations it knows in full, and the prototypes of the functions of its own source file. Reading makes a hash of each layout;
 * members are only described when asked for, since of thousands of types at most a few differ. No libdw type is visible here.
 */
#ifndef RK_ELF_DEBUG_INFO_H
#define RK_ELF_DEBUG_INFO_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/map.h"
#include "lib/base/vec.h"

/* A member of a structure or union; those of unnamed parts are members of the whole. Or an enumerator. */
struct rk_debug_member {
	const char *name;   /* "next"; of a part whose type has no name "part.next" */
	const char *type;   /* "u32", "struct list *"; NULL for enumerators */
	uint64_t meaning;   /* hash of the type without typedefs and qualifiers */
	uint64_t bit, bits; /* place from the start of the whole, and extent */
	const char *embeds; /* the named layout it holds as a part or as elements, or NULL */
	int64_t value;	    /* of an enumerator */
	bool is_bit_field;
};

struct rk_debug_type {
	const char *
		name; /* "struct foo", "union bar", "enum baz", "foo_t"; NULL: an unnamed enumeration */
	const char *file; /* that declares it: "include/net/sock.h"; "" if that isn't known */
	bool is_own;	  /* declared by the unit's own source */
	bool is_enum;
	uint64_t size; /* bytes */
	uint64_t
		hash; /* of all that has a meaning for code and data: equal means the same layout */
	uint64_t offset;		 /* in .debug_info */
	struct rk_debug_member *members; /* after rk_debug_info_load_members() */
	size_t nr_members;
};

struct rk_debug_func {
	const char *name;
	const char *prototype; /* "int (struct sock *, char *)" */
	uint64_t meaning;      /* hash of the prototype without typedefs and qualifiers */
	bool external;
	uint32_t line; /* of its declaration */
};

struct rk_debug_info {
	struct rk_arena arena;
	rk_vec(struct rk_debug_type) types;
	rk_vec(struct rk_debug_func) funcs;
	struct rk_map hashes;		/* of types by their place; private */
	struct rk_debug_reader *reader; /* the open file; private */
};

/* Reads the object file at path. Without debug info both lists are empty. Errors: RK_ERR_FORMAT, RK_ERR_SYS. */
struct rk_err *rk_debug_info_read(const char *path, struct rk_debug_info **ret) __must_use;
void rk_debug_info_free(struct rk_debug_info *info);

/* Fills members of one of info's types; they live as long as info. */
struct rk_err *rk_debug_info_load_members(struct rk_debug_info *info, struct rk_debug_type *type)
	__must_use;

static inline void rk_cleanup_debug_info(struct rk_debug_info **i)
{
	rk_debug_info_free(*i);
}
#define _cleanup_debug_info_ _cleanup_(rk_cleanup_debug_info)

#endif
