/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The phases, one file each. */
#ifndef RK_PIPELINE_INTERNAL_H
#define RK_PIPELINE_INTERNAL_H

#include "lib/base/str.h"
#include "lib/pipeline/build.h"

struct rk_err *rk_build_source(struct rk_build *build) __must_use;
struct rk_err *rk_build_compile(struct rk_build *build) __must_use;
struct rk_err *rk_build_proof(struct rk_build *build) __must_use;
struct rk_err *rk_build_diff(struct rk_build *build) __must_use;
struct rk_err *rk_build_link(struct rk_build *build) __must_use;
struct rk_err *rk_build_module(struct rk_build *build) __must_use;

/* Marks the findings that a human has accepted. */
struct rk_err *rk_build_accept(struct rk_build *build) __must_use;
/* More compiler options for patched units: where the headers for authors of fixes are, and those of the build's options. */
struct rk_err *rk_build_author_flags(struct rk_build *build, const char *const **ret) __must_use;

/* Fills build->manifest from everything before. */
struct rk_err *rk_build_manifest(struct rk_build *build) __must_use;

/* "<work>/<folder>/<name>" in the arena, the folder made. */
struct rk_err *rk_build_path(struct rk_build *build, const char *folder, const char *name,
			     const char **ret) __must_use;
/* Writes text there. */
struct rk_err *rk_build_leave(struct rk_build *build, const char *folder, const char *name,
			      const char *text) __must_use;

#endif
