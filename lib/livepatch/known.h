/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is known of a patch that is loaded: the kernel keeps no manifest, so that whoever loads writes down what the file said. A record
 * counts only while its build-id is that of the loaded module, and lives no longer than the kernel that runs.
 */
#ifndef RK_LIVEPATCH_KNOWN_H
#define RK_LIVEPATCH_KNOWN_H

#include "lib/livepatch/livepatch.h"
#include "lib/patch/module.h"

struct rk_livepatch_known {
	char *path;	/* of the file it was loaded from; NULL: not known */
	char *sha256;	/* of that file; NULL: not known */
	char *build_id; /* of the module, as the kernel shows it; NULL: it shows none */
	struct rk_manifest *manifest; /* NULL: not known, or the module has none */
};

/* Writes <roots->run>/NAME.json for a module that is, or will be, loaded from path. */
struct rk_err *rk_livepatch_remember(const struct rk_livepatch_roots *roots, const char *path,
				     const struct rk_module_info *info) __must_use;
void rk_livepatch_forget(const struct rk_livepatch_roots *roots, const char *name);

/* From the record, else from the installed file of that name and build-id. Knowing nothing is no error, nor is a record that can't be read:
 * everything is NULL then. */
struct rk_err *rk_livepatch_recall(const struct rk_livepatch_roots *roots, const char *release,
				   const char *name, struct rk_livepatch_known *ret) __must_use;
void rk_livepatch_known_deinit(struct rk_livepatch_known *known);

/* Part of the one series of cumulative patches: it has a manifest and takes the place of all others. */
bool rk_livepatch_is_cumulative(const struct rk_manifest *manifest);

#define _cleanup_known_ _cleanup_(rk_livepatch_known_deinit)

#endif
