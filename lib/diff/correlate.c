/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Correlate: which function or variable of the patched object is which of the original. The ladder: a unique name; then, among names
 * that differ only by the compiler's numbers, equal content, the functions that use it, and position at last. What has
 * no counterpart is new or removed.
 */
#include <elf.h>
#include <string.h>

#include "lib/diff/diff_internal.h"

/* Spans of one base name, of one kind. */
struct group {
	rk_vec(struct rk_span *) orig;
	rk_vec(struct rk_span *) patched;
};

struct groups {
	struct rk_map by_key; /* → struct group */
	rk_vec(struct group *) list;
};

static bool is_correlated(const struct rk_span *span)
{
	return span->name && !span->is_own_copy;
}

/* Functions and variables of one name don't meet; numbered and plain ones don't either. */
static char *group_key(struct rk_arena *arena, const struct rk_span *span)
{
	return rk_arena_printf(arena, "%c%c%s", span->kind == RK_SPAN_FUNC ? 'f' : 'd',
			       span->is_numbered ? '#' : '=', span->base);
}

static struct rk_err *add_to_group(struct rk_diff *diff, struct groups *groups,
				   struct rk_span *span, bool is_orig)
{
	char *key = group_key(&diff->arena, span);
	if (!key)
		return rk_err_nomem();
	struct group *group = rk_map_get(&groups->by_key, key);
	if (!group) {
		group = rk_arena_new(&diff->arena, struct group);
		if (!group || !rk_vec_push(&groups->list, group) ||
		    !rk_map_set(&groups->by_key, key, group))
			return rk_err_nomem();
	}
	bool ok = is_orig ? rk_vec_push(&group->orig, span) : rk_vec_push(&group->patched, span);
	return ok ? NULL : rk_err_nomem();
}

static void pair(struct rk_span *a, struct rk_span *b)
{
	a->twin = b;
	b->twin = a;
}

/* Pairs what rule() accepts, in order, taking nothing twice. */
static void pair_by(struct group *group,
		    bool (*rule)(const struct rk_span *a, const struct rk_span *b))
{
	rk_vec_for_each(&group->patched, b) {
		if ((*b)->twin)
			continue;
		rk_vec_for_each(&group->orig, a) {
			if ((*a)->twin || !rule(*a, *b))
				continue;
			pair(*a, *b);
			break;
		}
	}
}

static bool has_same_content_and_name(const struct rk_span *a, const struct rk_span *b)
{
	return rk_streq(a->name, b->name) && rk_span_is_same(a, b, RK_SAME_BY_BASE);
}

static bool has_same_content(const struct rk_span *a, const struct rk_span *b)
{
	return rk_span_is_same(a, b, RK_SAME_BY_BASE);
}

static bool has_same_name(const struct rk_span *a, const struct rk_span *b)
{
	return rk_streq(a->name, b->name);
}

static bool is_any(const struct rk_span *a, const struct rk_span *b)
{
	(void)a;
	(void)b;
	return true;
}

/* gcc numbers clones per function: foo.constprop.0 and .1 may swap. */
static void pair_functions(struct group *group)
{
	pair_by(group, has_same_content_and_name);
	pair_by(group, has_same_content);
	pair_by(group, has_same_name);
	pair_by(group, is_any);
}

static struct rk_err *pair_group(struct group *group)
{
	if (!group->orig.nr || !group->patched.nr)
		return NULL;
	struct rk_span *a = group->orig.v[0], *b = group->patched.v[0];
	if (group->orig.nr == 1 && group->patched.nr == 1 &&
	    (a->kind == RK_SPAN_FUNC || !a->is_numbered))
		pair(a, b);
	else if (a->kind == RK_SPAN_FUNC)
		pair_functions(group);
	else if (a->is_numbered)
		return rk_diff_pair_locals(group->orig.v, group->orig.nr, group->patched.v,
					   group->patched.nr);
	else
		pair_by(group, has_same_name);
	return NULL;
}

static bool is_of_functions(const struct group *group)
{
	const struct rk_span *first = group->orig.nr ? group->orig.v[0] : group->patched.v[0];
	return first->kind == RK_SPAN_FUNC;
}

static struct rk_err *fill_groups(struct rk_diff *diff, struct groups *groups)
{
	rk_spans_for_each(diff->orig, span)
		if (is_correlated(span))
			RK_TRY(add_to_group(diff, groups, span, true));
	rk_spans_for_each(diff->patched, span)
		if (is_correlated(span))
			RK_TRY(add_to_group(diff, groups, span, false));
	return NULL;
}

/* A table of plain data that only functions of this unit read: no pointer to it is data anywhere, and it holds none to code. */
static bool is_plain_constant(const struct rk_span *span)
{
	/* not .BTF_ids: the kernel's build fills these in */
	if (span->kind != RK_SPAN_DATA || span->class != RK_SECTION_RODATA ||
	    span->symbol->bind != STB_LOCAL || !rk_has_prefix(span->section->name, ".rodata"))
		return false;
	for (size_t i = 0; i < span->nr_refs; i++)
		if (!span->refs[i].target || span->refs[i].target->kind == RK_SPAN_FUNC)
			return false;
	for (size_t i = 0; i < span->nr_users; i++)
		if (span->users[i]->kind != RK_SPAN_FUNC)
			return false;
	return span->nr_users > 0;
}

/* The kernel's constant can't change, but who reads it can: a policy table of netlink attributes that only its parser names. */
static void part_constants(struct rk_diff *diff)
{
	rk_spans_for_each(diff->patched, span) {
		struct rk_span *twin = span->twin;
		if (!twin || !is_plain_constant(span) || !is_plain_constant(twin) ||
		    rk_span_is_same(twin, span, RK_SAME_BY_TWIN))
			continue;
		twin->twin = NULL;
		span->twin = NULL;
		span->is_parted = true;
	}
}

struct rk_err *rk_diff_correlate(struct rk_diff *diff)
{
	struct groups groups = {};
	struct rk_err *err = fill_groups(diff, &groups);

	/* variables are told apart by the functions that use them */
	rk_vec_for_each(&groups.list, it)
		if (!err && is_of_functions(*it))
			err = pair_group(*it);
	rk_vec_for_each(&groups.list, it) {
		if (!err && !is_of_functions(*it))
			err = pair_group(*it);
		rk_vec_deinit(&(*it)->orig);
		rk_vec_deinit(&(*it)->patched);
	}
	rk_vec_deinit(&groups.list);
	rk_map_deinit(&groups.by_key);
	if (!err)
		part_constants(diff);
	return err;
}
