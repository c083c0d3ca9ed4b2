/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files that make checks share. */
#ifndef RK_LIVEPATCH_CHECK_INTERNAL_H
#define RK_LIVEPATCH_CHECK_INTERNAL_H

#include "lib/livepatch/check.h"

/* What a check looks at, and where it puts what it found. */
struct rk_checking {
	const struct rk_livepatch_roots *roots;
	const char *path; /* of the module, for messages */
	const struct rk_module_info *info;
	const struct rk_running *running;
	const struct rk_livepatch_plan *plan;
	struct rk_checks *checks;
};

/* Adds a line to the result. */
struct rk_err *rk_check_add(const struct rk_checking *c, const char *name,
			    enum rk_check_result result, const char *fmt, ...)
	__must_use __printf(4, 5);
/* An error's code and text become a line; err is consumed. NULL adds nothing. */
struct rk_err *rk_check_add_error(const struct rk_checking *c, const char *name, struct rk_err *err)
	__must_use;

/* The checks of who uses the functions. They need the manifest's list of them. */
struct rk_err *rk_check_patches(const struct rk_checking *c) __must_use;
struct rk_err *rk_check_probes(const struct rk_checking *c) __must_use;
struct rk_err *rk_check_tasks(const struct rk_checking *c) __must_use;

/* What modprobe would load; all NULL when it knows no such module. */
struct rk_stock_module {
	const char *path;
	struct rk_running_module id; /* not known for a compressed file */
};

/* By <roots->modules>/RELEASE/modules.dep (depmod). Strings are in arena. Errors: RK_ERR_SYS, RK_ERR_FORMAT (the file is no module). */
struct rk_err *rk_stock_module(const struct rk_livepatch_roots *roots, const char *release,
			       const char *name, struct rk_arena *arena,
			       struct rk_stock_module *ret) __must_use;

#endif
