/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Linking: the diffs of all units become one plan. Included spans are placed in sections, every reference gets a symbol that is defined
 * in the patch, exported by the kernel, or found by livepatch at load, as the target's own tables say; what can't be reached is a finding.
 */
#ifndef RK_PATCH_LINK_H
#define RK_PATCH_LINK_H

#include "lib/diff/diff.h"
#include "lib/patch/plan.h"
#include "lib/target/proof.h"
#include "lib/target/symbols.h"

/* One translation unit with what is known about its place in the shipped binary. All borrowed. */
struct rk_link_unit {
	const struct rk_diff *diff;
	const struct rk_owner *owner;
	const struct rk_proof *proof;
};

/* Makes the plan. Negative verdicts go to findings (what the diffs found is not repeated there); the plan is complete only if no
 * error-level finding was added. The plan borrows nothing: units and symbols may go afterwards. */
struct rk_err *rk_link(struct rk_symbols *symbols, const struct rk_link_unit *units, size_t nr,
		       struct rk_findings *findings, struct rk_plan **ret) __must_use;

#endif
