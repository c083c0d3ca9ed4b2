/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How far a changed declaration of a header reaches, by names: what mentions it (a macro, an inline function, a type of
 * any header) is reached too, and so on, until nothing new is; then every C file that reads one of the headers and mentions a reached
 * name, and every assembly file that mentions a reached macro. Names are compared, not meanings, so the answer may have files too many; what is put together by ## from two
 * arguments isn't seen.
 */
#ifndef RK_BUILD_REACH_H
#define RK_BUILD_REACH_H

#include "lib/build/compile.h"
#include "lib/source/declarations.h"

/* A header and what the fix changes in it; borrowed. */
struct rk_reach_header {
	const char *path;
	const struct rk_decl_change *changes;
	size_t nr_changes;
};

/* A C or assembly file that is reached, and by which change first. */
struct rk_reached_file {
	const char *path;
	size_t header, change; /* places in the arrays above */
};

struct rk_reach {
	struct rk_arena arena;
	rk_vec(struct rk_reached_file) files; /* by path; in any configuration */
	size_t readers; /* of these files, those that read one of the headers */
	size_t names;	/* reached, the changed ones among them */
};

struct rk_err *rk_kbuild_reach(struct rk_kbuild *kbuild, const struct rk_reach_header *headers,
			       size_t nr, struct rk_reach *ret) __must_use;
void rk_reach_deinit(struct rk_reach *reach);

#define _cleanup_reach_ _cleanup_(rk_reach_deinit)

#endif
