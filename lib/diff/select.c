/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Select: what must go into the patch module. It starts from the changed functions, carries the change to callers of those that can't be
 * redirected themselves, and then includes everything these refer to that the running kernel doesn't have or that can't be shared with it:
 * new functions and data, literals, own copies of macro-made statics, and entries of special sections.
 */
#include <elf.h>

#include "lib/diff/diff_internal.h"

struct selection {
	struct rk_diff *diff;
	rk_vec(struct rk_span *) work; /* included, references not yet followed */
};

static bool is_replaced(const struct rk_span *span)
{
	return span->is_changed || span->is_carried;
}

static bool is_patchable_class(const struct rk_span *span)
{
	return span->class == RK_SECTION_TEXT;
}

static bool has_taken_address(const struct rk_span *span)
{
	for (size_t i = 0; i < span->nr_users; i++) {
		const struct rk_span *user = span->users[i];
		if ((user->kind == RK_SPAN_ENTRY && user->code == span) ||
		    user->class == RK_SECTION_IGNORED)
			continue;
		/* a place inside isn't an address that can be called: a switch statement's table has such */
		for (size_t j = 0; j < user->nr_refs; j++)
			if (user->refs[j].target == span && !user->refs[j].is_branch &&
			    !user->refs[j].place && user->parent != span && span->parent != user)
				return true;
	}
	return false;
}

/* __do_sys_bpf() is an out-of-line copy of a kernel "inline" function, which makes it notrace: there is nothing to redirect,
 * but __x64_sys_bpf(), its only caller, can be. */
static size_t carry_to_callers(struct rk_span *span, bool *ret_more, bool *ret_init)
{
	size_t callers = 0;

	for (size_t i = 0; i < span->nr_users; i++) {
		struct rk_span *user = rk_span_root(span->users[i]);
		if (user->kind != RK_SPAN_FUNC || user == span)
			continue;
		if (!is_patchable_class(user)) {
			*ret_init = true;
			continue;
		}
		callers++;
		if (!is_replaced(user) && user->twin) {
			user->is_carried = true;
			*ret_more = true;
		}
	}
	return callers;
}

static struct rk_err *carry_one(struct rk_diff *diff, struct rk_span *span, bool *ret_more)
{
	bool is_reachable = span->symbol->bind != STB_LOCAL || has_taken_address(span);
	bool init = false;

	if (!is_reachable && carry_to_callers(span, ret_more, &init))
		return NULL;
	if (!is_reachable && init)
		return rk_finding_add(&diff->findings, RK_FINDING_INIT_CODE, diff->unit,
				      diff->object, span->name, "only init or exit code calls it");
	return rk_finding_add(&diff->findings, RK_FINDING_NO_FENTRY, diff->unit, diff->object,
			      span->name,
			      "changed function has no call to __fentry__ at its start, and %s",
			      span->symbol->bind != STB_LOCAL ? "it may be called from elsewhere"
			      : is_reachable		      ? "its address is used as data"
							      : "nothing in this unit calls it");
}

static bool needs_carrying(const struct rk_span *span)
{
	return span->kind == RK_SPAN_FUNC && !span->parent && span->twin && is_replaced(span) &&
	       is_patchable_class(span) && !span->twin->has_fentry;
}

static struct rk_err *carry(struct rk_diff *diff)
{
	struct rk_map done = {};
	struct rk_err *err = NULL;

	for (bool more = true; more && !err;) {
		more = false;
		rk_spans_for_each(diff->patched, span) {
			if (err || !needs_carrying(span) || rk_map_get_ptr(&done, span))
				continue;
			err = rk_map_set_ptr(&done, span, span) ? NULL : rk_err_nomem();
			if (!err)
				err = carry_one(diff, span, &more);
		}
	}
	rk_map_deinit(&done);
	return err;
}

static struct rk_err *include(struct selection *s, struct rk_span *span)
{
	if (span->is_included)
		return NULL;
	span->is_included = true;
	return rk_vec_push(&s->work, span) ? NULL : rk_err_nomem();
}

/* Can the running kernel's own be used instead? */
static bool is_shared(const struct rk_span *span)
{
	if (span->class == RK_SECTION_INIT || span->class == RK_SECTION_EXIT ||
	    span->class == RK_SECTION_REGISTRATION || span->class == RK_SECTION_IGNORED)
		return true;
	if (span->kind == RK_SPAN_FUNC)
		return rk_span_root((struct rk_span *)span)->twin &&
		       !is_replaced(rk_span_root((struct rk_span *)span));
	return span->kind == RK_SPAN_DATA && span->twin && !span->is_own_copy;
}

static struct rk_err *follow(struct selection *s, struct rk_span *span)
{
	for (size_t i = 0; i < span->nr_refs; i++) {
		struct rk_span *target = span->refs[i].target;
		if (target && !is_shared(target))
			RK_TRY(include(s, target));
	}
	if (span->kind != RK_SPAN_FUNC)
		return NULL;
	if (span->is_fixed)
		RK_TRY(rk_finding_add(&s->diff->findings, RK_FINDING_SECTION_CHANGED, s->diff->unit,
				      s->diff->object, span->name,
				      "a short branch ties it to its neighbour in section '%s'",
				      span->section->name));
	RK_TRY(include(s, rk_span_root(span)));
	for (size_t i = 0; i < span->nr_children; i++)
		RK_TRY(include(s, span->children[i]));
	for (size_t i = 0; i < span->nr_entries; i++)
		RK_TRY(include(s, span->entries[i]));
	return NULL;
}

static bool is_new_global(const struct rk_span *span)
{
	return span->symbol && span->symbol->bind != STB_LOCAL && !span->twin &&
	       !span->is_own_copy &&
	       (span->class == RK_SECTION_TEXT || span->class == RK_SECTION_DATA ||
		span->class == RK_SECTION_RODATA);
}

static bool is_root(const struct rk_span *span)
{
	return span->kind == RK_SPAN_FUNC && is_replaced(span) && is_patchable_class(span);
}

static struct rk_err *include_callback(struct selection *s, struct rk_span *function)
{
	if (is_patchable_class(function))
		return include(s, function);
	return rk_finding_add(&s->diff->findings, RK_FINDING_INIT_CODE, s->diff->unit,
			      s->diff->object, function->name,
			      "a callback in section '%s' is gone when it is to run",
			      function->section->name);
}

static struct rk_err *include_all(struct selection *s)
{
	rk_spans_for_each(s->diff->patched, span)
		if (is_root(span) || is_new_global(span))
			RK_TRY(include(s, span));
	rk_vec_for_each(&s->diff->marks, mark)
		if (mark->function)
			RK_TRY(include_callback(s, mark->function));
	for (size_t i = 0; i < s->work.nr; i++)
		RK_TRY(follow(s, s->work.v[i]));
	return NULL;
}

static struct rk_err *collect(struct rk_diff *diff)
{
	rk_spans_for_each(diff->patched, span) {
		if (span->is_included && !rk_vec_push(&diff->included, span))
			return rk_err_nomem();
		bool redirected = span->is_included && span->kind == RK_SPAN_FUNC &&
				  !span->parent && span->twin && is_replaced(span) &&
				  span->twin->has_fentry;
		if (redirected && !rk_vec_push(&diff->functions, span))
			return rk_err_nomem();
	}
	return NULL;
}

struct rk_err *rk_diff_select(struct rk_diff *diff)
{
	RK_TRY(carry(diff));
	struct selection s = {.diff = diff};
	struct rk_err *err = include_all(&s);
	rk_vec_deinit(&s.work);
	if (err)
		return err;
	return collect(diff);
}
