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

static uint64_t level_of(const struct rk_apply *apply, const struct rk_patches *patches,
			 const char *name)
{
	const struct rk_patch *patch = rk_patches_find_name(patches, name);

	return patch ? patch->level : apply->state->loaded.level;
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

/* The first that fails is the error; what else does is told. */
static void unload_one(const struct rk_apply *apply, const char *name, struct rk_apply_result *ret,
		       struct rk_err **err)
{
	struct rk_livepatch_patience patience = rk_apply_patience(apply->settings);
	_cleanup_outcome_ struct rk_livepatch_outcome outcome = {};
	struct rk_err *failed = rk_livepatch_unload(&apply->host->roots, name, &patience,
						    apply->reporter, &outcome);

	if (!failed)
		return;
	if (*err) {
		rk_report_note(apply->reporter, "%s", rk_err_message(failed));
		rk_err_free(failed);
		return;
	}
	ret->code = failure_code(failed, &outcome);
	ret->blockers = outcome.blockers;
	outcome.blockers = (struct rk_livepatch_blockers){};
	*err = failed;
}

/* Nothing is loaded: nothing to be watched, nothing to be blamed at the next boot. */
static struct rk_err *forget_loaded(const struct rk_apply *apply)
{
	RK_TRY(rk_host_state_forget_loaded(apply->state));
	return rk_intent_remove(apply->host);
}

/* The level of ours that is enabled still, 0 for none. */
static struct rk_err *look_after(const struct rk_apply *apply, const struct rk_patches *patches,
				 uint64_t *ret)
{
	_cleanup_livepatch_list_ struct rk_livepatch_list list = {};

	RK_TRY(rk_livepatch_list(&apply->host->roots, &list));
	*ret = 0;
	rk_vec_for_each(&list.list, it)
		if (it->state != RK_LIVEPATCH_DISABLED && is_ours(apply, patches, it->name))
			*ret = level_of(apply, patches, it->name);
	return NULL;
}

struct rk_err *rk_apply_unload(const struct rk_apply *apply, const struct rk_patches *patches,
			       bool all, struct rk_apply_result *ret)
{
	_cleanup_livepatch_list_ struct rk_livepatch_list list = {};
	_cleanup_close_ int lock = -1;
	struct rk_err *err = NULL;
	bool any = false;

	*ret = (struct rk_apply_result){.code = RK_APPLY_ALREADY};
	RK_TRY(rk_livepatch_lock(&apply->host->roots, &lock));
	RK_TRY(look_after(apply, patches, &ret->before));
	RK_TRY(rk_livepatch_list(&apply->host->roots, &list));
	/* in any order: since 5.1 the kernel lets a patch go from below another */
	rk_vec_for_each(&list.list, it) {
		/* of a disabled one there is only a module, which does nothing */
		if (it->state == RK_LIVEPATCH_DISABLED ||
		    (!all && !is_ours(apply, patches, it->name)))
			continue;
		any = true;
		unload_one(apply, it->name, ret, &err);
		if (err && rk_err_code(err) == RK_ERR_INTERRUPTED)
			break;
	}
	if (!any)
		return NULL;
	struct rk_err *second = look_after(apply, patches, &ret->after);
	if (!second && !ret->after)
		second = forget_loaded(apply);
	if (!err && second)
		return rk_apply_end(apply, RK_APPLY_FAILED, ret->before, second, ret);
	if (second)
		rk_report_note(apply->reporter, "%s", rk_err_message(second));
	rk_err_free(second);
	return rk_apply_end(apply, err ? ret->code : RK_APPLY_OK, ret->before, err, ret);
}
