/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cutting an object into spans: where one ends and the next begins, per kind of section. */
#include <elf.h>
#include <string.h>

#include "lib/diff/span_internal.h"

/* An object of the kernel's largest units (drivers/gpu tables) has some 30,000; more is a broken file. */
#define SPANS_MAX 1000000

static struct rk_err *add_span(struct rk_cutter *c, struct rk_section *section,
			       enum rk_span_kind kind, uint64_t offset, uint64_t size,
			       struct rk_span **ret)
{
	if (c->list.nr >= SPANS_MAX)
		return rk_err(RK_ERR_LIMIT, "'%s': more than %u spans", c->out->elf->path,
			      SPANS_MAX);
	struct rk_span *span = rk_arena_new(&c->out->arena, struct rk_span);
	if (!span || !rk_vec_push(&c->list, span))
		return rk_err_nomem();
	span->kind = kind;
	span->class = rk_section_classify(c->out->arch, section);
	span->section = section;
	span->offset = offset;
	span->size = size;
	span->data = section->data ? section->data + offset : NULL;
	if (ret)
		*ret = span;
	return NULL;
}

static bool is_executable(const struct rk_section *section)
{
	return section->flags & SHF_EXECINSTR;
}

/* Does the symbol begin a span? Labels inside functions don't. */
static bool is_cutting(const struct rk_symbol *sym)
{
	if (is_executable(sym->section))
		return sym->type == STT_FUNC;
	return sym->type == STT_OBJECT || sym->type == STT_NOTYPE || sym->type == STT_FUNC;
}

/* Bytes between two symbols: alignment, unless something is in there. */
static bool is_padding(const struct rk_section *section, uint64_t from, uint64_t to)
{
	const struct rk_reloc *reloc = rk_section_reloc_from(section, from);
	if (reloc && reloc->offset < to)
		return false;
	if (!section->data || is_executable(section))
		return true;
	for (uint64_t i = from; i < to; i++)
		if (section->data[i])
			return false;
	return true;
}

static struct rk_err *add_gap(struct rk_cutter *c, struct rk_section *section, uint64_t from,
			      uint64_t to)
{
	if (from >= to || is_padding(section, from, to))
		return NULL;
	return add_span(c, section, RK_SPAN_ANON, from, to - from, NULL);
}

static bool is_label(const struct rk_symbol *sym)
{
	return rk_has_prefix(sym->name, "__BTF_ID__");
}

static bool is_better_name(const struct rk_symbol *a, const struct rk_symbol *b)
{
	if (is_label(a) != is_label(b))
		return is_label(b);
	return a->bind != STB_LOCAL && b->bind == STB_LOCAL;
}

static struct rk_err *name_span(struct rk_cutter *c, struct rk_span *span, struct rk_symbol *sym)
{
	span->symbol = sym;
	span->name = sym->name;
	span->base = rk_name_base(&c->out->arena, sym->name, &span->is_numbered);
	if (!span->base)
		return rk_err_nomem();
	span->is_own_copy = (span->is_numbered && rk_name_is_own_copy(span->base, span->section)) ||
			    (sym->bind == STB_LOCAL && rk_streq(span->section->name, ".data.once"));
	return NULL;
}

/* The end of a symbol without a size: the next symbol that begins a span. */
static uint64_t end_of_unsized(const struct rk_section *section, size_t i)
{
	for (size_t j = i + 1; j < section->nr_symbols; j++)
		if (section->symbols[j]->value > section->symbols[i]->value &&
		    is_cutting(section->symbols[j]))
			return section->symbols[j]->value;
	return section->size;
}

static struct rk_err *cut_at_symbols(struct rk_cutter *c, struct rk_section *section)
{
	uint64_t pos = 0;
	struct rk_span *last = NULL;

