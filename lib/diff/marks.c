/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Marks: what the author of a fix says with the macros of include/kpatch-macros.h. Each is a small structure in a section
 * of its own in the patched object, which is read here and goes nowhere.
 */
#include <elf.h>
#include <endian.h>

#include "lib/diff/diff_internal.h"

_Static_assert(sizeof(struct kpatch_mark) == 24, "the same on both sides");

static const char *const names[KPATCH_MARK_KINDS] = {
	[KPATCH_MARK_PRE_PATCH] = "pre_patch",
	[KPATCH_MARK_POST_PATCH] = "post_patch",
	[KPATCH_MARK_PRE_UNPATCH] = "pre_unpatch",
	[KPATCH_MARK_POST_UNPATCH] = "post_unpatch",
	[KPATCH_MARK_IGNORE_SECTION] = "ignore-section",
	[KPATCH_MARK_IGNORE_FUNCTION] = "ignore-function",
	[KPATCH_MARK_FORCE_UNSAFE] = "force-unsafe",
	[KPATCH_MARK_STATE] = "state",
	[KPATCH_MARK_SHADOW_ID] = "shadow-id",
};

const char *rk_mark_name(enum kpatch_mark_kind kind)
{
	return names[kind];
}

/* More than anybody writes by hand. */
#define MARKS_MAX 4096

static struct rk_err *malformed(const struct rk_diff *diff, const struct rk_span *span,
				const char *what)
{
	return rk_err(RK_ERR_FORMAT, "'%s': the mark at '%s'+0x%llx %s", diff->patched->elf->path,
		      span->section->name, (unsigned long long)span->offset, what);
}

static const struct rk_ref *subject_ref(const struct rk_span *span)
{
	for (size_t i = 0; i < span->nr_refs; i++)
		if (span->refs[i].offset == offsetof(struct kpatch_mark, subject))
			return &span->refs[i];
	return NULL;
}

/* A literal may be shared with a longer one of which it is the end. */
static const char *text_at(struct rk_arena *arena, const struct rk_ref *ref)
{
	const struct rk_span *to = ref ? ref->target : NULL;

	if (!to || !to->data || ref->place < 0 || (uint64_t)ref->place >= to->size ||
	    !memchr(to->data + ref->place, 0, to->size - (uint64_t)ref->place))
		return NULL;
	return rk_arena_strdup(arena, (const char *)to->data + ref->place);
}

static struct rk_err *read_subject(struct rk_diff *diff, const struct rk_span *span,
				   struct rk_mark *mark)
{
	const struct rk_ref *ref = subject_ref(span);

	switch (mark->kind) {
	case KPATCH_MARK_PRE_PATCH:
	case KPATCH_MARK_POST_PATCH:
	case KPATCH_MARK_PRE_UNPATCH:
	case KPATCH_MARK_POST_UNPATCH:
		if (!ref || !ref->target || ref->target->kind != RK_SPAN_FUNC || ref->place)
			return malformed(diff, span, "names no function of this unit");
		mark->function = ref->target;
		return NULL;
	case KPATCH_MARK_IGNORE_SECTION:
	case KPATCH_MARK_IGNORE_FUNCTION:
	case KPATCH_MARK_FORCE_UNSAFE:
		mark->name = text_at(&diff->arena, ref);
		return mark->name ? NULL : malformed(diff, span, "has no name");
	default: return NULL;
	}
}

static struct rk_err *read_mark(struct rk_diff *diff, const struct rk_span *span)
{
	struct kpatch_mark raw;
	struct rk_mark mark = {};

	if (span->size != sizeof(raw) || !span->data)
		return malformed(diff, span, "has another size than ours");
	memcpy(&raw, span->data, sizeof(raw));
	if (le32toh(raw.kind) >= KPATCH_MARK_KINDS || diff->marks.nr >= MARKS_MAX)
		return malformed(diff, span, "isn't of a kind we know");
	mark.kind = (enum kpatch_mark_kind)le32toh(raw.kind);
	mark.version = le32toh(raw.version);
	mark.id = le64toh(raw.id);
	RK_TRY(read_subject(diff, span, &mark));
	return rk_vec_push(&diff->marks, mark) ? NULL : rk_err_nomem();
}

struct rk_err *rk_diff_read_marks(struct rk_diff *diff)
{
	rk_spans_for_each(diff->patched, span)
		if (rk_streq(span->section->name, KPATCH_MARKS_SECTION))
			RK_TRY(read_mark(diff, span));
	return NULL;
}

/* "fn" means all of what the compiler made of it: fn, fn.isra.0, fn.cold. */
static bool is_named(const struct rk_span *span, const char *name)
{
	size_t n = strlen(name);

	return span->name && strncmp(span->name, name, n) == 0 &&
	       (span->name[n] == '\0' || span->name[n] == '.');
}

static struct rk_err *add(struct rk_diff *diff, enum rk_finding_code code, const char *symbol,
			  const char *text)
{
	return rk_finding_add(&diff->findings, code, diff->unit, diff->object, symbol, "%s", text);
}

static struct rk_err *ignore_function(struct rk_diff *diff, const char *name)
{
	bool was_changed = false;

	rk_spans_for_each(diff->patched, span) {
		if (span->kind != RK_SPAN_FUNC || !is_named(rk_span_root(span), name) ||
		    !span->is_changed)
			continue;
		span->is_changed = false;
		was_changed = true;
	}
	return was_changed ? add(diff, RK_FINDING_IGNORED, name,
				 "KPATCH_IGNORE_FUNCTION: the running kernel's is kept")
			   : NULL;
}

struct rk_err *rk_diff_apply_marks(struct rk_diff *diff)
{
	rk_vec_for_each(&diff->marks, mark) {
		if (mark->kind == KPATCH_MARK_IGNORE_FUNCTION)
			RK_TRY(ignore_function(diff, mark->name));
		if (mark->kind == KPATCH_MARK_FORCE_UNSAFE)
			RK_TRY(add(diff, RK_FINDING_FORCE_UNSAFE, mark->name,
				   "KPATCH_FORCE_UNSAFE has no effect"));
	}
	return NULL;
}

struct rk_err *rk_diff_is_ignored(struct rk_diff *diff, const struct rk_span *span, bool *ret)
{
	*ret = false;
	rk_vec_for_each(&diff->marks, mark) {
		if (mark->kind != KPATCH_MARK_IGNORE_SECTION ||
		    !rk_streq(mark->name, span->section->name))
			continue;
		*ret = true;
		return add(diff, RK_FINDING_IGNORED, mark->name,
			   "KPATCH_IGNORE_SECTION: what changed there doesn't count");
	}
	return NULL;
}
