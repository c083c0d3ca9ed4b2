/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Crossings: code of one object that uses what the fix adds to a module. All of it is in the patch, so the reference itself is an ordinary one;
 * but what was added may use symbols of its module, which livepatch binds when that is loaded, and not before.
 */
#include "lib/patch/link_internal.h"

struct rk_err *rk_link_cross(struct rk_linker *l, const struct rk_link_unit *unit,
			     const struct rk_span *from, const struct rk_link_place *to)
{
	struct rk_link_crossing crossing = {unit, from, to};
	const char *object = to->section->plan->object;

	if (rk_streq(object, "vmlinux") || rk_streq(object, unit->diff->object))
		return NULL;
	return rk_vec_push(&l->crossings, crossing) ? NULL : rk_err_nomem();
}

static struct rk_err *check(struct rk_linker *l, const struct rk_link_crossing *crossing)
{
	const char *module = crossing->to->section->plan->object;
	const struct rk_span *from = crossing->from;
	bool is_there;

	if (!rk_plan_binds_late(l->plan, module))
		return NULL;
	RK_TRY(rk_link_depends_on(l, crossing->unit->owner->object, module, &is_there));
	if (is_there)
		return NULL;
	return rk_finding_add(
		l->findings, RK_FINDING_MODULE_ABSENT, crossing->unit->diff->unit,
		crossing->unit->diff->object, from->name ? from->name : from->section->name,
		"uses '%s', which the fix adds to module '%s'; '%s' doesn't depend on that",
		crossing->to->symbol ? crossing->to->symbol->name : "something", module,
		crossing->unit->diff->object);
}

struct rk_err *rk_link_check_crossings(struct rk_linker *l)
{
	rk_vec_for_each(&l->crossings, crossing)
		RK_TRY(check(l, crossing));
	return NULL;
}
