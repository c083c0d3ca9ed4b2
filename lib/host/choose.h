/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which level this host should run: the newest that is installed and that nothing forbids; after a crash the newest that was
 * good. Pure: everything that decides is an argument, and every level that is passed over is told with its reason.
 */
#ifndef RK_HOST_CHOOSE_H
#define RK_HOST_CHOOSE_H

#include "lib/host/patches.h"
#include "lib/host/state.h"

enum rk_passed {
	RK_PASSED_NOT, /* it is the choice, or older than the choice and nothing is against it */
	RK_PASSED_BLOCKED_HERE,
	RK_PASSED_BLOCKED_BY_VENDOR,
	RK_PASSED_FROZEN,
	RK_PASSED_WITHDRAWN,
	RK_PASSED_MINIMUM,    /* only loaded when there is nothing else */
	RK_PASSED_UNTRIED,    /* a newer one is blocked here, and this one was never good */
	RK_PASSED_UNOFFICIAL, /* only loaded by name */
	RK_PASSED_FAILED,     /* tried in this boot already */
	RK_PASSES
};
/* "blocked-here", "blocked-by-vendor", "frozen", "withdrawn", "below-minimum", "untried", "unofficial", "failed": part of --json; "" for NOT. */
const char *rk_passed_name(enum rk_passed passed);

/* What the signed metadata says of a level: RK_PASSED_NOT, RK_PASSED_BLOCKED_BY_VENDOR, RK_PASSED_WITHDRAWN or
 * RK_PASSED_MINIMUM; the caller asks lib/trust. */
struct rk_policy {
	enum rk_passed (*judge)(void *ctx, const char *build_id, uint64_t level);
	void *ctx;
};

struct rk_choice {
	const struct rk_patch *patch; /* NULL: nothing may be loaded */
	/* One for each installed level, in patches' order. */
	rk_vec(enum rk_passed) passed;
};

/* state: NULL counts as empty. policy: NULL when nothing is known. */
struct rk_err *rk_choose(const struct rk_patches *patches, const struct rk_host_state *state,
			 const struct rk_policy *policy, struct rk_choice *ret) __must_use;
void rk_choice_deinit(struct rk_choice *choice);

/* Whether freeze allows a level; released 0 (unknown) is not allowed by a date. */
bool rk_freeze_allows(const struct rk_freeze *freeze, uint64_t level, int64_t released);

/* CVEs that newest (NULL: none known) fixes and the frozen choice (NULL: nothing loaded) doesn't. *ret: sorted, in arena; the
 * caller passes any two patches, from the repository or installed. */
struct rk_err *rk_excluded_cves(const struct rk_patch *newest, const struct rk_patch *allowed,
				struct rk_arena *arena, const char ***ret, size_t *ret_nr)
	__must_use;

#endif
