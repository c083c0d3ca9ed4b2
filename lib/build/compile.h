/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compiling one translation unit as the distribution did: kbuild says how (gcc and objtool commands, once per unit and
 * target), we run the commands ourselves, for the original tree and for a patched view, with -ffunction-sections
 * -fdata-sections added, output outside the tree. Original objects are cached by content.
 */
#ifndef RK_BUILD_COMPILE_H
#define RK_BUILD_COMPILE_H

#include "lib/base/finding.h"
#include "lib/base/sha256.h"
#include "lib/source/view.h"
#include "lib/target/target.h"

/* How kbuild compiles one unit. */
struct rk_recipe {
	const char *unit; /* "net/ipv4/tcp_input.c" */
	const char *
		input; /* as the compiler is to be given it: unit, or a path with ".." as kbuild writes it */
	const char *object; /* klp object: "vmlinux" or the module's name */
	const char *
		module_path; /* "kernel/net/key/af_key.ko" without suffix details, or NULL for vmlinux */
	const char *const
		*cc_argv; /* compiler with all flags, without -c, -o, -MMD and the input */
	const char *const *
		objtool_argv; /* objtool with its flags, without the object; NULL if it isn't run */
};

struct rk_kbuild; /* kbuild of one target: dumped environment, recipes by unit */

/* Opens (and at the first time dumps) kbuild's environment for target. */
struct rk_err *rk_kbuild_open(const struct rk_target *target, const struct rk_reporter *reporter,
			      struct rk_kbuild **ret) __must_use;
void rk_kbuild_close(struct rk_kbuild *kbuild);

/* The recipe of unit. A file that isn't compiled itself but included by one that is (kernel/sched/rt.c) gets the recipe of that
 * one: its unit then is another. When the unit isn't compiled in this configuration *ret is NULL and *ret_reason says why, in kbuild's terms
 * ("CONFIG_X25 is not set", "for another machine", "not named by net/foo/Makefile"); it lives as long as kbuild. */
struct rk_err *rk_kbuild_recipe(struct rk_kbuild *kbuild, const char *unit,
				const struct rk_recipe **ret, const char **ret_reason) __must_use;

/* Is path compiled, or assembled, by itself in this configuration? Unlike its recipe, which costs a run of make, it is read from what its directory's
 * Makefile lists. */
struct rk_err *rk_kbuild_is_unit(struct rk_kbuild *kbuild, const char *path, bool *ret) __must_use;

/* The units that read a header (or another file that is included). */
struct rk_users {
	rk_vec(const struct rk_recipe *) units; /* by path; they live as long as kbuild */
	size_t candidates;			/* C files that include it, in any configuration */
	bool is_complete; /* false: there are more than asked for, and units is not all of them */
};

/* Finds at most max of them, by the text of #include lines: there may be some too many (the compiled unit's deps tell), never
 * one too few. header may be a C file, which is its own user if it is compiled by itself. Takes seconds the first time for a
 * tree, which then keeps the lines; then milliseconds for a C file. */
struct rk_err *rk_kbuild_users(struct rk_kbuild *kbuild, const char *header, size_t max,
			       struct rk_users *ret) __must_use;
void rk_users_deinit(struct rk_users *users);

/* One unit to compile. */
struct rk_compile_job {
	const struct rk_recipe *recipe;
	const char *output; /* object to write, absolute */
	const char *root;   /* cwd: source tree or view */
	bool is_original;   /* may come from and go to the object cache */
	bool may_fail; /* a compiler error is this job's own: error is set, the other jobs go on */
	const char *const
		*extra; /* more compiler options (tests: "-O3"), NULL-terminated or NULL */
	/* results */
	double seconds; /* of the compiler and objtool, 0 from the cache */
	bool from_cache;
	bool failed;	      /* the error is about this one */
	struct rk_err *error; /* only with may_fail: there is no output */
	char **deps; /* files read, relative to root where below it; NULL-terminated, malloc'ed (each too) */
};

/* Runs all jobs, at most `parallel` at a time (0: processors). The first compiler error is returned with the compiler's own
 * message first (RK_ERR_COMPILE), after the running ones ended; on error no output is left behind. */
struct rk_err *rk_compile(struct rk_kbuild *kbuild, struct rk_compile_job *jobs, size_t nr,
			  unsigned int parallel, const struct rk_reporter *reporter) __must_use;

/* Hash of the text that the compiler gets to see of job's unit, without the numbers of lines; sets job->deps. Files are written below
 * dir, and gone in the end. Any number of threads at once. Errors: RK_ERR_TOOL when it can't be preprocessed. */
struct rk_err *rk_preprocess(struct rk_compile_job *job, const char *dir,
			     char ret_hex[RK_SHA256_HEX_SIZE]) __must_use;

/* Frees the results of jobs. */
void rk_compile_jobs_deinit(struct rk_compile_job *jobs, size_t nr);

/* Does deps name an unchanged copy of a file that the view changes? Its path, or NULL. */
const char *rk_compile_stale_dep(const struct rk_compile_job *job, const struct rk_view *view);

#endif
