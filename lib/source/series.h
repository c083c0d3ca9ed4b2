/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A series: the fixes of one build in the order they apply, from wherever their author keeps them: patch files, a directory, quilt's
 * series file, a range of commits.
 */
#ifndef RK_SOURCE_SERIES_H
#define RK_SOURCE_SERIES_H

#include "lib/base/progress.h"
#include "lib/source/patch_file.h"

struct rk_series {
	rk_vec(struct rk_patch_file *) patches; /* owned */
};

/* Appends what path names: a directory means its series file or, without one, its *.patch and *.diff sorted by name; a file called
 * "series" or "*.series" is one; any other file is a patch. A patch's side file ("<patch>.json") is read with it.
 * Errors: RK_ERR_SYS, RK_ERR_NOT_FOUND (nothing in it; a patch the series file names is missing), RK_ERR_LIMIT, those of the parsers. */
struct rk_err *rk_series_add(struct rk_series *series, const char *path) __must_use;

/* Appends the commits of range ("v6.1.170..v6.1.171") of the repository in order, merges left out with a note. Their diffs are
 * written to dir, which must exist. git isn't let near the network and its configuration doesn't change the diffs. Errors:
 * RK_ERR_INVALID (no range), RK_ERR_NOT_FOUND (no commit in it), RK_ERR_TOOL, RK_ERR_LIMIT. */
struct rk_err *rk_series_add_commits(struct rk_series *series, const char *repository,
				     const char *range, const char *dir,
				     const struct rk_reporter *reporter) __must_use;

void rk_series_deinit(struct rk_series *series);

/* ---- series files ---- */

#define RK_STRIP_DEFAULT UINT32_MAX /* no -pN: what the tree suggests, one directory or none */

struct rk_series_line {
	const char *path; /* as written */
	uint32_t strip;
	uint32_t line; /* of the file */
};

struct rk_series_lines {
	struct rk_arena arena;
	rk_vec(struct rk_series_line) list;
};

/* Reads a series file as quilt does: a patch a line, options behind it, comments from '#'. Only -pN is an option here: a
 * patch that is to be reversed (-R) is RK_ERR_UNSUPPORTED. Errors: RK_ERR_FORMAT with the line, RK_ERR_LIMIT. */
struct rk_err *rk_series_parse(const char *name, const char *data, size_t len,
			       struct rk_series_lines *ret) __must_use;
void rk_series_lines_deinit(struct rk_series_lines *lines);

#define _cleanup_series_ _cleanup_(rk_series_deinit)

#endif
