/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Placing: each included span gets a section and an offset in the plan. Functions and variables of one kernel object share a few
 * ordinary sections; sections whose name means something to the kernel keep it; equal literals are kept once.
 */
#include <elf.h>
#include <stdio.h>
#include <string.h>

#include "lib/patch/link_internal.h"

/* An object's name and a symbol's: the kernel takes 55 and 511 bytes. */
#define RK_KEY_MAX 1024

struct rk_err *rk_link_get_section(struct rk_linker *l, const char *name, const char *object,
				   uint32_t type, uint64_t flags, uint64_t align, uint64_t entsize,
				   struct rk_link_section **ret)
{
	struct rk_link_section *section = rk_map_get(&l->sections_by_name, name);

	if (!section) {
		struct rk_arena *arena = &l->plan->arena;
		section = rk_arena_new(arena, struct rk_link_section);
		struct rk_plan_section *plan = rk_arena_new(arena, struct rk_plan_section);
		if (!section || !plan)
			return rk_err_nomem();
		*plan = (struct rk_plan_section){
			.name = rk_arena_strdup(arena, name),
			.object = rk_arena_strdup(arena, object),
			.type = type,
			.flags = flags,
			.align = align,
			.entsize = entsize,
		};
		section->plan = plan;
		if (!plan->name || !plan->object || !rk_vec_push(&l->sections, section) ||
		    !rk_map_set(&l->sections_by_name, plan->name, section))
			return rk_err_nomem();
	}
	if (align > section->plan->align)
		section->plan->align = align;
	section->plan->flags |= flags & (SHF_WRITE | SHF_EXECINSTR);
	if (section->plan->type != type)
		return rk_err(RK_ERR_UNSUPPORTED, "section '%s' is both with and without content",
			      name);
	*ret = section;
	return NULL;
}

struct rk_err *rk_link_append(struct rk_link_section *section, const void *data, uint64_t size,
			      uint64_t align, uint64_t *ret_offset)
{
	static const char zeros[64];
	struct rk_plan_section *plan = section->plan;
	uint64_t offset = (plan->size + align - 1) / align * align;

	if (plan->type != SHT_NOBITS) {
		while (section->bytes.len < offset && !section->bytes.failed) {
			uint64_t n = offset - section->bytes.len;
			rk_str_add_bytes(&section->bytes, zeros,
					 n < sizeof(zeros) ? n : sizeof(zeros));
		}
		if (data)
			rk_str_add_bytes(&section->bytes, data, size);
		for (uint64_t i = 0; !data && i < size; i++)
			rk_str_add_char(&section->bytes, 0);
		RK_TRY(rk_str_check(&section->bytes));
	}
	plan->size = offset + size;
	*ret_offset = offset;
	return NULL;
}

static struct rk_err *add_symbol(struct rk_linker *l, struct rk_plan_symbol init,
				 struct rk_plan_symbol **ret)
{
	struct rk_plan_symbol *symbol = rk_arena_memdup(&l->plan->arena, &init, sizeof(init));
	if (!symbol || !rk_vec_push(&l->plan->symbols, symbol))
		return rk_err_nomem();
	*ret = symbol;
	return NULL;
}

struct rk_err *rk_link_section_symbol(struct rk_linker *l, struct rk_link_section *section,
				      struct rk_plan_symbol **ret)
{
	if (!section->symbol)
		RK_TRY(add_symbol(l,
				  (struct rk_plan_symbol){.kind = RK_PLAN_DEFINED,
							  .name = "",
							  .section = section->plan,
							  .type = STT_SECTION},
				  &section->symbol));
	*ret = section->symbol;
	return NULL;
}

struct rk_err *rk_link_add_reloc(struct rk_linker *l, struct rk_link_section *section,
				 uint64_t offset, uint32_t type, struct rk_plan_symbol *symbol,
				 int64_t addend)
{
	struct rk_plan_reloc reloc = {
		.offset = offset, .type = type, .addend = addend, .symbol = symbol};
	(void)l;
	return rk_vec_push(&section->plan->relocs, reloc) ? NULL : rk_err_nomem();
}

/* Compiler-made sections, one a function or variable, go back into the ordinary one; all others have a meaning. */
static const char *ordinary_name(const struct rk_span *span)
{
	static const struct {
		const char *prefix, *name;
	} ordinary[] = {
		{".text.unlikely", ".text.unlikely"},
		{".text.", ".text"},
		{".rodata.", ".rodata"},
		{".bss.", ".bss"},
		{".data.rel.", ".data"},
		{".data.", ".data"},
	};
	const char *name = span->section->name;

	if (rk_has_prefix(name, ".data..") || rk_streq(name, ".data.once"))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(ordinary); i++)
		if (rk_has_prefix(name, ordinary[i].prefix))
			return ordinary[i].name;
	if (rk_streq(name, ".text") || rk_streq(name, ".rodata") || rk_streq(name, ".data") ||
	    rk_streq(name, ".bss"))
		return name;
	return NULL;
}