	for (size_t i = 0; i < section->nr_symbols; i++) {
		struct rk_symbol *sym = section->symbols[i];
		if (!is_cutting(sym) || sym->value > section->size)
			continue;
		uint64_t end = sym->size ? sym->value + sym->size : end_of_unsized(section, i);
		if (end > section->size || end < sym->value)
			return rk_err(RK_ERR_FORMAT,
				      "'%s': symbol '%s' reaches beyond section '%s'",
				      c->out->elf->path, sym->name, section->name);
		if (last && sym->value == last->offset) {
			if (end > pos) {
				last->size = end - last->offset;
				pos = end;
			}
			if (is_better_name(sym, last->symbol))
				RK_TRY(name_span(c, last, sym));
			continue;
		}
		if (last && sym->value < pos)
			continue;
		RK_TRY(add_gap(c, section, pos, sym->value));
		enum rk_span_kind kind = is_executable(section) ? RK_SPAN_FUNC : RK_SPAN_DATA;
		RK_TRY(add_span(c, section, kind, sym->value, end - sym->value, &last));
		RK_TRY(name_span(c, last, sym));
		pos = end;
	}
	return add_gap(c, section, pos, section->size);
}

static struct rk_err *cut_strings(struct rk_cutter *c, struct rk_section *section)
{
	for (uint64_t pos = 0; pos < section->size;) {
		const uint8_t *nul = memchr(section->data + pos, 0, section->size - pos);
		uint64_t end = nul ? (uint64_t)(nul - section->data) + 1 : section->size;
		RK_TRY(add_span(c, section, RK_SPAN_STRING, pos, end - pos, NULL));
		pos = end;
	}
	return NULL;
}

static struct rk_err *cut_fixed(struct rk_cutter *c, struct rk_section *section,
				enum rk_span_kind kind, uint64_t entsize,
				const struct rk_special *special)
{
	if (section->size % entsize)
		return rk_err(RK_ERR_FORMAT,
			      "'%s': size of '%s' (%llu) is no multiple of its entries (%llu)",
			      c->out->elf->path, section->name, (unsigned long long)section->size,
			      (unsigned long long)entsize);
	for (uint64_t pos = 0; pos < section->size; pos += entsize) {
		struct rk_span *span;
		RK_TRY(add_span(c, section, kind, pos, entsize, &span));
		span->special = special;
	}
	return NULL;
}

