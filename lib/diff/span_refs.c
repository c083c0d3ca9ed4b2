/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connecting spans: every relocation, and every branch the assembler resolved by itself, becomes a reference from one
 * span to a place in another; entries of special sections find their function, cold parts their parent.
 */
#include <elf.h>
#include <string.h>

#include "lib/diff/span_internal.h"

/* Branch instructions end with their 4-byte field on every architecture that has one like this. */
#define BRANCH_FIELD 4

int64_t rk_ref_bias(const struct rk_cutter *c, const struct rk_section *section,
		    const struct rk_reloc *reloc)
{
	const struct rk_reloc_kind *kind = c->out->arch->reloc_kind(reloc->type);

	if (!kind || !kind->pc_relative || !(section->flags & SHF_EXECINSTR))
		return 0;
	int64_t bias;
	_cleanup_err_ struct rk_err *err = c->out->arch->pc_bias(section, reloc, &bias);
	return err ? BRANCH_FIELD : bias;
}

int64_t rk_ref_place(uint64_t value, int64_t addend, int64_t bias)
{
	return (int64_t)(value + (uint64_t)addend + (uint64_t)bias);
}

static bool is_external(const struct rk_symbol *sym)
{
	return !sym->section;
}

/* Points ref at the span that is meant. A reference through a named symbol means that symbol whatever the offset; one
 * through a section means what lies there. */
static void aim(const struct rk_spans *spans, struct rk_ref *ref, int64_t addend)
{
	struct rk_symbol *sym = ref->symbol;

	if (is_external(sym)) {
		ref->place = rk_ref_place(0, addend, ref->bias);
		return;
	}
	int64_t at = rk_ref_place(sym->value, addend, ref->bias);
	uint64_t look = sym->type == STT_SECTION ? (at < 0 ? 0 : (uint64_t)at) : sym->value;
	ref->target = rk_spans_at(spans, sym->section, look);
	ref->place = ref->target ? (int64_t)((uint64_t)at - ref->target->offset) : at;
}

static struct rk_err *take_relocs(struct rk_spans *out, struct rk_span *span)
{
	struct rk_reloc *first = rk_section_reloc_from(span->section, span->offset);
	if (!first)
		return NULL;
	struct rk_reloc *end = span->section->relocs + span->section->nr_relocs;
	size_t n = 0;
	for (struct rk_reloc *r = first; r < end && r->offset < span->offset + span->size; r++)
		n++;
	span->refs = rk_arena_calloc(&out->arena, n, sizeof(*span->refs));
	if (!span->refs)
		return rk_err_nomem();
	for (size_t i = 0; i < n; i++) {
		const struct rk_reloc_kind *kind = out->arch->reloc_kind(first[i].type);
		if (!kind)
			return rk_err(RK_ERR_UNSUPPORTED,
				      "'%s': section '%s' has a relocation of unknown type %u",
				      out->elf->path, span->section->name, first[i].type);
		if (kind->size == 0)
			continue;
		struct rk_ref *ref = &span->refs[span->nr_refs++];
		ref->offset = first[i].offset - span->offset;
		ref->type = first[i].type;
		ref->symbol = first[i].symbol;
		ref->place = first[i].addend; /* the addend, until aim() */
		if (ref->offset + kind->size > span->size)
			return rk_err(RK_ERR_FORMAT,
				      "'%s': relocation at '%s'+0x%llx reaches beyond '%s'",
				      out->elf->path, span->section->name,
				      (unsigned long long)first[i].offset,
				      span->name ? span->name : span->section->name);
	}
	return NULL;
}

/* The references of a function while its instructions are walked, in their order. */
struct walk {
	struct rk_spans *out;
	struct rk_span *span;
	size_t next; /* of the span's references, which come from relocations */
	rk_vec(struct rk_ref) refs;
};

/* The references of one instruction: what they mean depends on where it ends. */
static struct rk_err *settle_insn(struct walk *w, uint64_t at, const struct rk_insn *insn,
				  bool *ret_has_reloc)
{
	bool has_reloc = false;

	for (; w->next < w->span->nr_refs && w->span->refs[w->next].offset < at + insn->length;
	     w->next++) {
		struct rk_ref ref = w->span->refs[w->next];
		if (w->out->arch->reloc_kind(ref.type)->pc_relative)
			ref.bias = (int64_t)(at + insn->length - ref.offset);
		bool is_operand = ref.offset == at + insn->disp_offset;
		ref.is_branch = insn->is_branch && is_operand;
		has_reloc |= is_operand;
		if (!rk_vec_push(&w->refs, ref))
			return rk_err_nomem();
	}
	*ret_has_reloc = has_reloc;
	return NULL;
}

