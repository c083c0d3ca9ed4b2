/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What authors of fixes declare, over all units: callbacks by object and kind, states, ids of shadow variables. Livepatch
 * has room for one callback of a kind for an object and for one version of a state.
 */
#include "lib/patch/link_internal.h"

static struct rk_err *add_callback(struct rk_linker *l, const struct rk_link_unit *unit,
				   const struct rk_mark *mark)
{
	const struct rk_diff *diff = unit->diff;
	const struct rk_plan_callback *other = rk_plan_callback(l->plan, diff->object, mark->kind);
	const struct rk_link_place *place = rk_map_get_ptr(&l->places, mark->function);

	if (!place)
		return NULL; /* a finding says why */
	if (other)
		return rk_finding_add(l->findings, RK_FINDING_DECLARED_TWICE, diff->unit,
				      diff->object, mark->function->name,
				      "'%s' of '%s' is the %s callback of '%s' already",
				      other->symbol->name, other->unit, rk_mark_name(mark->kind),
				      diff->object);
	struct rk_plan_callback callback = {
		.object = rk_arena_strdup(&l->plan->arena, diff->object),
		.unit = rk_arena_strdup(&l->plan->arena, diff->unit),
		.kind = mark->kind,
		.symbol = place->symbol,
	};
	if (!callback.object || !callback.unit || !rk_vec_push(&l->plan->callbacks, callback))
		return rk_err_nomem();
	return rk_finding_add(l->findings, RK_FINDING_CALLBACK, diff->unit, diff->object,
			      mark->function->name, "it is the %s callback",
			      rk_mark_name(mark->kind));
}

static struct rk_err *add_state(struct rk_linker *l, const struct rk_link_unit *unit,
				const struct rk_mark *mark)
{
	struct rk_plan_state state = {.id = mark->id, .version = mark->version};
	size_t at = 0;

	for (; at < l->plan->states.nr && l->plan->states.v[at].id <= state.id; at++) {
		const struct rk_plan_state *other = &l->plan->states.v[at];
		if (other->id != state.id)
			continue;
		if (other->version == state.version)
			return NULL;
		return rk_finding_add(l->findings, RK_FINDING_DECLARED_TWICE, unit->diff->unit,
				      unit->diff->object, NULL,
				      "state %llu has version %u here and version %u elsewhere",
				      (unsigned long long)state.id, state.version, other->version);
	}
	if (!rk_vec_push(&l->plan->states, state))
		return rk_err_nomem();
	struct rk_plan_state *v = l->plan->states.v;
	memmove(v + at + 1, v + at, (l->plan->states.nr - 1 - at) * sizeof(*v));
	v[at] = state;
	return rk_finding_add(l->findings, RK_FINDING_STATE, unit->diff->unit, unit->diff->object,
			      NULL, "state %llu in version %u", (unsigned long long)state.id,
			      state.version);
}

static struct rk_err *add_shadow_id(struct rk_linker *l, const struct rk_mark *mark)
{
	size_t at = 0;

	while (at < l->plan->shadow_ids.nr && l->plan->shadow_ids.v[at] < mark->id)
		at++;
	if (at < l->plan->shadow_ids.nr && l->plan->shadow_ids.v[at] == mark->id)
		return NULL;
	if (!rk_vec_push(&l->plan->shadow_ids, mark->id))
		return rk_err_nomem();
	uint64_t *v = l->plan->shadow_ids.v;
	memmove(v + at + 1, v + at, (l->plan->shadow_ids.nr - 1 - at) * sizeof(*v));
	v[at] = mark->id;
	return NULL;
}

static struct rk_err *add_mark(struct rk_linker *l, const struct rk_link_unit *unit,
			       const struct rk_mark *mark)
{
	if (mark->function)
		return add_callback(l, unit, mark);
	if (mark->kind == KPATCH_MARK_STATE)
		return add_state(l, unit, mark);
	return mark->kind == KPATCH_MARK_SHADOW_ID ? add_shadow_id(l, mark) : NULL;
}

/* The order of the objects and of the kinds, not that of the units. */
static struct rk_err *sort_callbacks(struct rk_plan *plan)
{
	__typeof__(plan->callbacks) sorted = {};
	bool ok = true;

	rk_vec_for_each(&plan->objects, object)
		for (enum kpatch_mark_kind kind = 0; kind < RK_PLAN_CALLBACKS; kind++) {
			const struct rk_plan_callback *callback =
				rk_plan_callback(plan, object->name, kind);
			ok = ok && (!callback || rk_vec_push(&sorted, *callback));
		}
	if (!ok) {
		rk_vec_deinit(&sorted);
		return rk_err_nomem();
	}
	rk_vec_deinit(&plan->callbacks);
	plan->callbacks.v = sorted.v;
	plan->callbacks.nr = sorted.nr;
	plan->callbacks.cap = sorted.cap;
	return NULL;
}

static bool is_called(const struct rk_linker *l, const char *function)
{
	rk_vec_for_each(&l->plan->sections, section)
		rk_vec_for_each(&(*section)->relocs, reloc)
			if (reloc->symbol->kind != RK_PLAN_DEFINED &&
			    rk_streq(reloc->symbol->name, function))
				return true;
	return false;
}

/* What the patch did to the running kernel must be undone by somebody, or the patch must stay. */
static struct rk_err *check_callbacks(struct rk_linker *l)
{
	rk_vec_for_each(&l->plan->callbacks, callback) {
		const char *object = callback->object;
		if (callback->kind != KPATCH_MARK_PRE_PATCH &&
		    callback->kind != KPATCH_MARK_POST_PATCH)
			continue;
		if (rk_plan_callback(l->plan, object, KPATCH_MARK_PRE_UNPATCH) ||
		    rk_plan_callback(l->plan, object, KPATCH_MARK_POST_UNPATCH))
			continue;
		RK_TRY(rk_finding_add(l->findings, RK_FINDING_UNLOAD_UNSAFE, callback->unit, object,
				      callback->symbol->name,
				      "it is the %s callback, and no callback undoes what it does",
				      rk_mark_name(callback->kind)));
	}
	return NULL;
}

static struct rk_err *check_shadows(struct rk_linker *l)
{
	bool attached = is_called(l, "klp_shadow_alloc") || is_called(l, "klp_shadow_get_or_alloc");

	if (attached || is_called(l, "klp_shadow_get"))
		RK_TRY(rk_finding_add(l->findings, RK_FINDING_SHADOW_VARIABLE, NULL, NULL, NULL,
				      "ids that are declared: %zu", l->plan->shadow_ids.nr));
	if (attached && !is_called(l, "klp_shadow_free_all"))
		RK_TRY(rk_finding_add(
			l->findings, RK_FINDING_UNLOAD_UNSAFE, NULL, NULL, "klp_shadow_alloc",
			"shadow variables are attached, and nothing calls klp_shadow_free_all()"));
	return NULL;
}

struct rk_err *rk_link_marks(struct rk_linker *l, const struct rk_link_unit *unit)
{
	rk_vec_for_each(&unit->diff->marks, mark)
		RK_TRY(add_mark(l, unit, mark));
	return NULL;
}

struct rk_err *rk_link_finish_marks(struct rk_linker *l)
{
	RK_TRY(sort_callbacks(l->plan));
	RK_TRY(check_callbacks(l));
	return check_shadows(l);
}
