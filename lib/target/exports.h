/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Module.symvers: which symbols the kernel and its modules export, with their CRCs
 * (scripts/mod/modpost.c write_dump()).
 */
#ifndef RK_TARGET_EXPORTS_H
#define RK_TARGET_EXPORTS_H

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/map.h"
#include "lib/target/symbols.h"

/* Of one kernel; Debian's has 14,000 lines and 1 MB. */
#define RK_SYMVERS_MAX (64u << 20)

struct rk_exports {
	struct rk_arena arena;
	struct rk_map by_name; /* to struct rk_export */
	size_t nr;
};

/* Parses the text (size bytes, copied). name is for messages. RK_ERR_FORMAT names the line. */
struct rk_err *rk_exports_parse(const char *name, const char *text, size_t size,
				struct rk_exports **ret) __must_use;
struct rk_err *rk_exports_read(const char *path, struct rk_exports **ret) __must_use;
void rk_exports_free(struct rk_exports *exports);

/* NULL if it isn't exported. */
const struct rk_export *rk_exports_find(const struct rk_exports *exports, const char *name);

static inline void rk_cleanup_exports(struct rk_exports **e)
{
	rk_exports_free(*e);
}
#define _cleanup_exports_ _cleanup_(rk_cleanup_exports)

#endif
