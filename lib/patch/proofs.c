/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Proofs: whatever the patch replaces must be, in the running kernel, what we compiled: not the redirected functions alone (resolve.c), but
 * their cold parts too, and the functions that aren't redirected themselves because their callers carry them.
 */
#include "lib/patch/link_internal.h"

static bool is_redirected(const struct rk_link_unit *unit, const struct rk_span *span)
{
	rk_vec_for_each(&unit->diff->functions, it)
		if (*it == span)
			return true;
	return false;
}

static bool has_part(const struct rk_span *original, const char *function)
{
	for (size_t i = 0; i < original->nr_children; i++)
		if (rk_streq(original->children[i]->name, function))
			return true;
	return rk_streq(original->name, function);
}

/* Does the patch replace this function of the original, or a part of it? */
static bool is_touched(const struct rk_link_unit *unit, const char *function)
{
	rk_vec_for_each(&unit->diff->included, it)
		if ((*it)->kind == RK_SPAN_FUNC && (*it)->twin && has_part((*it)->twin, function))
			return true;
	return false;
}

/* One that another file's definition overrides isn't run, and isn't replaced. */
static struct rk_err *check(struct rk_linker *l, const struct rk_link_unit *unit,
			    const struct rk_span *span, const struct rk_span *original)
{
	const struct rk_proof_entry *proof = rk_proof_find(unit->proof, original->name);

	if (proof && (proof->verdict == RK_PROOF_MATCHED || proof->verdict == RK_PROOF_OVERRIDDEN))
		return NULL;
	return rk_finding_add(l->findings, RK_FINDING_MISMATCH, unit->diff->unit,
			      unit->diff->object, span->name,
			      "'%s', which goes with it, isn't proven: %s", original->name,
			      proof && proof->reason ? proof->reason : "not in the shipped binary");
}

static struct rk_err *check_parts(struct rk_linker *l, const struct rk_link_unit *unit,
				  const struct rk_span *span)
{
	const struct rk_span *twin = span->twin;

	/* a redirected one has been looked up by its proof */
	if (!is_redirected(unit, span))
		RK_TRY(check(l, unit, span, twin));
	for (size_t i = 0; i < twin->nr_children; i++)
		RK_TRY(check(l, unit, span, twin->children[i]));
	return NULL;
}

/* Functions that differ but stay as they are do no harm; that they differ at all is worth a thought. */
static struct rk_err *report_others(struct rk_linker *l, const struct rk_link_unit *unit)
{
	const struct rk_proof_entry *first = NULL;
	size_t others = 0;

	rk_vec_for_each(&unit->proof->functions, f) {
		if (f->verdict != RK_PROOF_DIFFERS || is_touched(unit, f->function))
			continue;
		first = first ? first : f;
		others++;
	}
	if (!first)
		return NULL;
	return rk_finding_add(l->findings, RK_FINDING_MISMATCH_ELSEWHERE, unit->diff->unit,
			      unit->diff->object, first->function,
			      "%zu of %zu functions differ, the first: %s", others,
			      unit->proof->functions.nr,
			      first->reason ? first->reason : "no reason known");
}

struct rk_err *rk_link_check_proofs(struct rk_linker *l, const struct rk_link_unit *unit)
{
	rk_vec_for_each(&unit->diff->included, it)
		if ((*it)->kind == RK_SPAN_FUNC && (*it)->twin && !(*it)->parent)
			RK_TRY(check_parts(l, unit, *it));
	return report_others(l, unit);
}
