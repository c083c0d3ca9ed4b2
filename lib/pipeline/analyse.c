/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Phases proof, diff and link: from objects to a plan. */

#include "lib/patch/link.h"
#include "lib/patch/supersede.h"
#include "lib/pipeline/internal.h"
#include "lib/pipeline/session.h"

static const char *text_name(struct rk_build *build, const struct rk_build_unit *unit)
{
	const char *slash = strrchr(unit->original_path, '/');
	return rk_arena_printf(&build->arena, "%s.txt", slash + 1);
}

static struct rk_err *leave_proof(struct rk_build *build, const struct rk_build_unit *unit)
{
	_cleanup_str_ struct rk_str out = RK_STR_INIT;
	const struct rk_proof *p = unit->proof;

	rk_str_addf(
		&out,
		"%s in %s: %zu matched, %zu differ, %zu absent, %zu overridden, %zu discarded\n",
		p->unit, p->object, p->matched, p->differing, p->absent, p->overridden,
		p->discarded);
	rk_vec_for_each(&p->functions, f) {
		rk_str_addf(&out, "%-10s %s", rk_proof_verdict_name(f->verdict), f->function);
		if (f->verdict == RK_PROOF_DIFFERS)
			rk_str_addf(&out, " at +0x%llx: %s; ours: %s; shipped: %s",
				    (unsigned long long)f->offset, f->reason ? f->reason : "",
				    f->ours ? f->ours : "-", f->theirs ? f->theirs : "-");
		rk_str_add_char(&out, '\n');
	}
	RK_TRY(rk_str_check(&out));
	const char *name = text_name(build, unit);
	return name ? rk_build_leave(build, "2-orig", name, rk_str_get(&out)) : rk_err_nomem();
}

struct rk_err *rk_build_proof(struct rk_build *build)
{
	rk_vec_for_each(&build->units, unit) {
		RK_TRY(rk_symbols_owner(build->symbols, unit->recipe->object, unit->original,
					&unit->owner));
		RK_TRY(rk_proof_run(unit->recipe->unit, &unit->owner, unit->original,
				    &unit->proof));
		RK_TRY(leave_proof(build, unit));
	}
	return NULL;
}

static struct rk_err *report_nothing(struct rk_build *build)
{
	const struct rk_finding *reason = NULL;

	rk_vec_for_each(&build->findings.list, f)
		if (!reason && f->code == RK_FINDING_NOT_COMPILED)
			reason = f;
	if (reason)
		return rk_finding_add(&build->findings, RK_FINDING_NO_CHANGE, reason->unit, NULL,
				      NULL, "no function that the kernel runs is different: %s",
				      reason->text);
	return rk_finding_add(&build->findings, RK_FINDING_NO_CHANGE,
			      build->units.v[0].recipe->unit, NULL, NULL,
			      "no function that the kernel runs is different");
}

/* What a header declares is found in each unit that reads it. */
static struct rk_err *fold_types(struct rk_build *build)
{
	static const enum rk_finding_code codes[] = {
		RK_FINDING_LAYOUT_CHANGED,   RK_FINDING_MEMBER_ADDED,  RK_FINDING_MEMBER_CHANGED,
		RK_FINDING_CONSTANT_CHANGED, RK_FINDING_COUNT_CHANGED,
	};
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		RK_TRY(rk_findings_fold(&build->findings, codes[i], "units"));
	return NULL;
}

struct rk_err *rk_build_diff(struct rk_build *build)
{
	size_t functions = 0;

	rk_vec_for_each(&build->units, unit) {
		_cleanup_free_ char *text = NULL;
		if (!unit->diff)
			RK_TRY(rk_diff_create(unit->recipe->unit, unit->recipe->object,
					      unit->original, unit->patched, &unit->diff));
		RK_TRY(rk_findings_merge(&build->findings, &unit->diff->findings));
		RK_TRY(rk_diff_dump(unit->diff, &text));
		const char *name = text_name(build, unit);
		if (!name)
			return rk_err_nomem();
		RK_TRY(rk_build_leave(build, "4-diff", name, text));
		functions += unit->diff->functions.nr;
		rk_vec_for_each(&unit->diff->marks, mark)
			functions += mark->function != NULL;
	}
	RK_TRY(rk_build_exports(build));
	RK_TRY(fold_types(build));
	RK_TRY(rk_build_accept(build));
	if (functions == 0 && !rk_findings_count_blocking(&build->findings, RK_SEVERITY_ERROR))
		return report_nothing(build);
	return NULL;
}

/* A manifest as it would be, to hold it against the one before. */
static struct rk_err *compare_with_base(struct rk_build *build)
{
	if (!build->options->base)
		return NULL;
	RK_TRY(rk_build_manifest(build));
	RK_TRY(rk_supersede_compare(build->manifest, build->options->base->manifest,
				    &build->findings));
	rk_manifest_free(build->manifest);
	free(build->manifest_json);
	build->manifest = NULL;
	build->manifest_json = NULL;
	return NULL;
}

struct rk_err *rk_build_link(struct rk_build *build)
{
	_cleanup_free_ char *text = NULL;
	struct rk_link_unit *units =
		rk_arena_calloc(&build->arena, build->units.nr, sizeof(*units));
	if (!units)
		return rk_err_nomem();
	for (size_t i = 0; i < build->units.nr; i++) {
		struct rk_build_unit *unit = &build->units.v[i];
		units[i] = (struct rk_link_unit){
			.diff = unit->diff, .owner = &unit->owner, .proof = unit->proof};
	}
	RK_TRY(rk_link(build->symbols, units, build->units.nr, &build->findings, &build->plan));
	RK_TRY(rk_plan_dump(build->plan, &text));
	if (!build->part->units)
		RK_TRY(compare_with_base(build));
	return rk_build_leave(build, "5-link", "plan.txt", text);
}
