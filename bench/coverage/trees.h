/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two source trees that fixes are cut from: the target's own, and that of the newer package. */
#ifndef RK_BENCH_COVERAGE_TREES_H
#define RK_BENCH_COVERAGE_TREES_H

#include <stdbool.h>

#include "bench/coverage/form.h"
#include "lib/base/progress.h"
#include "lib/base/str.h"
#include "lib/target/target.h"

struct cov_trees {
	struct rk_arena arena;
	const char *older, *newer;    /* directories, absolute */
	rk_vec(const char *) changed; /* C files and headers that differ, or that only newer has */
};

/* Where the newer package is unpacked (dir, made if absent; it stays) and compared with the target's tree, once. The package is
 * linux-source-SERIES in that version, from apt. Errors: RK_ERR_NOT_FOUND says which versions are on offer. */
struct rk_err *cov_trees_open(const struct rk_target *target, const char *version, const char *dir,
			      bool offline, const struct rk_reporter *reporter,
			      struct cov_trees *ret) __must_use;
/* The same with two directories that are there, each with source.sha256 beside it. They must outlive it. */
struct rk_err *cov_trees_compare(const char *older, const char *newer, struct cov_trees *ret)
	__must_use;
void cov_trees_deinit(struct cov_trees *trees);

/* What a file of a fix is in the two trees. */
enum cov_file_state {
	COV_FILE_DIFFERS,
	COV_FILE_SAME,	  /* the older tree has the fix already, or the newer one lost it again */
	COV_FILE_OUTSIDE, /* in neither: another architecture's, documentation, tests */
};
const char *cov_file_state_name(enum cov_file_state state);

struct rk_err *cov_trees_state(const struct cov_trees *trees, const char *path,
			       enum cov_file_state *ret) __must_use;

/* Appends the difference of one file as a unified diff: nothing if there is none. */
struct rk_err *cov_trees_diff(const struct cov_trees *trees, const char *path, struct rk_str *patch)
	__must_use;

/* Is word in a line that the newer tree's file has more; with defines, in one that may begin the definition of a function? */
struct rk_err *cov_trees_adds_word(const struct cov_trees *trees, const char *path,
				   const char *word, bool defines, bool *ret) __must_use;
/* Is word in line, as a whole? */
bool cov_has_word(const char *line, const char *word);
/* May c be part of an identifier? */
bool cov_is_word_char(char c);

#define _cleanup_cov_trees_ _cleanup_(cov_trees_deinit)

#endif
