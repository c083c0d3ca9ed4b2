/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What lib/host collects of this host, completed by what is known of its repository and licence. */
#include "lib/host/effective.h"
#include "tools/readykernel/client.h"

static bool is_good(const struct readykernel *rk, const struct rk_release_level *level)
{
	return rk_trust_level_state(rk->trust, rk->release->kernel.build_id, level->level, NULL) ==
	       RK_LEVEL_GOOD;
}

/* The record of a level in rk->arena; NULL for NULL. */
static struct rk_err *record(struct readykernel *rk, const struct rk_release_level *level,
			     const struct rk_patch **ret)
{
	struct rk_patch *patch = level ? rk_arena_new(&rk->arena, struct rk_patch) : NULL;

	if (level && !patch)
		return rk_err_nomem();
	if (level)
		RK_TRY(readykernel_record(rk->release, level, &rk->arena, patch));
	*ret = patch;
	return NULL;
}

/* The newest level that its publisher wants loaded, and the newest of those that the freeze allows. */
static struct rk_err *add_release(struct readykernel *rk, struct rk_status_trust *trust)
{
	const struct rk_release_level *newest = NULL, *allowed = NULL;

	rk_vec_for_each(&rk->release->levels, it) {
		if (!is_good(rk, it))
			continue;
		newest = it;
		if (rk_freeze_allows(&rk->state->freeze, it->level, it->released))
			allowed = it;
	}
	trust->kernel_known = true;
	trust->covered_until = rk->release->covered_until;
	trust->newest = newest ? newest->level : 0;
	RK_TRY(record(rk, newest, &trust->newest_patch));
	return record(rk, allowed, &trust->allowed_patch);
}

static struct rk_err *collect_trust(struct readykernel *rk, struct rk_status_trust *ret)
{
	const struct rk_timestamp *timestamp = rk->trust ? rk_trust_timestamp(rk->trust) : NULL;
	struct rk_status_trust trust = {
		.licence_id = rk->licence ? rk->licence->id : NULL,
		.licence_state = rk_licence_state_name(readykernel_licence_state(rk)),
		.licence_not_after = rk->licence ? rk->licence->not_after : 0,
		.licence_problem = rk->licence_problem ? rk_err_message(rk->licence_problem) : NULL,
		.problem = rk->trust_problem ? rk_err_message(rk->trust_problem) : NULL,
		.says = readykernel_policy(rk),
	};

	if (rk->trust)
		trust.root_version = rk_trust_root(rk->trust)->version;
	if (timestamp) {
		trust.timestamp_made = timestamp->issued;
		trust.timestamp_expires = timestamp->expires;
		trust.from_bundle = timestamp->is_bundle;
		trust.kernel_absent = !rk->release && !rk->trust_problem;
	}
	if (rk->release)
		RK_TRY(add_release(rk, &trust));
	*ret = trust;
	return NULL;
}

struct rk_err *readykernel_overview(struct readykernel *rk, struct rk_status **ret)
{
	struct rk_status_trust trust;

	RK_TRY(collect_trust(rk, &trust));
	return rk_status_collect(rk->host, rk->settings, rk->kernel, rk->state, rk->patches, &trust,
				 ret);
}

struct rk_err *readykernel_publish(struct readykernel *rk)
{
	_cleanup_status_ struct rk_status *status = NULL;

	RK_TRY(readykernel_overview(rk, &status));
	return rk_effective_write(rk->host, status);
}
