/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Moves: a global function or variable that one unit no longer has and another unit of the same object now has. Code that isn't in the patch
 * goes on calling the old function, so that it must be redirected; a variable's value would stay behind.
 */
#include <elf.h>

#include "lib/patch/link_internal.h"

/* The unit of that object with a new global of the span's kind and name. */
static const struct rk_link_unit *find_new(const struct rk_linker *l, const char *object,
					   const struct rk_span *old, const struct rk_span **ret)
{
	for (size_t i = 0; i < l->nr_units; i++) {
		if (!rk_streq(l->units[i].diff->object, object))
			continue;
		rk_spans_for_each(l->units[i].diff->patched, span) {
			if (span->twin || span->kind != old->kind || !span->symbol ||
			    span->symbol->bind == STB_LOCAL || !rk_streq(span->name, old->name))
				continue;
			*ret = span;
			return &l->units[i];
		}
	}
	return NULL;
}

static struct rk_err *link_move(struct rk_linker *l, const struct rk_link_unit *unit,
				const struct rk_span *old)
{
	const struct rk_span *new;
	const struct rk_link_unit *to = find_new(l, unit->diff->object, old, &new);

	if (!to)
		return NULL;
	if (old->kind == RK_SPAN_DATA)
		return rk_finding_add(l->findings, RK_FINDING_DATA_CHANGED, unit->diff->unit,
				      unit->diff->object, old->name,
				      "it moved to '%s', where it would start at its initial value",
				      to->diff->unit);
	const struct rk_link_place *place = rk_map_get_ptr(&l->places, new);
	if (!place || old->class != RK_SECTION_TEXT || new->class != RK_SECTION_TEXT)
		return rk_finding_add(l->findings, RK_FINDING_SECTION_CHANGED, unit->diff->unit,
				      unit->diff->object, old->name,
				      "it moved to '%s' and from section '%s' to '%s'",
				      to->diff->unit, old->section->name, new->section->name);
	if (!old->has_fentry)
		return rk_finding_add(
			l->findings, RK_FINDING_NO_FENTRY, unit->diff->unit, unit->diff->object,
			old->name, "it moved to '%s', but has no call to __fentry__ at its start",
			to->diff->unit);
	return rk_link_add_function(l, unit, old->name, to, place);
}

static bool may_move(const struct rk_span *span)
{
	return !span->twin && span->symbol && span->symbol->bind != STB_LOCAL &&
	       (span->kind == RK_SPAN_FUNC || span->kind == RK_SPAN_DATA) &&
	       (span->class == RK_SECTION_TEXT || span->class == RK_SECTION_DATA);
}

struct rk_err *rk_link_moves(struct rk_linker *l)
{
	for (size_t i = 0; i < l->nr_units; i++)
		rk_spans_for_each(l->units[i].diff->orig, span)
			if (may_move(span))
				RK_TRY(link_move(l, &l->units[i], span));
	return NULL;
}