/* The module loader looks these up by name (kernel/module/main.c, find_module_sections; arch/x86/kernel/module.c), or they are tables. */
static bool must_keep_name(const struct rk_span *span)
{
	const char *name = span->section->name;

	return span->kind == RK_SPAN_ENTRY || rk_has_prefix(name, ".data..percpu") ||
	       rk_has_prefix(name, "__") || rk_has_prefix(name, "_") ||
	       rk_has_prefix(name, ".altinstr") || rk_has_prefix(name, ".smp_locks") ||
	       rk_has_prefix(name, ".static_call") || rk_has_prefix(name, ".BTF") ||
	       rk_has_prefix(name, ".printk_index") || rk_has_prefix(name, ".init") ||
	       rk_has_prefix(name, ".exit") || rk_has_prefix(name, ".note");
}

static struct rk_err *section_of(struct rk_linker *l, const struct rk_span *span,
				 const char *object, struct rk_link_section **ret)
{
	struct rk_arena *arena = &l->plan->arena;
	const struct rk_section *from = span->section;
	uint64_t flags =
		from->flags & (SHF_ALLOC | SHF_WRITE | SHF_EXECINSTR | SHF_MERGE | SHF_STRINGS);
	const char *name = from->name, *ordinary = ordinary_name(span);

	if (span->kind == RK_SPAN_STRING)
		name = rk_arena_printf(arena, ".rodata.str1.%llu", (unsigned long long)from->align);
	else if (span->kind == RK_SPAN_CONST)
		name = rk_arena_printf(arena, ".rodata.cst%llu", (unsigned long long)from->entsize);
	else if (!rk_streq(object, "vmlinux") && (ordinary || !must_keep_name(span)))
		name = rk_arena_printf(arena, "%s.%s", ordinary ? ordinary : name, object);
	else if (ordinary)
		name = ordinary;
	if (!name)
		return rk_err_nomem();
	return rk_link_get_section(l, name, object, from->type, flags, from->align, from->entsize,
				   ret);
}

/* A literal that is there already; NULL if it isn't. */
static struct rk_link_place *known_string(struct rk_link_section *section,
					  const struct rk_span *span)
{
	if (span->kind != RK_SPAN_STRING || !span->size || span->data[span->size - 1])
		return NULL;
	return rk_map_get(&section->strings, (const char *)span->data);
}

static struct rk_err *remember_string(struct rk_linker *l, struct rk_link_place *place,
				      const struct rk_span *span)
{
	if (span->kind != RK_SPAN_STRING || !span->size || span->data[span->size - 1])
		return NULL;
	const char *key = rk_arena_strdup(&l->plan->arena, (const char *)span->data);
	return key && rk_map_set(&place->section->strings, key, place) ? NULL : rk_err_nomem();
}

static uint64_t alignment_of(const struct rk_span *span)
{
	if (span->kind == RK_SPAN_ENTRY)
		return 1; /* arrays: no gaps */
	uint64_t align = span->section->align;
	while (align > 1 && span->offset % align)
		align /= 2;
	return align;
}

static struct rk_err *name_place(struct rk_linker *l, const struct rk_link_unit *unit,
				 struct rk_link_place *place, const struct rk_span *span)
{
	const char *name = rk_arena_strdup(&l->plan->arena, span->name);
	if (!name)
		return rk_err_nomem();
	RK_TRY(add_symbol(l,
			  (struct rk_plan_symbol){.kind = RK_PLAN_DEFINED,
						  .name = name,
						  .section = place->section->plan,
						  .value = place->offset,
						  .size = span->size,
						  .type = span->symbol->type},
			  &place->symbol));
	if (span->symbol->bind == STB_LOCAL || span->twin)
		return NULL;
	const char *key = rk_arena_printf(&l->plan->arena, "%s %s", unit->diff->object, name);
	return key && rk_map_set(&l->new_globals, key, place) ? NULL : rk_err_nomem();
}

static const struct rk_link_place *global_of(const struct rk_linker *l, const char *object,
					     const char *name)
{
	char key[RK_KEY_MAX];
	int n = snprintf(key, sizeof(key), "%s %s", object, name);

	return n > 0 && (size_t)n < sizeof(key) ? rk_map_get(&l->new_globals, key) : NULL;
}

