/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making a source tree ready to compile single files of it exactly as the shipped kernel was compiled. */
#ifndef RK_TARGET_PREPARE_H
#define RK_TARGET_PREPARE_H

#include <stdbool.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/progress.h"

struct rk_prepare {
	const char *source;	  /* the tree; written to */
	const char *config;	  /* the shipped kernel's complete .config */
	const char *symvers;	  /* its Module.symvers, or NULL */
	const char *release;	  /* KERNELRELEASE */
	const char *cc;		  /* compiler to run */
	const char *log;	  /* gets make's output */
	unsigned int jobs;	  /* 0: number of processors */
	bool skip_compiler_check; /* options that follow the compiler may then differ from config's */
	const struct rk_reporter *reporter;
};

/* Whether everything that preparing runs is installed: RK_ERR_NOT_FOUND names programs and packages. */
struct rk_err *rk_prepare_check_tools(const char *cc) __must_use;

/* Runs make olddefconfig, prepare, modules_prepare. Reports nothing, so that it can run beside other work. Errors:
 * RK_ERR_TOOL with the last lines and the log's path, RK_ERR_SYS (ENOSPC), RK_ERR_INTERRUPTED. */
struct rk_err *rk_prepare_run(const struct rk_prepare *prepare) __must_use;

/* Whether the prepared tree's options are still config's: kbuild adapts them silently to the tools it finds.
 * RK_ERR_MISMATCH names them; with skip_compiler_check that becomes a note. */
struct rk_err *rk_prepare_check(const struct rk_prepare *prepare) __must_use;

/* The compiler to run for a kernel whose CONFIG_CC_VERSION_TEXT is text: wanted if given, else the first word
 * of text. Allocated in arena. */
struct rk_err *rk_prepare_compiler(const char *text, const char *wanted, struct rk_arena *arena,
				   const char **ret) __must_use;

/* Whether cc is the compiler that text names (its own name, the first word, doesn't count): RK_ERR_MISMATCH
 * says both and the way out; with skip that becomes a note. RK_ERR_NOT_FOUND if cc isn't installed. */
struct rk_err *rk_prepare_check_compiler(const char *cc, const char *text, bool skip,
					 const struct rk_reporter *reporter) __must_use;

#endif
