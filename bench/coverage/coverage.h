/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of the corpus runner share. The result of a fix is a JSON object from the start: it is kept as a file, so that a run
 * that was stopped goes on, and the table, the page and the text are written from these objects and nothing else.
 */
#ifndef RK_BENCH_COVERAGE_COVERAGE_H
#define RK_BENCH_COVERAGE_COVERAGE_H

#include <jansson.h>

#include "bench/coverage/form.h"
#include "bench/coverage/trees.h"
#include "lib/base/process.h"
#include "lib/base/progress.h"
#include "lib/base/sha256.h"

/* How a fix ended; the names are in the table. */
enum cov_outcome {
	COV_BUILT,	   /* with nothing to acknowledge */
	COV_ACKNOWLEDGED,  /* built after every finding to think about was accepted */
	COV_REFUSED,	   /* findings of severity error */
	COV_INCOMPLETE,	   /* as cut from the two trees it doesn't compile */
	COV_ERROR,	   /* the tool failed or crashed */
	COV_NO_EFFECT,	   /* compiled, but the object code is the same */
	COV_NOT_COMPILED,  /* this kernel compiles none of its files */
	COV_NO_DIFFERENCE, /* its files are the same in both trees */
	COV_OUTCOMES
};
const char *cov_outcome_name(enum cov_outcome outcome);
/* Is it one of the fixes that matter to this kernel: all but the last three? */
bool cov_outcome_counts(enum cov_outcome outcome);
/* COV_OUTCOMES if there is none of that name. */
enum cov_outcome cov_outcome_of(const json_t *result);

/* What all builds of a run have in common. */
struct cov_run {
	const char *const *target_args; /* NULL-terminated: "--target", "debian:…" */
	const struct cov_trees *trees;
	const struct cov_fixes *fixes;
	const char *state; /* directory of this target and version, absolute */
	char tool_sha256[RK_SHA256_HEX_SIZE];
	unsigned int jobs;     /* builds side by side */
	const char *jobs_each; /* compilers of one build: "1" */
	bool keep_older;       /* results of another build of kpatch-build stand */
	const struct rk_reporter *reporter;
};

/* One call of a tool of ours with --json. json is NULL where it printed none. */
struct cov_call {
	struct rk_process_result process;
	json_t *json;
};
struct rk_err *cov_call(const char *const *argv, unsigned int timeout_ms, struct cov_call *ret)
	__must_use;
void cov_call_deinit(struct cov_call *call);
#define _cleanup_cov_call_ _cleanup_(cov_call_deinit)

/* A list of words that grows, for command lines. */
struct cov_words {
	rk_vec(const char *) list;
	bool failed;
};
void cov_words_add(struct cov_words *words, const char *word);
/* NULL-terminates; NULL without memory. */
const char *const *cov_words_end(struct cov_words *words);
void cov_words_deinit(struct cov_words *words);
#define _cleanup_cov_words_ _cleanup_(cov_words_deinit)

struct cov_paths {
	rk_vec(const char *) list;
};
/* Writes the difference of files as a patch with the fix's title and CVEs, without the hunks that add one of left_out's words;
 * *ret_differs: there is any. */
struct rk_err *cov_cut(const struct cov_trees *trees, const struct cov_fix *fix,
		       const struct cov_paths *files, const struct cov_paths *left_out,
		       const char *path, bool *ret_differs) __must_use;
/* Appends one file's difference without the hunks that add a line with one of the words; nothing if that is all of them. */
struct rk_err *cov_leave_out(const char *diff, const struct cov_paths *words, struct rk_str *patch)
	__must_use;
/* Builds one fix in dir (made empty): fix.patch, the module, and what is returned. The patch is
 * completed with declarations from other files where it doesn't compile without. A fix that can't be built is no error. */
struct rk_err *cov_build_fix(const struct cov_run *run, const struct cov_fix *fix, const char *dir,
			     json_t **ret) __must_use;

/* All fixes, or those named in only: those whose kept result is of another tool or of other
 * input are built, or all named ones. */
struct rk_err *cov_build_all(const struct cov_run *run, const struct rk_map *only) __must_use;

/* Loads and unloads in QEMU every module that was built and not loaded yet, or those of only again; the verdicts go into the
 * kept results. Errors: kpatch-test itself fails. */
struct rk_err *cov_load_all(const struct cov_run *run, const struct rk_map *only) __must_use;

/* All fixes that were built as one module, loaded and unloaded: {"outcome", "fixes", "functions", "seconds", "load", …}, a new
 * reference; NULL if none was built. Files that several fixes carry are in it once. */
struct rk_err *cov_cumulative(const struct cov_run *run, json_t **ret) __must_use;
/* Some that were built, built again on another path with other -j: {"fixes", "same", "different"}, a new reference. */
struct rk_err *cov_repeat(const struct cov_run *run, json_t **ret) __must_use;

/* "<state>/fixes/<id>", malloc'ed, NULL without memory. */
char *cov_fix_dir(const struct cov_run *run, const char *id) __must_use;
/* The kept result of a fix, a new reference; NULL if there is none. */
json_t *cov_load_result(const struct cov_run *run, const char *id);
struct rk_err *cov_save_result(const struct cov_run *run, const char *id, const json_t *result)
	__must_use;

/* The files that must be added to a fix so that message, what the compiler said, isn't said any more: those
 * which declare what it doesn't know. Best first; none if nothing in it is understood. Strings are the trees'. */
struct rk_err *cov_missing_declarations(const struct cov_trees *trees, const char *message,
					struct cov_paths *ret) __must_use;

/* The word that message complains about and that the fix's own C files add, malloc'ed; *ret is NULL if there is none. */
struct rk_err *cov_unknown_word(const struct cov_trees *trees, const struct cov_fix *fix,
				const char *message, char **ret) __must_use;

#endif
