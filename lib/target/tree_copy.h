/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A user's kernel tree: what state it is in, and a private copy of it that may be prepared. */
#ifndef RK_TARGET_TREE_COPY_H
#define RK_TARGET_TREE_COPY_H

#include "lib/base/err.h"
#include "lib/base/progress.h"
#include "lib/base/sha256.h"

/* Adds path, size and time of every source file below dir to hash: any edit gives another hash. */
struct rk_err *rk_tree_state(const char *dir, struct rk_sha256 *hash) __must_use;

/* Copies what compiling needs of the tree to to/, without what a build left in it, and writes the list of all
 * its source files to list. Errors: RK_ERR_SYS, RK_ERR_INTERRUPTED. */
struct rk_err *rk_tree_copy(const char *from, const char *to, const char *list,
			    const struct rk_reporter *reporter) __must_use;

#endif