/* The field is the reference's now; the file's content stays as it is. */
static struct rk_err *clear_field(struct walk *w, uint64_t offset)
{
	struct rk_span *span = w->span;
	uint8_t *data = (uint8_t *)span->data;

	if (span->data == span->section->data + span->offset) {
		data = rk_arena_memdup(&w->out->arena, span->data, span->size);
		if (!data)
			return rk_err_nomem();
		span->data = data;
	}
	memset(data + offset, 0, BRANCH_FIELD);
	return NULL;
}

/* gas resolves branches between functions of one section by itself; they must become references before a function can be
 * compared or moved. "schedule" calls "__schedule" like this: both are in .sched.text. */
static struct rk_err *add_branch(struct walk *w, uint64_t at, const struct rk_insn *insn)
{
	struct rk_span *target = rk_spans_at(w->out, w->span->section, (uint64_t)insn->target);

	if (insn->disp_size != BRANCH_FIELD || !target) {
		w->span->is_fixed = true;
		return NULL;
	}
	struct rk_ref ref = {
		.offset = at + insn->disp_offset,
		.type = insn->is_branch ? w->out->arch->reloc_plt32 : w->out->arch->reloc_pc32,
		.bias = insn->length - insn->disp_offset,
		.target = target,
		.place = insn->target - (int64_t)target->offset,
		.symbol = target->symbol,
		.is_branch = insn->is_branch,
	};
	if (!rk_vec_push(&w->refs, ref))
		return rk_err_nomem();
	return clear_field(w, ref.offset);
}

/* To another place of the same section: a branch over its end is data that looks like code. */
static bool leaves_span(const struct rk_span *span, const struct rk_insn *insn)
{
	if ((!insn->is_branch && !insn->is_rip_relative) || insn->target < 0 ||
	    (uint64_t)insn->target >= span->section->size)
		return false;
	return (uint64_t)insn->target < span->offset ||
	       (uint64_t)insn->target >= span->offset + span->size;
}

static struct rk_err *walk_insns(struct walk *w)
{
	struct rk_span *span = w->span;

	for (uint64_t at = 0; at < span->size;) {
		struct rk_insn insn;
		bool has_reloc;
		_cleanup_err_ struct rk_err *err = w->out->arch->decode(
			span->data + at, span->size - at, span->offset + at, &insn);
		if (err)
			break; /* data among code: what follows keeps the usual bias */
		RK_TRY(settle_insn(w, at, &insn, &has_reloc));
		if (!has_reloc && leaves_span(span, &insn))
			RK_TRY(add_branch(w, at, &insn));
		at += insn.length;
	}
	for (; w->next < span->nr_refs; w->next++) {
		struct rk_ref ref = span->refs[w->next];
		if (w->out->arch->reloc_kind(ref.type)->pc_relative)
			ref.bias = BRANCH_FIELD;
		if (!rk_vec_push(&w->refs, ref))
			return rk_err_nomem();
	}
	return NULL;
}

static struct rk_err *walk_code(struct rk_spans *out, struct rk_span *span)
{
	struct walk w = {.out = out, .span = span};
	struct rk_err *err = walk_insns(&w);

	if (!err && w.refs.nr) {
		span->refs = rk_arena_memdup(&out->arena, w.refs.v, w.refs.nr * sizeof(*w.refs.v));
		span->nr_refs = span->refs ? w.refs.nr : 0;
		err = span->refs ? NULL : rk_err_nomem();
	}
	rk_vec_deinit(&w.refs);
	return err;
}

/* Does the reference name nothing? An alternative that is no code at all points to where the next one's begins, which
 * is another function's. */
static bool is_empty_extent(const struct rk_span *entry, const struct rk_ref *ref)
{
	const struct rk_special *special = entry->special;

	return special->extent_size_offset && ref->offset == special->extent_offset &&
	       special->extent_size_offset < entry->size && entry->data &&
	       !entry->data[special->extent_size_offset];
}

static void drop_empty_extents(struct rk_span *entry)
{
	size_t kept = 0;

	for (size_t i = 0; i < entry->nr_refs; i++)
		if (!is_empty_extent(entry, &entry->refs[i]))
			entry->refs[kept++] = entry->refs[i];
	entry->nr_refs = kept;
}

