/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The phases, one file each. */
#ifndef RK_PIPELINE_INTERNAL_H
#define RK_PIPELINE_INTERNAL_H

#include "lib/base/str.h"
#include "lib/pipeline/build.h"

struct rk_err *rk_build_source(struct rk_build *build) __must_use;
/* The part of phase source that finds the units changed headers reach. */
struct rk_err *rk_build_headers(struct rk_build *build) __must_use;
/* Findings about copies of changed inline functions in units that aren't compiled; a part of phase source. */
struct rk_reach_header;
struct rk_err *rk_build_inlines(struct rk_build *build, const struct rk_reach_header *headers,
				size_t nr) __must_use;
struct rk_err *rk_build_compile(struct rk_build *build) __must_use;
struct rk_err *rk_build_proof(struct rk_build *build) __must_use;
struct rk_err *rk_build_diff(struct rk_build *build) __must_use;
/* Findings about CRCs of exports, where the diffs found a type or prototype changed; a part of the diff. */
struct rk_err *rk_build_exports(struct rk_build *build) __must_use;
struct rk_err *rk_build_link(struct rk_build *build) __must_use;
struct rk_err *rk_build_module(struct rk_build *build) __must_use;

/* Marks the findings that a human has accepted. */
struct rk_err *rk_build_accept(struct rk_build *build) __must_use;
/* More compiler options for patched units: where the headers for authors of fixes are, and those of the build's options. */
struct rk_err *rk_build_author_flags(struct rk_build *build, const char *const **ret) __must_use;

/* Opens both objects of a unit that is compiled. One that is there for a header alone and has the same code in both is marked is_same
 * instead, and its objects are removed. */
struct rk_err *rk_build_load(struct rk_build_unit *unit) __must_use;
/* Takes the units marked is_same out of the list. */
struct rk_err *rk_build_forget_same(struct rk_build *build) __must_use;

/* fixes.c: sets the fixes of the units that the jobs have compiled. */
struct rk_err *rk_build_note_fixes(struct rk_build *build, struct rk_build_unit *units,
				   const struct rk_compile_job *patched, size_t nr) __must_use;
/* Adds to a compiler's error which fixes change the unit; err is consumed. */
struct rk_err *rk_build_name_fixes(struct rk_build *build, struct rk_err *err) __must_use;

/* Adds a unit that isn't there yet. */
struct rk_err *rk_build_add_unit(struct rk_build *build, const struct rk_recipe *recipe,
				 const char *reason) __must_use;
/* Is the klp object among those to build for? */
bool rk_build_is_asked_for(const struct rk_build *build, const char *object);
/* Is the unit among those that the part of the session being built holds? */
bool rk_build_is_in_part(const struct rk_build *build, const char *unit);

/* functions.c: says of each fix in the manifest which functions it changes; the fixes are there in the order of the options. */
struct rk_err *rk_build_add_functions(struct rk_build *build) __must_use;

/* Fills build->manifest from everything before. */
struct rk_err *rk_build_manifest(struct rk_build *build) __must_use;

/* "<work>/<folder>/<name>" in the arena, the folder made. */
struct rk_err *rk_build_path(struct rk_build *build, const char *folder, const char *name,
			     const char **ret) __must_use;
/* Writes text there. */
struct rk_err *rk_build_leave(struct rk_build *build, const char *folder, const char *name,
			      const char *text) __must_use;

#endif
