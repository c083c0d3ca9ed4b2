/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside lib/target: from what the user wrote to a target in the cache. */
#ifndef RK_TARGET_RESOLVE_H
#define RK_TARGET_RESOLVE_H

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/target/cache.h"
#include "lib/target/target.h"

/* What a spec means. */
struct rk_spec {
	struct rk_arena arena;
	const char *id;		     /* "debian:REL" */
	const char *release;	     /* NULL for a "path:" id */
	const char *version;	     /* "running": the uname -v it must have; else NULL */
	const char *package_version; /* "running": the Debian version it must have; else NULL */
	const char *build_id;	     /* "running": of the running kernel, NULL if it doesn't tell */
};

void rk_spec_deinit(struct rk_spec *spec);
#define _cleanup_spec_ _cleanup_(rk_spec_deinit)

/* "debian:REL", "path:HASH" (in the cache only) or "running". RK_ERR_INVALID says which forms there are. */
struct rk_err *rk_spec_parse(const char *spec, struct rk_spec *ret) __must_use;

/* "running": the kernel this process runs on, if it is Debian's. RK_ERR_UNSUPPORTED else. */
struct rk_err *rk_spec_running(struct rk_spec *ret) __must_use;

/* Fills target from the parts that slot has (records of the wanted parts must be there). */
struct rk_err *rk_target_describe(const struct rk_cache_slot *slot, enum rk_target_parts parts,
				  struct rk_target *target) __must_use;

/* By release, oldest first. */
void rk_target_list_sort(struct rk_target_list *list);

/* The target of explicit paths; a private prepared copy of the tree is made where needed. */
struct rk_err *rk_target_open_paths(enum rk_target_parts parts,
				    const struct rk_target_options *options, struct rk_target *ret)
	__must_use;

#endif
