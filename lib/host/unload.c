/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is loaded of ours, and taking it out. */
#include <inttypes.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/host/apply_internal.h"
#include "lib/livepatch/apply.h"

/* Ours is what is installed for this kernel, and what was loaded from a level that is no longer installed. */
static bool is_ours(const struct rk_apply *apply, const struct rk_patches *patches,
		    const char *name)
{
	return rk_patches_find_name(patches, name) ||
	       (rk_streq(apply->state->loaded.name, name) &&
		rk_streq(apply->state->loaded.boot_id, apply->kernel->boot_id));
}

struct rk_err *rk_apply_loaded(const struct rk_host *host, const struct rk_patches *patches,
			       struct rk_arena *arena, const struct rk_patch **ret,
			       enum rk_livepatch_state *ret_state, const char **ret_foreign)
{
	_cleanup_livepatch_list_ struct rk_livepatch_list list = {};
	enum rk_livepatch_state state = RK_LIVEPATCH_ABSENT;
	const struct rk_patch *loaded = NULL;
	const char *foreign = NULL;

	RK_TRY(rk_livepatch_list(&host->roots, &list));
	rk_vec_for_each(&list.list, it) {
		const struct rk_patch *patch = rk_patches_find_name(patches, it->name);

		if (it->state == RK_LIVEPATCH_DISABLED)
			continue;
		if (!patch) {
			foreign = rk_arena_strdup(arena, it->name);
			if (!foreign)
				return rk_err_nomem();
		} else if (!loaded || patch->level > loaded->level) {
			loaded = patch;
			state = it->state;
		}
	}
	*ret = loaded;
	*ret_state = state;
	if (ret_foreign)
		*ret_foreign = foreign;
	return NULL;
}

static enum rk_apply_code failure_code(const struct rk_err *err,
				       const struct rk_livepatch_outcome *outcome)
{
	if (outcome->stalled)
		return outcome->reversed ? RK_APPLY_STALLED : RK_APPLY_STUCK;
	return rk_err_code(err) == RK_ERR_INTERRUPTED ? RK_APPLY_INTERRUPTED : RK_APPLY_FAILED;
}

static struct rk_err *unload_one(const struct rk_apply *apply, const char *name, uint64_t level,
				 struct rk_apply_result *ret)
{
	struct rk_livepatch_patience patience = rk_apply_patience(apply->settings);
	_cleanup_outcome_ struct rk_livepatch_outcome outcome = {};
	struct rk_err *err = rk_livepatch_unload(&apply->host->roots, name, &patience,
						 apply->reporter, &outcome);

	if (!err)
		return NULL;
	rk_livepatch_blockers_deinit(&ret->blockers);
	ret->blockers = outcome.blockers;
	outcome.blockers = (struct rk_livepatch_blockers){};
	return rk_apply_end(apply, failure_code(err, &outcome), level, err, ret);
}

/* Nothing is loaded: nothing to be watched, nothing to be blamed at the next boot. */
static struct rk_err *forget_loaded(const struct rk_apply *apply, uint64_t level,
				    struct rk_apply_result *ret)
{
	struct rk_err *err = rk_host_state_forget_loaded(apply->state);

	if (!err)
		err = rk_intent_remove(apply->host);
	ret->after = 0;
	return rk_apply_end(apply, err ? RK_APPLY_FAILED : RK_APPLY_OK, level, err, ret);
}

struct rk_err *rk_apply_unload(const struct rk_apply *apply, const struct rk_patches *patches,
			       bool all, struct rk_apply_result *ret)
{
	_cleanup_livepatch_list_ struct rk_livepatch_list list = {};
	_cleanup_close_ int lock = -1;
	bool any = false;

	*ret = (struct rk_apply_result){.code = RK_APPLY_ALREADY};
	RK_TRY(rk_livepatch_lock(&apply->host->roots, &lock));
	RK_TRY(rk_livepatch_list(&apply->host->roots, &list));
	/* in any order: since 5.1 the kernel lets a patch go from below another */
	rk_vec_for_each(&list.list, it) {
		const struct rk_patch *patch = rk_patches_find_name(patches, it->name);
		uint64_t level = patch ? patch->level : apply->state->loaded.level;

		if (!all && !is_ours(apply, patches, it->name))
			continue;
		ret->before = ret->after = patch ? patch->level : ret->before;
		any = true;
		RK_TRY(unload_one(apply, it->name, level, ret));
	}
	return any ? forget_loaded(apply, ret->before, ret) : NULL;
}
