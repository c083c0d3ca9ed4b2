/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A cumulative module takes the place of the one before it while both are loaded for a moment: it must be for the same kernel, hold all that the
 * old one did, and know what the old one leaves behind (states, shadow variables, callbacks).
 */
#ifndef RK_PATCH_SUPERSEDE_H
#define RK_PATCH_SUPERSEDE_H

#include "lib/base/finding.h"
#include "lib/patch/module.h"

/* Can a module of this name and level for the target take base's place at all? path is base's, for messages. Errors: RK_ERR_INVALID: base
 * isn't one of our modules, has the same name (the kernel holds both while it changes over), the level isn't greater, or one of those that base
 * supersedes is the new one or base itself; RK_ERR_MISMATCH: another kernel. */
struct rk_err *rk_supersede_check(const struct rk_module_info *base, const char *path,
				  const char *name, uint64_t level, const char *target_id,
				  const char *target_version, const char *target_build_id)
	__must_use;

/* Sets next->supersedes to base and those it superseded. The strings are copied into next. */
struct rk_err *rk_supersede_record(struct rk_manifest *next, const struct rk_module_info *base)
	__must_use;

/* What of base isn't in next: fixes, states, shadow ids, callbacks; a finding each. */
struct rk_err *rk_supersede_compare(const struct rk_manifest *next, const struct rk_manifest *base,
				    struct rk_findings *findings) __must_use;

#endif
