/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The choice: each installed level gets its reason to be passed over, or none; the newest without one is it. */
#include "lib/host/choose.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/map.h"
#include "lib/base/str.h"

const char *rk_passed_name(enum rk_passed passed)
{
	static const char *const names[] = {
		[RK_PASSED_NOT] = "",
		[RK_PASSED_BLOCKED_HERE] = "blocked-here",
		[RK_PASSED_BLOCKED_BY_VENDOR] = "blocked-by-vendor",
		[RK_PASSED_WITHDRAWN] = "withdrawn",
		[RK_PASSED_FROZEN] = "frozen",
		[RK_PASSED_MINIMUM] = "below-minimum",
		[RK_PASSED_UNTRIED] = "untried",
		[RK_PASSED_UNOFFICIAL] = "unofficial",
		[RK_PASSED_FAILED] = "failed",
	};

	return names[passed];
}

bool rk_freeze_allows(const struct rk_freeze *freeze, uint64_t level, int64_t released)
{
	switch (freeze->kind) {
	case RK_FREEZE_LEVEL: return level <= freeze->level;
	case RK_FREEZE_DATE: return released && released <= freeze->date;
	case RK_FREEZE_LOST: return false;
	default: return true;
	}
}

static enum rk_verdict verdict_of(const struct rk_host_state *state, const struct rk_patch *patch)
{
	return rk_host_state_verdict(state, patch->build_id, patch->level);
}

static enum rk_passed judge(const struct rk_patch *patch, const struct rk_host_state *state,
			    const struct rk_policy *policy)
{
	enum rk_passed passed = RK_PASSED_NOT;

	if (verdict_of(state, patch) == RK_VERDICT_BLOCKED)
		return RK_PASSED_BLOCKED_HERE;
	if (!patch->official)
		return RK_PASSED_UNOFFICIAL;
	if (policy && policy->judge)
		passed = policy->judge(policy->ctx, patch->build_id, patch->level);
	if (passed != RK_PASSED_NOT && passed != RK_PASSED_MINIMUM)
		return passed;
	if (state && !rk_freeze_allows(&state->freeze, patch->level, patch->released))
		return RK_PASSED_FROZEN;
	return passed;
}

/* Below a level that this host was hurt by, only what has proved itself here is loaded without being asked for. */
static void pass_untried(const struct rk_patches *patches, const struct rk_host_state *state,
			 enum rk_passed *passed)
{
	bool hurt = false;

	for (size_t i = patches->list.nr; i-- > 0;) {
		if (passed[i] == RK_PASSED_BLOCKED_HERE)
			hurt = true;
		else if (hurt && (passed[i] == RK_PASSED_NOT || passed[i] == RK_PASSED_MINIMUM) &&
			 verdict_of(state, &patches->list.v[i]) != RK_VERDICT_GOOD)
			passed[i] = RK_PASSED_UNTRIED;
	}
}

static const struct rk_patch *newest(const struct rk_patches *patches, const enum rk_passed *passed,
				     enum rk_passed wanted)
{
	for (size_t i = patches->list.nr; i-- > 0;)
		if (passed[i] == wanted)
			return &patches->list.v[i];
	return NULL;
}

struct rk_err *rk_choose(const struct rk_patches *patches, const struct rk_host_state *state,
			 const struct rk_policy *policy, struct rk_choice *ret)
{
	struct rk_choice choice = {};

	rk_vec_for_each(&patches->list, patch)
		if (!rk_vec_push(&choice.passed, judge(patch, state, policy))) {
			rk_choice_deinit(&choice);
			return rk_err_nomem();
		}
	pass_untried(patches, state, choice.passed.v);
	choice.patch = newest(patches, choice.passed.v, RK_PASSED_NOT);
	if (!choice.patch)
		choice.patch = newest(patches, choice.passed.v, RK_PASSED_MINIMUM);
	*ret = choice;
	return NULL;
}

void rk_choice_deinit(struct rk_choice *choice)
{
	rk_vec_deinit(&choice->passed);
}

/* A kernel of a year's age has thousands: every one of them held against all others would be most of what `info` does. */
static struct rk_err *mark_cves(const struct rk_patch *patch, struct rk_map *marked)
{
	static char mark;

	for (size_t i = 0; patch && i < patch->nr_cves; i++)
		if (!rk_map_set(marked, patch->cves[i], &mark))
			return rk_err_nomem();
	return NULL;
}

struct rk_err *rk_excluded_cves(const struct rk_patch *newest_patch, const struct rk_patch *allowed,
				struct rk_arena *arena, const char ***ret, size_t *ret_nr)
{
	size_t nr = 0, all = newest_patch ? newest_patch->nr_cves : 0;
	const char **cves = rk_arena_calloc(arena, all, sizeof(*cves));

	_cleanup_(rk_map_deinit) struct rk_map marked = {};

	if (!cves)
		return rk_err_nomem();
	RK_TRY(mark_cves(allowed, &marked));
	for (size_t i = 0; i < all; i++)
		if (!rk_map_get(&marked, newest_patch->cves[i]))
			cves[nr++] = newest_patch->cves[i];
	if (nr)
		qsort(cves, nr, sizeof(*cves), rk_compare_numbered);
	*ret = cves;
	*ret_nr = nr;
	return NULL;
}
