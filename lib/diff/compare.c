/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compare: a function is changed when its bytes or the meaning of its references differ from its twin's, or when an entry of a
 * special section about it does. Literals count by content, own copies of macro-made statics by kind and content.
 */
#include <string.h>

#include "lib/diff/diff_internal.h"

/* Unnamed bytes may refer to other unnamed bytes (an alternative's replacement, a table of strings); more levels than this are
 * a loop in a broken file. */
#define DEPTH_MAX 16

static bool span_is_same(const struct rk_span *a, const struct rk_span *b, enum rk_same_mode mode,
			 int depth);

static bool target_is_same(const struct rk_span *a, const struct rk_span *b, enum rk_same_mode mode,
			   int depth)
{
	if (a->kind != b->kind)
		return false;
	if (a->name && !a->is_own_copy) {
		if (mode == RK_SAME_BY_TWIN && (a->twin || b->twin))
			return a->twin == b;
		return mode == RK_SAME_BY_BASE && b->name && rk_streq(a->base, b->base);
	}
	if (a->is_own_copy && (!b->is_own_copy || !rk_streq(a->base, b->base)))
		return false;
	return depth < DEPTH_MAX && span_is_same(a, b, mode, depth + 1);
}

static bool ref_is_same(const struct rk_ref *a, const struct rk_ref *b, enum rk_same_mode mode,
			int depth)
{
	if (a->type != b->type || a->offset != b->offset || a->place != b->place)
		return false;
	if (!a->target || !b->target)
		return !a->target && !b->target && rk_streq(a->symbol->name, b->symbol->name);
	return target_is_same(a->target, b->target, mode, depth);
}

static bool span_is_same(const struct rk_span *a, const struct rk_span *b, enum rk_same_mode mode,
			 int depth)
{
	if (a->size != b->size || !a->data != !b->data || a->nr_refs != b->nr_refs)
		return false;
	if (a->data && memcmp(a->data, b->data, a->size) != 0)
		return false;
	for (size_t i = 0; i < a->nr_refs; i++)
		if (!ref_is_same(&a->refs[i], &b->refs[i], mode, depth))
			return false;
	return true;
}

bool rk_span_is_same(const struct rk_span *a, const struct rk_span *b, enum rk_same_mode mode)
{
	return span_is_same(a, b, mode, 0);
}

bool rk_ref_is_same(const struct rk_ref *a, const struct rk_ref *b, enum rk_same_mode mode)
{
	return ref_is_same(a, b, mode, 0);
}

struct rk_span *rk_span_root(struct rk_span *span)
{
	while (span->parent)
		span = span->parent;
	return span;
}

/* Unwind data follows from the code. */
static bool is_compared(const struct rk_span *entry)
{
	return !entry->special->parallel;
}

/* A static key swapped for another leaves the same nop in the code: only __jump_table tells. */
static bool entries_are_same(const struct rk_span *a, const struct rk_span *b)
{
	size_t i = 0, j = 0;

	for (;; i++, j++) {
		while (i < a->nr_entries && !is_compared(a->entries[i]))
			i++;
		while (j < b->nr_entries && !is_compared(b->entries[j]))
			j++;
		if (i == a->nr_entries || j == b->nr_entries)
			return i == a->nr_entries && j == b->nr_entries;
		if (a->entries[i]->special->code_offset != b->entries[j]->special->code_offset ||
		    !rk_streq(a->entries[i]->section->name, b->entries[j]->section->name) ||
		    !span_is_same(a->entries[i], b->entries[j], RK_SAME_BY_TWIN, 0))
			return false;
	}
}

struct rk_err *rk_diff_compare(struct rk_diff *diff)
{
	rk_spans_for_each(diff->patched, span) {
		if (span->kind != RK_SPAN_FUNC || !span->twin)
			continue;
		span->is_changed = !span_is_same(span->twin, span, RK_SAME_BY_TWIN, 0) ||
				   !entries_are_same(span->twin, span);
	}
	rk_spans_for_each(diff->patched, span)
		if (span->kind == RK_SPAN_FUNC && span->parent && (span->is_changed || !span->twin))
			rk_span_root(span)->is_changed = rk_span_root(span)->twin != NULL;
	return NULL;
}