const struct rk_link_place *rk_link_find_global(const struct rk_linker *l, const char *object,
						const char *name)
{
	const struct rk_link_place *place = global_of(l, object, name);

	if (!place)
		place = global_of(l, "vmlinux", name);
	for (size_t i = 0; i < l->nr_units && !place; i++)
		place = global_of(l, l->units[i].diff->object, name);
	return place;
}

/* Unwind tables are made by orc.c from the whole of a section. */
static bool is_placed_elsewhere(const struct rk_span *span)
{
	return span->kind == RK_SPAN_ENTRY && span->special->parallel;
}

static struct rk_err *place_span(struct rk_linker *l, const struct rk_link_unit *unit,
				 const struct rk_span *span)
{
	struct rk_link_section *section;

	RK_TRY(section_of(l, span, unit->diff->object, &section));
	struct rk_link_place *place = known_string(section, span);
	if (!place) {
		place = rk_arena_new(&l->plan->arena, struct rk_link_place);
		if (!place)
			return rk_err_nomem();
		place->section = section;
		/* a lock class key without lockdep has no size, but an address of its own */
		RK_TRY(rk_link_append(section, span->size ? span->data : NULL,
				      span->size ? span->size : 1, alignment_of(span),
				      &place->offset));
		RK_TRY(remember_string(l, place, span));
		if (span->name)
			RK_TRY(name_place(l, unit, place, span));
	}
	return rk_map_set_ptr(&l->places, span, place) ? NULL : rk_err_nomem();
}

/*
 * Entries about keys of the module itself, which can't be reached in time. Without the entry a tracepoint's branch keeps the form it
 * was compiled to, which is "off"; a static call goes to the trampoline, which the kernel rewrites too (kernel/static_call_inline.c,
 * __static_call_update: the trampoline first, then the sites).
 */
static const struct {
	const char *prefix;
	const char *section; /* or NULL: of any */
	bool is_told;	     /* with the tracepoint's branch its static call is told */
	enum rk_finding_code code;
} droppable[] = {
	{"__tracepoint_", NULL, true, RK_FINDING_TRACEPOINT_LOST},
	{"__SCK__tp_func_", NULL, false, RK_FINDING_TRACEPOINT_LOST},
	{"__SCK__", ".static_call_sites", true, RK_FINDING_MODULE_STATIC_CALL},
};

/* The row of droppable for an entry of this section about key, or NULL. */
static const typeof(droppable[0]) *find_droppable(const struct rk_span *span, const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(droppable); i++)
		if (rk_has_prefix(key, droppable[i].prefix) &&
		    (!droppable[i].section || rk_streq(droppable[i].section, span->section->name)))
			return &droppable[i];
	return NULL;
}

static struct rk_err *is_dropped(struct rk_linker *l, const struct rk_link_unit *unit,
				 const struct rk_span *span, bool *ret)
{
	*ret = false;
	if (span->kind != RK_SPAN_ENTRY || rk_streq(unit->diff->object, "vmlinux"))
		return NULL;
	for (size_t i = 0; i < span->nr_refs; i++) {
		const struct rk_ref *ref = &span->refs[i];
		const char *name = ref->target ? ref->target->name : ref->symbol->name;
		struct rk_plan_symbol *symbol;
		const typeof(droppable[0]) *drop = name ? find_droppable(span, name) : NULL;
		if (!drop)
			continue;
		RK_TRY(rk_link_resolve(l, unit, name,
				       ref->target && ref->target->symbol &&
					       ref->target->symbol->bind == STB_LOCAL,
				       &symbol));
		if (!symbol || symbol->kind != RK_PLAN_KLP || rk_streq(symbol->object, "vmlinux"))
			continue;
		*ret = true;
		if (!drop->is_told)
			return NULL;
		return rk_finding_add(l->findings, drop->code, unit->diff->unit, unit->diff->object,
				      span->code && span->code->name ? span->code->name
								     : span->section->name,
				      "'%s' of module '%s'", name, symbol->object);
	}
	return NULL;
}

struct rk_err *rk_link_place_unit(struct rk_linker *l, const struct rk_link_unit *unit)
{
	rk_vec_for_each(&unit->diff->included, it) {
		bool dropped;
		RK_TRY(is_dropped(l, unit, *it, &dropped));
		if (!dropped && !is_placed_elsewhere(*it))
			RK_TRY(place_span(l, unit, *it));
	}
	return NULL;
}
