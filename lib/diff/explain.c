/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Explain: in one line, where a span begins to differ from its twin: the first instruction, pointer, byte or entry. */
#include <string.h>

#include "lib/diff/diff_internal.h"

static const char *target_text(struct rk_arena *arena, const struct rk_ref *ref)
{
	const char *name = ref->target ? rk_span_describe(arena, ref->target) : ref->symbol->name;

	if (!name || !ref->place || (ref->target && ref->target->kind == RK_SPAN_STRING))
		return name;
	return rk_arena_printf(arena, "%s%+lld", name, (long long)ref->place);
}

static const char *of_pointers(struct rk_arena *arena, const struct rk_ref *was,
			       const struct rk_ref *now)
{
	const char *a = target_text(arena, was), *b = target_text(arena, now);

	if (!a || !b)
		return NULL;
	return rk_arena_printf(arena, "the pointer at offset %llu was to %s, now to %s",
			       (unsigned long long)was->offset, a, b);
}

static const char *of_data(struct rk_arena *arena, const struct rk_span *was,
			   const struct rk_span *now)
{
	for (size_t i = 0; i < was->nr_refs && i < now->nr_refs; i++)
		if (!rk_ref_is_same(&was->refs[i], &now->refs[i], RK_SAME_BY_TWIN))
			return of_pointers(arena, &was->refs[i], &now->refs[i]);
	if (was->nr_refs != now->nr_refs)
		return rk_arena_printf(arena, "it had %zu pointers, now %zu", was->nr_refs,
				       now->nr_refs);
	for (uint64_t i = 0; was->data && now->data && i < was->size && i < now->size; i++)
		if (was->data[i] != now->data[i])
			return rk_arena_printf(arena,
					       "the byte at offset %llu was 0x%02x, now 0x%02x",
					       (unsigned long long)i, was->data[i], now->data[i]);
	return "it moved between initialised and zeroed memory";
}

/* A function that is read from its start, one instruction at a time. */
struct reader {
	const struct rk_span *span;
	const struct rk_arch *arch;
	uint64_t at;
	struct rk_insn
		insn;	 /* at at; its length is 0 at the end and where nothing can be decoded */
	size_t ref, end; /* its references */
};

static void read_instruction(struct reader *r)
{
	const struct rk_span *span = r->span;

	r->insn = (struct rk_insn){};
	if (r->at < span->size && span->data)
		rk_err_free(
			r->arch->decode(span->data + r->at, span->size - r->at, r->at, &r->insn));
	r->ref = r->end;
	while (r->end < span->nr_refs && span->refs[r->end].offset < r->at + r->insn.length)
		r->end++;
}

static void next_instruction(struct reader *r)
{
	r->at += r->insn.length;
	read_instruction(r);
}

static bool has_same_refs(const struct reader *a, const struct reader *b)
{
	if (a->end - a->ref != b->end - b->ref)
		return false;
	for (size_t i = 0; i < a->end - a->ref; i++)
		if (!rk_ref_is_same(&a->span->refs[a->ref + i], &b->span->refs[b->ref + i],
				    RK_SAME_BY_TWIN))
			return false;
	return true;
}

/* The first bytes of both instructions, of the same length. */
static bool has_same_bytes(const struct reader *a, const struct reader *b, size_t size)
{
	return memcmp(a->span->data + a->at, b->span->data + b->at, size) == 0;
}

/* A jump within the function whose distance only differs because of what lies between. */
static bool is_same_jump(const struct reader *a, const struct reader *b)
{
	return a->insn.is_branch && a->ref == a->end && b->insn.disp_size == a->insn.disp_size &&
	       b->insn.disp_offset == a->insn.disp_offset &&
	       has_same_bytes(a, b, a->insn.disp_offset);
}

/* "'call printk'", "'mov eax, [rip] (count)'" */
static const char *instruction_text(struct rk_arena *arena, const struct reader *r)
{
	char text[RK_INSN_TEXT_SIZE];

	if (r->at >= r->span->size)
		return "the end";
	if (!r->insn.length)
		return "no instruction";
	struct rk_err *err = r->arch->disassemble(r->span->data + r->at, r->insn.length, r->at,
						  text, sizeof(text));
	if (err) {
		rk_err_free(err);
		return "an instruction";
	}
	if (r->ref == r->end)
		return rk_arena_printf(arena, "'%s'", text);
	const struct rk_ref *ref = &r->span->refs[r->ref];
	const char *to = target_text(arena, ref);
	if (!to)
		return NULL;
	if (ref->is_branch)
		return rk_arena_printf(arena, "'%.*s %s'", (int)strcspn(text, " "), text, to);
	return rk_arena_printf(arena, "'%s' (%s)", text, to);
}

static const char *of_instructions(struct rk_arena *arena, const struct reader *was,
				   const struct reader *now)
{
	const char *a = instruction_text(arena, was), *b = instruction_text(arena, now);

	if (!a || !b)
		return NULL;
	return rk_arena_printf(arena, "+0x%llx was %s, now %s", (unsigned long long)was->at, a, b);
}

/* Reads both to the first instruction that differs; false if there is none. */
static bool find_difference(struct reader *a, struct reader *b)
{
	struct reader jump_a = {}, jump_b = {};

	read_instruction(a);
	read_instruction(b);
	for (; a->insn.length && a->insn.length == b->insn.length && has_same_refs(a, b);
	     next_instruction(a), next_instruction(b)) {
		if (has_same_bytes(a, b, a->insn.length))
			continue;
		if (!is_same_jump(a, b))
			return true;
		if (!jump_a.span) {
			jump_a = *a;
			jump_b = *b;
		}
	}
	if (a->at < a->span->size || b->at < b->span->size)
		return true;
	if (!jump_a.span)
		return false;
	*a = jump_a;
	*b = jump_b;
	return true;
}

static const char *of_function(struct rk_arena *arena, const struct rk_arch *arch,
			       const struct rk_span *now)
{
	struct reader a = {.span = now->twin, .arch = arch}, b = {.span = now, .arch = arch};

	if (find_difference(&a, &b))
		return of_instructions(arena, &a, &b);
	const struct rk_span *entry = rk_span_different_entry(now->twin, now);
	if (entry)
		return rk_arena_printf(arena, "what '%s' says of it", entry->section->name);
	for (size_t i = 0; i < now->nr_children; i++) {
		const struct rk_span *part = now->children[i];
		if (!part->twin)
			return rk_arena_printf(arena, "its part '%s' is new", part->name);
		const char *text = part->is_changed ? of_function(arena, arch, part) : NULL;
		if (text)
			return rk_arena_printf(arena, "%s in '%s'", text, part->name);
	}
	return "a part of it is gone";
}

static const char *of_carried(struct rk_arena *arena, const struct rk_span *span)
{
	for (size_t i = 0; i < span->nr_refs; i++) {
		const struct rk_span *to = span->refs[i].target;
		if (to && to->kind == RK_SPAN_FUNC && (to->is_changed || to->is_carried) &&
		    to->twin && !to->twin->has_fentry)
			return rk_arena_printf(arena, "calls '%s', which has no ftrace entry",
					       to->name);
	}
	return "calls a changed function that has no ftrace entry";
}

const char *rk_diff_explain(const struct rk_diff *diff, struct rk_arena *arena,
			    const struct rk_span *span)
{
	if (span->kind != RK_SPAN_FUNC)
		return of_data(arena, span->twin, span);
	if (span->is_changed)
		return of_function(arena, diff->patched->arch, span);
	return of_carried(arena, span);
}
