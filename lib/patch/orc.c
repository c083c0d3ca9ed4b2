/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unwind data (ORC, arch/x86/include/asm/orc_types.h of 6.1): two parallel arrays, places and states. objtool writes an entry only where the
 * state changes, so a function taken out of a section it shared needs the state that held at its start, and an end of its own.
 */
#include <elf.h>
#include <string.h>

#include "lib/patch/link_internal.h"

struct orc_table {
	const struct rk_special *special;
	struct rk_section *section;  /* of places */
	struct rk_section *parallel; /* of states */
	/* entries about one section of code, sorted by place */
	rk_vec(struct orc_entry) list;
};

struct orc_entry {
	const struct rk_section *code;
	uint64_t at;
	uint64_t index;
};

static int compare_entries(const void *a, const void *b)
{
	const struct orc_entry *x = a, *y = b;
	if (x->code != y->code)
		return x->code->index < y->code->index ? -1 : 1;
	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

static struct rk_err *read_table(const struct rk_spans *spans, struct orc_table *table)
{
	struct rk_span **list = spans->by_section[table->section->index];
	size_t nr = spans->nr_by_section[table->section->index];

	if (!table->parallel || !table->parallel->data ||
	    table->parallel->size / table->special->parallel_size != nr)
		return rk_err(RK_ERR_FORMAT, "'%s': sections '%s' and '%s' don't go together",
			      spans->elf->path, table->special->name, table->special->parallel);
	for (size_t i = 0; i < nr; i++) {
		const struct rk_span *code = list[i]->code;
		if (!code)
			continue;
		struct orc_entry entry = {
			.code = code->section,
			.at = code->offset + (uint64_t)list[i]->refs[0].place,
			.index = i,
		};
		if (!rk_vec_push(&table->list, entry))
			return rk_err_nomem();
	}
	if (table->list.nr)
		qsort(table->list.v, table->list.nr, sizeof(*table->list.v), compare_entries);
	return NULL;
}

static struct rk_err *emit(struct rk_linker *l, const struct orc_table *table,
			   const struct rk_link_place *place, uint64_t at, const void *state,
			   uint32_t reloc_type)
{
	const struct rk_special *sp = table->special;
	struct rk_link_section *places, *states;
	struct rk_plan_symbol *symbol;
	uint64_t offset, unused;

	RK_TRY(rk_link_get_section(l, sp->name, "vmlinux", SHT_PROGBITS, SHF_ALLOC,
				   table->section->align, 0, &places));
	RK_TRY(rk_link_get_section(l, sp->parallel, "vmlinux", SHT_PROGBITS, SHF_ALLOC,
				   table->parallel->align, 0, &states));
	RK_TRY(rk_link_append(places, NULL, sp->entry_size, 1, &offset));
	RK_TRY(rk_link_append(states, state, sp->parallel_size, 1, &unused));
	RK_TRY(rk_link_section_symbol(l, place->section, &symbol));
	return rk_link_add_reloc(l, places, offset, reloc_type, symbol,
				 (int64_t)(place->offset + at));
}

static struct rk_err *emit_function(struct rk_linker *l, const struct orc_table *table,
				    const struct rk_span *span, uint32_t reloc_type)
{
	const struct rk_link_place *place = rk_map_get_ptr(&l->places, span);
	const struct orc_entry *start = NULL;
	size_t i = 0;

	for (; i < table->list.nr; i++) {
		const struct orc_entry *e = &table->list.v[i];
		if (e->code == span->section && e->at <= span->offset)
			start = e;
		else if (start || e->code->index > span->section->index)
			break;
	}
	if (!start || !place)
		return NULL;
	const uint8_t *states = table->parallel->data;
	uint32_t size = table->special->parallel_size;
	RK_TRY(emit(l, table, place, 0, states + start->index * size, reloc_type));
	for (; i < table->list.nr && table->list.v[i].code == span->section &&
	       table->list.v[i].at < span->offset + span->size;
	     i++)
		RK_TRY(emit(l, table, place, table->list.v[i].at - span->offset,
			    states + table->list.v[i].index * size, reloc_type));
	return emit(l, table, place, span->size, NULL, reloc_type);
}

static struct rk_err *emit_all(struct rk_linker *l, const struct rk_link_unit *unit,
			       struct orc_table *table)
{
	RK_TRY(read_table(unit->diff->patched, table));
	rk_vec_for_each(&unit->diff->included, it)
		if ((*it)->kind == RK_SPAN_FUNC)
			RK_TRY(emit_function(l, table, *it, unit->diff->patched->arch->reloc_pc32));
	return NULL;
}

struct rk_err *rk_link_orc(struct rk_linker *l, const struct rk_link_unit *unit)
{
	const struct rk_spans *spans = unit->diff->patched;

	for (const struct rk_special *sp = spans->arch->specials; sp->name; sp++) {
		struct orc_table table = {.special = sp};
		if (!sp->parallel)
			continue;
		table.section = rk_elf_section(spans->elf, sp->name);
		if (!table.section)
			continue;
		table.parallel = rk_elf_section(spans->elf, sp->parallel);
		struct rk_err *err = emit_all(l, unit, &table);
		rk_vec_deinit(&table.list);
		if (err)
			return err;
	}
	return NULL;
}