static int compare_offsets(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

/* Code without symbols (.altinstr_replacement, .altinstr_aux) is cut where something points to. */
static struct rk_err *cut_at_references(struct rk_cutter *c, struct rk_section *section)
{
	rk_vec(uint64_t) cuts = {};
	struct rk_err *err = NULL;
	bool ok = rk_vec_push(&cuts, 0);

	rk_elf_for_each_section(c->out->elf, from) {
		if (!(from->flags & SHF_ALLOC))
			continue;
		rk_elf_for_each_reloc(from, r) {
			if (r->symbol->section != section)
				continue;
			int64_t at =
				rk_ref_place(r->symbol->value, r->addend, rk_ref_bias(c, from, r));
			if (at > 0 && (uint64_t)at < section->size)
				ok = ok && rk_vec_push(&cuts, (uint64_t)at);
		}
	}
	if (ok) {
		qsort(cuts.v, cuts.nr, sizeof(*cuts.v), compare_offsets);
		for (size_t i = 0; i < cuts.nr && !err; i++) {
			uint64_t end = i + 1 < cuts.nr ? cuts.v[i + 1] : section->size;
			if (end > cuts.v[i])
				err = add_span(c, section, RK_SPAN_ANON, cuts.v[i], end - cuts.v[i],
					       NULL);
		}
	}
	rk_vec_deinit(&cuts);
	return ok ? err : rk_err_nomem();
}

/* Does every entry name its code? */
static bool has_entries_of(const struct rk_section *section, const struct rk_special *special)
{
	if (section->size % special->entry_size)
		return false;
	for (uint64_t at = special->code_offset; at < section->size; at += special->entry_size) {
		const struct rk_reloc *reloc = rk_section_reloc_from(section, at);
		if (!reloc || reloc->offset != at)
			return false;
	}
	return true;
}

static const struct rk_special *find_special(const struct rk_arch *arch,
					     const struct rk_section *section)
{
	const struct rk_special *first = NULL;

	for (const struct rk_special *sp = arch->specials; sp->name; sp++) {
		if (!rk_streq(sp->name, section->name))
			continue;
		if (has_entries_of(section, sp))
			return sp;
		first = first ? first : sp;
	}
	return first;
}

static bool has_cutting_symbol(const struct rk_section *section)
{
	for (size_t i = 0; i < section->nr_symbols; i++)
		if (is_cutting(section->symbols[i]))
			return true;
	return false;
}

static struct rk_err *cut_section(struct rk_cutter *c, struct rk_section *section)
{
	const struct rk_special *special = find_special(c->out->arch, section);

	if (!section->size && !has_cutting_symbol(section))
		return NULL;
	if (special)
		return cut_fixed(c, section, RK_SPAN_ENTRY, special->entry_size, special);
	if ((section->flags & SHF_MERGE) && section->data) {
		if (section->flags & SHF_STRINGS && section->entsize == 1)
			return cut_strings(c, section);
		if (!(section->flags & SHF_STRINGS) && section->entsize &&
		    section->size % section->entsize == 0)
			return cut_fixed(c, section, RK_SPAN_CONST, section->entsize, NULL);
	}
	if (has_cutting_symbol(section))
		return cut_at_symbols(c, section);
	if (is_executable(section))
		return cut_at_references(c, section);
	return add_span(c, section, RK_SPAN_ANON, 0, section->size, NULL);
}

static struct rk_err *index_spans(struct rk_spans *out, struct rk_cutter *c)
{
	out->spans = rk_arena_memdup(&out->arena, c->list.v, c->list.nr * sizeof(*c->list.v));
	out->by_section =
		rk_arena_calloc(&out->arena, out->elf->nr_sections, sizeof(*out->by_section));
	out->nr_by_section =
		rk_arena_calloc(&out->arena, out->elf->nr_sections, sizeof(*out->nr_by_section));
	if ((c->list.nr && !out->spans) || !out->by_section || !out->nr_by_section)
		return rk_err_nomem();
	out->nr_spans = c->list.nr;
	for (size_t i = 0; i < out->nr_spans; i++) {
		uint32_t index = out->spans[i]->section->index;
		if (!out->nr_by_section[index]++)
			out->by_section[index] = &out->spans[i];
	}
	return NULL;
}

struct rk_span *rk_spans_at(const struct rk_spans *spans, const struct rk_section *section,
			    uint64_t offset)
{
	struct rk_span **list = spans->by_section[section->index];
	size_t lo = 0, hi = spans->nr_by_section[section->index];

	if (!hi)
		return NULL;
	while (hi - lo > 1) {
		size_t mid = lo + (hi - lo) / 2;
		if (list[mid]->offset <= offset)
			lo = mid;
		else
			hi = mid;
	}
	return list[lo];
}

static struct rk_err *cut_all(struct rk_cutter *c)
{
	rk_elf_for_each_section(c->out->elf, section) {
		if (!(section->flags & SHF_ALLOC) || section->type == SHT_RELA)
			continue;
		RK_TRY(cut_section(c, section));
	}
	RK_TRY(index_spans(c->out, c));
	return rk_spans_connect(c);
}

struct rk_err *rk_spans_create(struct rk_elf *elf, struct rk_spans **ret)
{
	const struct rk_arch *arch = rk_arch_for(elf->machine);
	if (!arch)
		return rk_err(RK_ERR_UNSUPPORTED, "'%s': machine %u isn't supported", elf->path,
			      elf->machine);
	if (elf->type != ET_REL)
		return rk_err(RK_ERR_UNSUPPORTED, "'%s' is not a relocatable object", elf->path);
	_cleanup_spans_ struct rk_spans *out = calloc(1, sizeof(*out));
	if (!out)
		return rk_err_nomem();
	out->elf = elf;
	out->arch = arch;
	struct rk_cutter c = {.out = out};
	struct rk_err *err = cut_all(&c);
	rk_vec_deinit(&c.list);
	if (err)
		return err;
	*ret = take_ptr(out);
	return NULL;
}

void rk_spans_free(struct rk_spans *spans)
{
	if (!spans)
		return;
	rk_arena_deinit(&spans->arena);
	free(spans);
}
