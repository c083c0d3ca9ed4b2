/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Patches that are installed: <store>/<uname -r>/<module name>.ko, from where they are loaded at boot. */
#ifndef RK_LIVEPATCH_STORE_H
#define RK_LIVEPATCH_STORE_H

#include "lib/livepatch/known.h"

struct rk_installed {
	char *name;    /* of the module, by its file */
	char *release; /* of the kernel */
	char *path;
	struct rk_err *error; /* why the file can't be read; what follows isn't known then */
	bool has_manifest;
	bool is_cumulative;
	uint64_t level; /* 0 without a manifest, as the next */
	size_t nr_fixes;
};

struct rk_installed_list {
	rk_vec(struct rk_installed) list; /* by release, then by name */
};

/* release NULL: of all kernels. An absent store is an empty list; a file that can't be read is an entry with an error. */
struct rk_err *rk_installed_list(const struct rk_livepatch_roots *roots, const char *release,
				 struct rk_installed_list *ret) __must_use;
void rk_installed_list_deinit(struct rk_installed_list *list);

/* The installed file of a module's name ("kpatch-fix", "kpatch_fix.ko"); *ret malloc'ed, NULL when there is none. A name with a
 * '/' is RK_ERR_INVALID. */
struct rk_err *rk_installed_find(const struct rk_livepatch_roots *roots, const char *release,
				 const char *name, char **ret) __must_use;

/* Copies a patch made for release into the store, atomically and durably. *ret_there: this very file is already installed. Errors:
 * RK_ERR_MISMATCH (another kernel's), RK_ERR_UNSUPPORTED (no live patch), RK_ERR_INVALID (another module of that name is
 * installed; a release that is no file name). */
struct rk_err *rk_installed_add(const struct rk_livepatch_roots *roots, const char *release,
				const char *path, const struct rk_module_info *info,
				bool *ret_there) __must_use;

/* Removes it durably; a loaded patch stays loaded. RK_ERR_NOT_FOUND. */
struct rk_err *rk_installed_remove(const struct rk_livepatch_roots *roots, const char *release,
				   const char *name) __must_use;

/*
 * The order in which what is installed is tried: the cumulative patches by falling level, of which one is enough, then the others by
 * name; files that can't be read come last, so that whoever loads can tell of them. As many pointers into list as it has, malloc'ed.
 */
struct rk_err *rk_installed_order(const struct rk_installed_list *list,
				  const struct rk_installed ***ret) __must_use;

/* "dir/kpatch-fix.ko", "kpatch-fix" and "kpatch_fix" are the module kpatch_fix. malloc'ed, NULL without memory. */
char *rk_livepatch_module_name(const char *text) __must_use;

#define _cleanup_installed_ _cleanup_(rk_installed_list_deinit)

#endif
