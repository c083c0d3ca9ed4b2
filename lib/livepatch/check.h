/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What can be known before a patch is loaded: whether it is for this kernel and for the modules as they are, whether the kernel will take
 * it, who else has his hands on the functions it replaces, and who will hold it up. The kernel finds most of that too, but says
 * only an errno, or nothing.
 */
#ifndef RK_LIVEPATCH_CHECK_H
#define RK_LIVEPATCH_CHECK_H

#include "lib/livepatch/plan.h"

enum rk_check_result {
	RK_CHECK_OK,
	RK_CHECK_UNKNOWN, /* what it takes can't be seen here; the text says why */
	RK_CHECK_WARNING, /* it will work, with something that should be known */
	RK_CHECK_ERROR,	  /* it must not be loaded, or the kernel will refuse it */
	RK_CHECK_RESULTS
};

/* "ok", "unknown", "warning", "error": part of --json. */
const char *rk_check_result_name(enum rk_check_result result);

struct rk_check {
	/* "module", "kernel", "objects", "signature", "ftrace", "patches", "probes", "tasks": part of --json */
	const char *name;
	enum rk_check_result result;
	enum rk_err_code code; /* of an error */
	const char *text;      /* one line */
	const char *detail;    /* lines separated by '\n', a task's stack; "" for most */
};

struct rk_checks {
	struct rk_arena arena;
	rk_vec(struct rk_check)
		list; /* in the order they were made; a check may have several lines */
};

/* Makes all checks, also after one that failed; one whose precondition failed is left out. path is for messages. Errors are those of
 * looking (RK_ERR_SYS, RK_ERR_NOMEM), never what was found. */
struct rk_err *rk_livepatch_check(const struct rk_livepatch_roots *roots, const char *path,
				  const struct rk_module_info *info,
				  const struct rk_running *running,
				  const struct rk_livepatch_plan *plan, struct rk_checks *ret)
	__must_use;
void rk_checks_deinit(struct rk_checks *checks);

/* A new error made of the first check that is an error; NULL when there is none. */
struct rk_err *rk_checks_error(const struct rk_checks *checks) __must_use;

#define _cleanup_checks_ _cleanup_(rk_checks_deinit)

#endif
