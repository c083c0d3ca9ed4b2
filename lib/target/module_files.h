/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files of modules in a directory, whatever else is there: a distribution's lib/modules or the tree of a kernel that was built here. */
#ifndef RK_TARGET_MODULE_FILES_H
#define RK_TARGET_MODULE_FILES_H

#include <stdbool.h>
#include <sys/stat.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"

/* The module's name for a path of its file, in arena: "kernel/net/nf-tables.ko" → "nf_tables"; also "….ko.debug". *ret is NULL if it is none. */
struct rk_err *rk_module_name(struct rk_arena *arena, const char *path, const char **ret)
	__must_use;

/* One module; *ret_stop ends the walk. */
typedef struct rk_err *(*rk_module_file_fn)(void *ctx, const char *name, const char *path,
					    const struct stat *st, bool *ret_stop);

/* Calls fn for each module below dir, in a stable order. Errors: RK_ERR_SYS, fn's. */
struct rk_err *rk_module_files(const char *dir, rk_module_file_fn fn, void *ctx) __must_use;

#endif
