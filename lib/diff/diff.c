/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The diff of one object pair from start to end, and its readable dump. */
#include <elf.h>

#include "lib/diff/diff_internal.h"

void rk_diff_free(struct rk_diff *diff)
{
	if (!diff)
		return;
	rk_spans_free(diff->orig);
	rk_spans_free(diff->patched);
	rk_vec_deinit(&diff->included);
	rk_vec_deinit(&diff->functions);
	rk_vec_deinit(&diff->prototypes);
	rk_vec_deinit(&diff->marks);
	rk_findings_deinit(&diff->findings);
	rk_arena_deinit(&diff->arena);
	free(diff);
}

static struct rk_err *run_phases(struct rk_diff *diff, struct rk_elf *orig, struct rk_elf *patched)
{
	if (orig->machine != patched->machine)
		return rk_err(RK_ERR_MISMATCH, "'%s' and '%s' are for different machines",
			      orig->path, patched->path);
	RK_TRY(rk_spans_create(orig, &diff->orig));
	RK_TRY(rk_spans_create(patched, &diff->patched));
	RK_TRY(rk_diff_read_marks(diff));
	RK_TRY(rk_diff_correlate(diff));
	RK_TRY(rk_diff_compare(diff));
	RK_TRY(rk_diff_apply_marks(diff));
	RK_TRY(rk_diff_select(diff));
	RK_TRY(rk_diff_report(diff));
	RK_TRY(rk_diff_types(diff));
	rk_findings_sort(&diff->findings);
	return NULL;
}

struct rk_err *rk_diff_create(const char *unit, const char *object, struct rk_elf *orig,
			      struct rk_elf *patched, struct rk_diff **ret)
{
	struct rk_diff *diff = calloc(1, sizeof(*diff));
	if (!diff)
		return rk_err_nomem();
	diff->unit = rk_arena_strdup(&diff->arena, unit);
	diff->object = rk_arena_strdup(&diff->arena, object);
	struct rk_err *err =
		diff->unit && diff->object ? run_phases(diff, orig, patched) : rk_err_nomem();
	if (err) {
		rk_diff_free(diff);
		return rk_err_wrap(err, "'%s'", unit);
	}
	*ret = diff;
	return NULL;
}

bool rk_diff_is_exported(const struct rk_spans *spans, const char *name)
{
	rk_spans_for_each(spans, span) {
		if (!rk_has_prefix(span->section->name, "___ksymtab"))
			continue;
		const char *plus = strchr(span->section->name, '+');
		if (plus && rk_streq(plus + 1, name))
			return true;
	}
	return false;
}

static void dump_ref(struct rk_str *out, struct rk_arena *arena, const struct rk_span *span,
		     const struct rk_ref *ref, const struct rk_arch *arch)
{
	const char *to = ref->target ? rk_span_describe(arena, ref->target) : ref->symbol->name;
	const char *how = !ref->target		     ? "external"
			  : ref->target->is_included ? "included"
						     : "kernel's";
	(void)span;
	rk_str_addf(out, "    +0x%llx %s %s%+lld %s%s\n", (unsigned long long)ref->offset,
		    arch->reloc_kind(ref->type)->name, to, (long long)ref->place, how,
		    ref->is_branch ? " branch" : "");
}

static const char *state_of(const struct rk_span *span)
{
	if (span->kind != RK_SPAN_FUNC && span->kind != RK_SPAN_DATA)
		return "";
	if (span->is_own_copy)
		return " own copy";
	if (!span->twin)
		return " new";
	return span->is_changed ? " changed" : span->is_carried ? " carried" : " with its function";
}

static void dump_mark(struct rk_str *out, const struct rk_mark *mark)
{
	const char *what = mark->function ? mark->function->name : mark->name;

	rk_str_addf(out, "mark %s", rk_mark_name(mark->kind));
	if (what)
		rk_str_addf(out, " %s", what);
	if (mark->id)
		rk_str_addf(out, " %llu", (unsigned long long)mark->id);
	if (mark->version)
		rk_str_addf(out, " version %u", mark->version);
	rk_str_add_char(out, '\n');
}

struct rk_err *rk_diff_dump(const struct rk_diff *diff, char **ret)
{
	static const char *const kinds[] = {"function", "data",	 "string",
					    "constant", "entry", "bytes"};
	_cleanup_str_ struct rk_str out = RK_STR_INIT;
	_cleanup_arena_ struct rk_arena arena = RK_ARENA_INIT;

	rk_str_addf(&out, "unit %s in %s\n", diff->unit, diff->object);
	rk_vec_for_each(&diff->functions, it)
		rk_str_addf(&out, "redirect %s to %s\n", (*it)->twin->name, (*it)->name);
	rk_vec_for_each(&diff->prototypes, it)
		rk_str_addf(&out, "prototype of %s\n", *it);
	rk_vec_for_each(&diff->marks, mark)
		dump_mark(&out, mark);
	rk_vec_for_each(&diff->included, it) {
		const struct rk_span *span = *it;
		const char *what = rk_span_describe(&arena, span);
		rk_str_addf(&out, "%s %s%s in %s, %llu bytes\n", kinds[span->kind],
			    what ? what : "?", state_of(span), span->section->name,
			    (unsigned long long)span->size);
		for (size_t i = 0; i < span->nr_refs; i++)
			dump_ref(&out, &arena, span, &span->refs[i], diff->patched->arch);
	}
	rk_vec_for_each(&diff->findings.list, f)
		rk_str_addf(&out, "%s %s %s: %s\n", rk_severity_name(f->severity),
			    rk_finding_code_name(f->code), f->symbol ? f->symbol : "-", f->text);
	return rk_str_take(&out, ret);
}
