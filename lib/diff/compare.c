/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compare: a function is changed when its bytes or the meaning of its references differ from its twin's, or when an entry of a
 * special section about it does. Literals count by content, own copies of macro-made statics by kind and content.
 */
#include <string.h>

#include "lib/diff/diff_internal.h"

/* Unnamed bytes refer to others (an alternative's replacement, a table of strings), and these may refer back. Real ones take
 * some dozens of steps; a broken file could take for ever. */
#define STEPS_MAX 100000
#define DEPTH_MAX 32

/* A pair that is being compared; what refers back to it is the same if everything else is. */
struct frame {
	const struct rk_span *a, *b;
	const struct frame *up;
	unsigned int depth;
};

struct comparison {
	enum rk_same_mode mode;
	unsigned int steps;
};

static bool span_is_same(struct comparison *c, const struct rk_span *a, const struct rk_span *b,
			 const struct frame *up);

static bool target_is_same(struct comparison *c, const struct rk_span *a, const struct rk_span *b,
			   const struct frame *up)
{
	if (a->kind != b->kind)
		return false;
	if (a->name && !a->is_own_copy) {
		if (c->mode == RK_SAME_BY_TWIN && (a->twin || b->twin))
			return a->twin == b;
		return c->mode == RK_SAME_BY_BASE && b->name && rk_streq(a->base, b->base);
	}
	if (a->is_own_copy && (!b->is_own_copy || !rk_streq(a->base, b->base)))
		return false;
	for (const struct frame *f = up; f; f = f->up)
		if (f->a == a && f->b == b)
			return true;
	return span_is_same(c, a, b, up);
}

static bool ref_is_same(struct comparison *c, const struct rk_ref *a, const struct rk_ref *b,
			const struct frame *up)
{
	if (a->type != b->type || a->offset != b->offset || a->place != b->place ||
	    ++c->steps > STEPS_MAX)
		return false;
	if (!a->target || !b->target)
		return !a->target && !b->target && rk_streq(a->symbol->name, b->symbol->name);
	return target_is_same(c, a->target, b->target, up);
}

static bool span_is_same(struct comparison *c, const struct rk_span *a, const struct rk_span *b,
			 const struct frame *up)
{
	struct frame here = {.a = a, .b = b, .up = up, .depth = up ? up->depth + 1 : 0};

	if (here.depth > DEPTH_MAX || a->size != b->size || !a->data != !b->data ||
	    a->nr_refs != b->nr_refs)
		return false;
	if (a->data && memcmp(a->data, b->data, a->size) != 0)
		return false;
	for (size_t i = 0; i < a->nr_refs; i++)
		if (!ref_is_same(c, &a->refs[i], &b->refs[i], &here))
			return false;
	return true;
}

bool rk_span_is_same(const struct rk_span *a, const struct rk_span *b, enum rk_same_mode mode)
{
	struct comparison c = {.mode = mode};
	return span_is_same(&c, a, b, NULL);
}

bool rk_ref_is_same(const struct rk_ref *a, const struct rk_ref *b, enum rk_same_mode mode)
{
	struct comparison c = {.mode = mode};
	return ref_is_same(&c, a, b, NULL);
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

static bool entry_is_same(const struct rk_span *a, const struct rk_span *b)
{
	return a->special->code_offset == b->special->code_offset &&
	       rk_streq(a->section->name, b->section->name) &&
	       rk_span_is_same(a, b, RK_SAME_BY_TWIN);
}

const struct rk_span *rk_span_different_entry(const struct rk_span *a, const struct rk_span *b)
{
	for (size_t i = 0, j = 0;; i++, j++) {
		while (i < a->nr_entries && !is_compared(a->entries[i]))
			i++;
		while (j < b->nr_entries && !is_compared(b->entries[j]))
			j++;
		if (j == b->nr_entries)
			return i == a->nr_entries ? NULL : a->entries[i];
		if (i == a->nr_entries || !entry_is_same(a->entries[i], b->entries[j]))
			return b->entries[j];
	}
}

struct rk_err *rk_diff_compare(struct rk_diff *diff)
{
	rk_spans_for_each(diff->patched, span) {
		if (span->kind != RK_SPAN_FUNC || !span->twin)
			continue;
		span->is_changed = !rk_span_is_same(span->twin, span, RK_SAME_BY_TWIN) ||
				   rk_span_different_entry(span->twin, span);
	}
	rk_spans_for_each(diff->patched, span)
		if (span->kind == RK_SPAN_FUNC && span->parent && (span->is_changed || !span->twin))
			rk_span_root(span)->is_changed = rk_span_root(span)->twin != NULL;
	return NULL;
}