static struct rk_err *connect_span(struct rk_spans *out, struct rk_span *span)
{
	RK_TRY(take_relocs(out, span));
	if (span->kind == RK_SPAN_ENTRY)
		drop_empty_extents(span);
	bool is_code = span->section->flags & SHF_EXECINSTR;
	if (is_code && span->data)
		RK_TRY(walk_code(out, span));
	for (size_t i = 0; i < span->nr_refs; i++)
		if (!span->refs[i].target)
			aim(out, &span->refs[i], span->refs[i].place);
	if (span->kind == RK_SPAN_FUNC)
		span->has_fentry = out->arch->has_fentry(span->section, span->offset, span->size);
	return NULL;
}

/* Which function an entry of a special section is about. ORC's last entry of a section points behind its last function. */
static void find_code(struct rk_span *entry)
{
	for (size_t i = 0; i < entry->nr_refs; i++)
		if (entry->refs[i].offset == entry->special->code_offset)
			entry->code = entry->refs[i].target;
}

/* A constant table of places inside functions (the labels that ___bpf_prog_run jumps to): code that is copied needs one that leads
 * to the copy. */
static void find_code_table(struct rk_span *span)
{
	if (span->kind != RK_SPAN_DATA || span->class != RK_SECTION_RODATA ||
	    span->symbol->bind != STB_LOCAL)
		return;
	for (size_t i = 0; i < span->nr_refs; i++) {
		const struct rk_ref *ref = &span->refs[i];
		if (ref->target && ref->target->kind == RK_SPAN_FUNC && ref->place)
			span->is_own_copy = true;
	}
}

/* "foo.cold" and "foo.isra.0.cold": the unlikely part gcc split off foo. */
static struct rk_err *find_parent(struct rk_spans *out, struct rk_map *functions,
				  struct rk_span *span)
{
	const char *cold = strstr(span->name, ".cold");
	if (!cold || (cold[5] != '\0' && cold[5] != '.'))
		return NULL;
	const char *name = rk_arena_strndup(&out->arena, span->name, (size_t)(cold - span->name));
	if (!name)
		return rk_err_nomem();
	struct rk_span *parent = rk_map_get(functions, name);
	if (!parent || parent == span)
		return NULL;
	struct rk_span **children =
		rk_arena_calloc(&out->arena, parent->nr_children + 1, sizeof(*children));
	if (!children)
		return rk_err_nomem();
	if (parent->nr_children)
		memcpy(children, parent->children, parent->nr_children * sizeof(*children));
	children[parent->nr_children++] = span;
	parent->children = children;
	span->parent = parent;
	return NULL;
}

static struct rk_err *find_parents(struct rk_spans *out)
{
	struct rk_map functions = {};
	struct rk_err *err = NULL;

	rk_spans_for_each(out, span)
		if (span->kind == RK_SPAN_FUNC && !rk_map_set(&functions, span->name, span))
			err = err ? err : rk_err_nomem();
	rk_spans_for_each(out, span)
		if (!err && span->kind == RK_SPAN_FUNC)
			err = find_parent(out, &functions, span);
	rk_map_deinit(&functions);
	return err;
}

/* Counting first, then filling, keeps the users of a span in one array, in the order of the object. */
static struct rk_err *find_users(struct rk_spans *out)
{
	rk_spans_for_each(out, span) {
		for (size_t i = 0; i < span->nr_refs; i++)
			if (span->refs[i].target)
				span->refs[i].target->nr_users++;
		if (span->code)
			span->code->nr_entries++;
	}
	rk_spans_for_each(out, span) {
		span->users = rk_arena_calloc(&out->arena, span->nr_users, sizeof(*span->users));
		span->entries =
			rk_arena_calloc(&out->arena, span->nr_entries, sizeof(*span->entries));
		if (!span->users || !span->entries)
			return rk_err_nomem();
		span->nr_users = 0;
		span->nr_entries = 0;
	}
	rk_spans_for_each(out, span) {
		for (size_t i = 0; i < span->nr_refs; i++) {
			struct rk_span *to = span->refs[i].target;
			if (to && to != span &&
			    (!to->nr_users || to->users[to->nr_users - 1] != span))
				to->users[to->nr_users++] = span;
		}
		if (span->code)
			span->code->entries[span->code->nr_entries++] = span;
	}
	return NULL;
}

struct rk_err *rk_spans_connect(struct rk_cutter *c)
{
	struct rk_spans *out = c->out;

	rk_spans_for_each(out, span)
		RK_TRY(connect_span(out, span));
	rk_spans_for_each(out, span) {
		if (span->kind == RK_SPAN_ENTRY)
			find_code(span);
		find_code_table(span);
	}
	RK_TRY(find_parents(out));
	return find_users(out);
}
