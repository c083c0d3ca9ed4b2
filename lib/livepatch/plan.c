/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is loaded is held against the new patch; the first rule that fits decides. */
#include "lib/livepatch/plan.h"

#include <inttypes.h>

#include "lib/base/str.h"

static const char *const way_names[RK_LIVEPATCH_WAYS] = {
	[RK_LIVEPATCH_NOTHING] = "nothing", [RK_LIVEPATCH_CONTINUE] = "continue",
	[RK_LIVEPATCH_TURN] = "turn",	    [RK_LIVEPATCH_ADD] = "add",
	[RK_LIVEPATCH_REPLACE] = "replace", [RK_LIVEPATCH_CHANGE] = "change",
	[RK_LIVEPATCH_REFUSED] = "refused",
};

const char *rk_livepatch_way_name(enum rk_livepatch_way way)
{
	return way < RK_LIVEPATCH_WAYS ? way_names[way] : "unknown";
}

void rk_livepatch_plan_deinit(struct rk_livepatch_plan *plan)
{
	rk_vec_for_each(&plan->enabled, it)
		rk_livepatch_known_deinit(&it->known);
	rk_vec_for_each(&plan->disabled, it)
		rk_livepatch_known_deinit(&it->known);
	rk_vec_deinit(&plan->enabled);
	rk_vec_deinit(&plan->disabled);
	rk_livepatch_list_deinit(&plan->loaded);
	rk_arena_deinit(&plan->arena);
}

static struct rk_err *collect(const struct rk_livepatch_roots *roots,
			      const struct rk_running *running, struct rk_livepatch_plan *plan)
{
	RK_TRY(rk_livepatch_list(roots, &plan->loaded));
	rk_vec_for_each(&plan->loaded.list, patch) {
		struct rk_livepatch_before before = {.name = patch->name, .state = patch->state};
		bool off = patch->state == RK_LIVEPATCH_DISABLED;

		RK_TRY(rk_livepatch_recall(roots, running->release, patch->name, &before.known));
		if (!(off ? rk_vec_push(&plan->disabled, before)
			  : rk_vec_push(&plan->enabled, before))) {
			rk_livepatch_known_deinit(&before.known);
			return rk_err_nomem();
		}
	}
	return NULL;
}

static struct rk_err *set(struct rk_livepatch_plan *plan, enum rk_livepatch_way way,
			  const char *reason)
{
	plan->way = way;
	plan->reason = reason;
	return reason ? NULL : rk_err_nomem();
}

/* Disabling what is loaded leaves the kernel without its fixes for a moment: only when that was asked for. */
static struct rk_err *set_change(struct rk_livepatch_plan *plan, bool allowed, const char *why)
{
	if (allowed)
		return set(plan, RK_LIVEPATCH_CHANGE, why);
	return set(plan, RK_LIVEPATCH_REFUSED,
		   rk_arena_printf(&plan->arena,
				   "%s; unload it, or use 'kpatch replace', which disables what "
				   "is loaded first",
				   why));
}

/* The same module, as far as can be told: without build-ids its name must do. */
static bool is_same(const struct rk_livepatch_before *before, const struct rk_module_info *info)
{
	return !before->known.build_id || !info->build_id ||
	       rk_streq(before->known.build_id, info->build_id);
}

/* A patch of the new one's name is there: the kernel can't hold two. */
static struct rk_err *plan_same_name(const struct rk_livepatch_before *before,
				     const struct rk_module_info *info, bool allow_change,
				     struct rk_livepatch_plan *plan)
{
	if (is_same(before, info)) {
		switch (before->state) {
		case RK_LIVEPATCH_ENABLING:
			return set(plan, RK_LIVEPATCH_CONTINUE, "it is being enabled already");
		case RK_LIVEPATCH_DISABLING:
			return set(plan, RK_LIVEPATCH_TURN,
				   "it is being disabled, which is turned round");
		default: return set(plan, RK_LIVEPATCH_NOTHING, "it is already loaded");
		}
	}
	return set_change(plan, allow_change, "another module of this name is loaded");
}

/* True when the new one was built to take old's place, or simply has the greater level. */
static bool is_after(const struct rk_manifest *m, const struct rk_livepatch_before *old)
{
	if (m->level > old->known.manifest->level)
		return true;
	rk_vec_for_each(&m->supersedes, it)
		if (rk_streq(it->name, old->name))
			return true;
	return false;
}

/* Why a cumulative patch can't simply take old's place; NULL when it can. */
static char *obstacle(struct rk_arena *arena, const struct rk_manifest *m,
		      const struct rk_livepatch_before *old, bool *ret_failed)
{
	char *text;

	*ret_failed = false;
	if (rk_livepatch_is_cumulative(old->known.manifest) && is_after(m, old))
		return NULL;
	if (rk_livepatch_is_cumulative(old->known.manifest))
		text = rk_arena_printf(arena,
				       "'%s' of level %" PRIu64
				       " is loaded, and this is level %" PRIu64,
				       old->name, old->known.manifest->level, m->level);
	else
		text = rk_arena_printf(arena, "'%s' is loaded, which is no cumulative patch",
				       old->name);
	*ret_failed = !text;
	return text;
}

static struct rk_err *plan_cumulative(const struct rk_module_info *info, bool allow_change,
				      struct rk_livepatch_plan *plan)
{
	const struct rk_manifest *m = info->manifest;

	rk_vec_for_each(&plan->enabled, old) {
		bool failed;
		char *why = obstacle(&plan->arena, m, old, &failed);

		if (failed)
			return rk_err_nomem();
		if (!why)
			continue;
		return set_change(plan, allow_change, why);
	}
	return set(plan, RK_LIVEPATCH_REPLACE,
		   rk_arena_printf(&plan->arena, "level %" PRIu64 " takes the place of '%s'",
				   m->level, plan->enabled.v[0].name));
}

static struct rk_err *decide(const struct rk_module_info *info, bool allow_change,
			     struct rk_livepatch_plan *plan)
{
	rk_vec_for_each(&plan->enabled, old)
		if (rk_streq(old->name, info->name))
			return plan_same_name(old, info, allow_change, plan);
	if (!plan->enabled.nr)
		return set(plan, RK_LIVEPATCH_ADD, "no live patch is enabled");
	if (rk_livepatch_is_cumulative(info->manifest))
		return plan_cumulative(info, allow_change, plan);
	if (allow_change)
		return set(plan, RK_LIVEPATCH_CHANGE, "it is no cumulative patch");
	return set(plan, RK_LIVEPATCH_ADD, "it is no cumulative patch: it comes on top");
}

struct rk_err *rk_livepatch_plan(const struct rk_livepatch_roots *roots,
				 const struct rk_running *running,
				 const struct rk_module_info *info, bool allow_change,
				 struct rk_livepatch_plan *ret)
{
	_cleanup_plan_ struct rk_livepatch_plan plan = {};

	RK_TRY(collect(roots, running, &plan));
	RK_TRY(decide(info, allow_change, &plan));
	*ret = plan;
	plan = (struct rk_livepatch_plan){};
	return NULL;
}
