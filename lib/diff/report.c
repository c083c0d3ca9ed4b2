/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Report: what a human must know about data, sections, and things that are new or gone. The table of codes says how bad each is. */
#include <elf.h>
#include <string.h>

#include "lib/diff/diff_internal.h"

static struct rk_err *add(struct rk_diff *diff, enum rk_finding_code code,
			  const struct rk_span *span, const char *text)
{
	return rk_finding_add(&diff->findings, code, diff->unit, diff->object, span->name, "%s",
			      text);
}

static bool is_written(const struct rk_span *span)
{
	return span->class == RK_SECTION_DATA;
}

static struct rk_err *report_variable(struct rk_diff *diff, const struct rk_span *span)
{
	const struct rk_span *twin = span->twin;
	const char *text = NULL;
	enum rk_finding_code code = RK_FINDING_DATA_CHANGED;

	if (twin->size != span->size) {
		code = RK_FINDING_DATA_SIZE_CHANGED;
		text = rk_arena_printf(&diff->arena, "%llu bytes, now %llu",
				       (unsigned long long)twin->size,
				       (unsigned long long)span->size);
	} else if (!rk_span_is_same(twin, span, RK_SAME_BY_TWIN)) {
		text = rk_diff_explain(diff, &diff->arena, span);
	} else if (twin->class != span->class) {
		code = RK_FINDING_SECTION_CHANGED;
		text = rk_arena_printf(&diff->arena, "moved from section '%s' to '%s'",
				       twin->section->name, span->section->name);
	} else {
		return NULL;
	}
	bool is_ignored;
	RK_TRY(rk_diff_is_ignored(diff, span, &is_ignored));
	if (is_ignored)
		return NULL;
	if (!text)
		return rk_err_nomem();
	if (span->class == RK_SECTION_INIT && twin->class == RK_SECTION_INIT)
		code = RK_FINDING_INIT_CODE;
	return add(diff, code, span, text);
}

static struct rk_err *report_function(struct rk_diff *diff, const struct rk_span *span)
{
	if (span->twin->class != span->class)
		return rk_finding_add(&diff->findings, RK_FINDING_SECTION_CHANGED, diff->unit,
				      diff->object, span->name, "moved from section '%s' to '%s'",
				      span->twin->section->name, span->section->name);
	if (span->is_changed && (span->class == RK_SECTION_INIT || span->class == RK_SECTION_EXIT))
		return rk_finding_add(&diff->findings, RK_FINDING_INIT_CODE, diff->unit,
				      diff->object, span->name, "changed code in section '%s'",
				      span->section->name);
	if (span->is_carried && !span->is_changed)
		return add(diff, RK_FINDING_EXTRA_FUNCTION, span,
			   "replaced because it calls a changed function that has no ftrace entry");
	return NULL;
}

static struct rk_err *report_new(struct rk_diff *diff, const struct rk_span *span)
{
	if (!span->is_included || span->is_own_copy)
		return NULL;
	if (rk_streq(span->section->name, ".BTF_ids"))
		return add(
			diff, RK_FINDING_SPECIAL_SECTION, span,
			"type numbers of new code would stay 0: the kernel's build fills them in");
	if (span->is_parted)
		return rk_finding_add(
			&diff->findings, RK_FINDING_NEW_DATA, diff->unit, diff->object, span->name,
			"a constant changed: the functions that read it are replaced and have their own");
	if (span->kind == RK_SPAN_DATA && is_written(span))
		return add(diff,
			   span->is_numbered ? RK_FINDING_STATIC_LOCAL_ADDED : RK_FINDING_NEW_DATA,
			   span,
			   span->is_numbered ? "a static local variable is new"
					     : "a variable is new");
	if (span->kind == RK_SPAN_FUNC && !span->parent && strchr(span->name, '.'))
		return add(diff, RK_FINDING_IPA_CHANGED, span, "a clone the original doesn't have");
	return NULL;
}

static struct rk_err *report_removed(struct rk_diff *diff, const struct rk_span *span)
{
	if (span->kind == RK_SPAN_FUNC && !span->parent && strchr(span->name, '.'))
		return add(diff, RK_FINDING_IPA_CHANGED, span,
			   "a clone the patched code no longer has; what called it is replaced");
	if (span->kind != RK_SPAN_DATA || !is_written(span))
		return NULL;
	if (span->is_ambiguous)
		return add(diff, RK_FINDING_STATIC_LOCAL_REMOVED, span,
			   "can't be told apart from another one of that name");
	return add(diff,
		   span->is_numbered ? RK_FINDING_STATIC_LOCAL_REMOVED : RK_FINDING_DATA_REMOVED,
		   span,
		   span->is_numbered
			   ? "a static local variable has no counterpart in the patched code"
			   : "a variable is gone");
}

struct rk_err *rk_diff_report(struct rk_diff *diff)
{
	rk_spans_for_each(diff->patched, span) {
		if (!span->name || span->class == RK_SECTION_IGNORED ||
		    span->class == RK_SECTION_REGISTRATION)
			continue;
		if (!span->twin)
			RK_TRY(report_new(diff, span));
		else if (span->kind == RK_SPAN_FUNC)
			RK_TRY(report_function(diff, span));
		else
			RK_TRY(report_variable(diff, span));
	}
	rk_spans_for_each(diff->orig, span)
		if (span->name && !span->twin && !span->is_own_copy)
			RK_TRY(report_removed(diff, span));
	RK_TRY(rk_diff_report_leftovers(diff));
	RK_TRY(rk_diff_report_registrations(diff));
	RK_TRY(rk_diff_report_hazards(diff));
	return rk_diff_report_escapes(diff);
}
