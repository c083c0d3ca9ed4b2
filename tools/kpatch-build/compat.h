/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an engineer's scripts for kpatch-build 0.9 may say and this program has no use for: said so, never taken for something else. */
#ifndef RK_TOOLS_KPATCH_BUILD_COMPAT_H
#define RK_TOOLS_KPATCH_BUILD_COMPAT_H

#include "tools/common/option.h"

/* A member of the build's values. */
struct compat_values {
	const char *sourcerpm;
	struct rk_strings oot_modules;
	const char *oot_source;
	bool debug, skip_cleanup;
};

/* clang-format off */
#define RK_OPT_COMPAT(type, member) \
	RK_OPT_GROUP("as in kpatch-build 0.9"), \
	RK_OPT_FLAG('d', "debug", type, member.debug, "keep the work in a new directory, and say more"), \
	RK_OPT_FLAG(0, "skip-cleanup", type, member.skip_cleanup, "keep the work in a new directory"), \
	RK_OPT_STR('r', "sourcerpm", type, member.sourcerpm, "FILE", "not supported; says what to do instead"), \
	RK_OPT_LIST(0, "oot-module", type, member.oot_modules, "FILE", "not supported"), \
	RK_OPT_STR(0, "oot-module-src", type, member.oot_source, "DIR", "not supported")
/* clang-format on */

/* RK_ERR_INVALID for what isn't supported, with what to do instead. */
struct rk_err *compat_check(const struct compat_values *v) __must_use;

/* Is the work to be kept where --keep names no directory? */
bool compat_keeps_work(const struct compat_values *v);

#endif
