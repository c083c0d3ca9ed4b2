/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What debug info (DWARF 4 and 5, through libdw) says about one compiled object: layouts of the structures and unions that its
 * own source file declares, and the prototypes of its functions. No libdw type is visible here.
 */
#ifndef RK_ELF_DEBUG_INFO_H
#define RK_ELF_DEBUG_INFO_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/vec.h"

/* A structure, union or enumeration: its members as text, one a line, with their places, so that two can be compared. */
struct rk_debug_type {
	const char *name; /* "struct foo", "union bar", "enum baz" */
	uint64_t size;	  /* bytes */
	const char *
		*members; /* "8 struct list_head list", bit-fields "12:3/5 unsigned int flags" */
	size_t nr_members;
};

struct rk_debug_func {
	const char *name;
	const char *prototype; /* "int (struct sock *, char *)" */
	bool external;
	uint32_t line; /* of its declaration */
};

struct rk_debug_info {
	struct rk_arena arena;
	rk_vec(struct rk_debug_type) types;
	rk_vec(struct rk_debug_func) funcs;
};

/* Reads the object file at path. Without debug info both lists are empty. Errors: RK_ERR_FORMAT, RK_ERR_SYS. */
struct rk_err *rk_debug_info_read(const char *path, struct rk_debug_info **ret) __must_use;
void rk_debug_info_free(struct rk_debug_info *info);

static inline void rk_cleanup_debug_info(struct rk_debug_info **i)
{
	rk_debug_info_free(*i);
}
#define _cleanup_debug_info_ _cleanup_(rk_cleanup_debug_info)

#endif
