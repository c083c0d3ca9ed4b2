/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Linking, from start to end: place all units, then give every reference its symbol, then list the functions to redirect. */
#include <elf.h>
#include <string.h>

#include "lib/patch/link_internal.h"

/* How much of a function's address use is decided here: a pointer to a replaced function means the original, which leads to the
 * new code while the patch is active and is still there when it is gone. */
static bool wants_original(const struct rk_ref *ref, const struct rk_span *from)
{
	const struct rk_span *to = ref->target;
	return to->kind == RK_SPAN_FUNC && to->twin && to->twin->has_fentry && !ref->is_branch &&
	       ref->place == 0 && from->kind != RK_SPAN_ENTRY;
}

static struct rk_err *ref_inside(struct rk_linker *l, const struct rk_link_place *place,
				 const struct rk_ref *ref, struct rk_plan_symbol **ret,
				 int64_t *ret_place)
{
	(void)ref;
	if (place->symbol) {
		*ret = place->symbol;
		return NULL;
	}
	*ret_place += (int64_t)place->offset;
	return rk_link_section_symbol(l, place->section, ret);
}

/* The span as it is in the running kernel. */
static const struct rk_span *shipped(const struct rk_span *span)
{
	return span->twin ? span->twin : span;
}

/* The kernel runs another unit's definition of a weak function, whatever becomes of this one. */
static bool is_overridden(const struct rk_link_unit *unit, const struct rk_span *from,
			  const struct rk_span *to)
{
	if (to->kind != RK_SPAN_FUNC || !to->twin || !to->symbol || from == to ||
	    from->code == to || to->symbol->bind != STB_WEAK)
		return false;
	const struct rk_proof_entry *proof = rk_proof_find(unit->proof, to->twin->name);
	return proof && proof->verdict == RK_PROOF_OVERRIDDEN;
}

static struct rk_err *symbol_of(struct rk_linker *l, const struct rk_link_unit *unit,
				const struct rk_span *from, const struct rk_ref *ref,
				struct rk_plan_symbol **ret, int64_t *ret_place)
{
	const struct rk_span *to = ref->target;

	*ret_place = ref->place;
	if (!to) {
		const struct rk_link_place *global =
			rk_link_find_global(l, unit->diff->object, ref->symbol->name);
		if (global) {
			RK_TRY(rk_link_cross(l, unit, from, global));
			return ref_inside(l, global, ref, ret, ret_place);
		}
		return rk_link_resolve(l, unit, ref->symbol->name, false, ret);
	}
	const struct rk_link_place *place = rk_map_get_ptr(&l->places, to);
	if (place && !wants_original(ref, from) && !is_overridden(unit, from, to))
		return ref_inside(l, place, ref, ret, ret_place);
	if (to->class == RK_SECTION_INIT)
		return rk_finding_add(
			l->findings, RK_FINDING_SYMBOL_UNRESOLVED, unit->diff->unit,
			unit->diff->object, from->name ? from->name : from->section->name,
			"refers to '%s' in section '%s', which the running kernel has freed",
			to->name ? to->name : "?", to->section->name);
	if (to->name && (to->kind == RK_SPAN_FUNC || to->kind == RK_SPAN_DATA))
		return rk_link_resolve(l, unit, shipped(to)->name,
				       shipped(to)->symbol->bind == STB_LOCAL, ret);
	return rk_finding_add(l->findings, RK_FINDING_SYMBOL_UNRESOLVED, unit->diff->unit,
			      unit->diff->object, from->name ? from->name : from->section->name,
			      "refers to '%s'+0x%llx, which has no name in the running kernel",
			      to->section->name, (unsigned long long)to->offset);
}

/* A section that the loader knows has one relocation section for all modules of the patch. */
static bool keeps_own_name(const struct rk_span *span, const struct rk_link_place *place)
{
	return rk_streq(span->section->name, place->section->plan->name) &&
	       span->kind != RK_SPAN_FUNC;
}

/* The kernel handles special sections of a patch before it binds symbols of modules (kernel/livepatch/core.c, 6.1:
 * klp_apply_section_relocs for modules runs at klp_enable_patch), so entries that need one can't be kept. */
static enum rk_finding_code late_code(const struct rk_span *span)
{
	if (rk_streq(span->section->name, "__jump_table"))
		return RK_FINDING_MODULE_STATIC_KEY;
	return RK_FINDING_SPECIAL_SECTION;
}

static struct rk_err *link_ref(struct rk_linker *l, const struct rk_link_unit *unit,
			       const struct rk_span *span, const struct rk_link_place *place,
			       const struct rk_ref *ref)
{
	struct rk_plan_symbol *symbol = NULL;
	int64_t where;

	RK_TRY(symbol_of(l, unit, span, ref, &symbol, &where));
	if (!symbol)
		return NULL; /* a finding says why */
	bool is_special = span->kind == RK_SPAN_ENTRY ||
			  rk_has_prefix(span->section->name, ".altinstr_") ||
			  keeps_own_name(span, place);
	if (is_special && rk_plan_is_bound_late(symbol))
		return rk_finding_add(
			l->findings, late_code(span), unit->diff->unit, unit->diff->object,
			span->code && span->code->name ? span->code->name : span->section->name,
			"section '%s' refers to '%s' of module '%s'", span->section->name,
			symbol->name, symbol->object);
	return rk_link_add_reloc(l, place->section, place->offset + ref->offset, ref->type, symbol,
				 where - ref->bias);
}

static struct rk_err *link_span(struct rk_linker *l, const struct rk_link_unit *unit,
				const struct rk_span *span)
{
	const struct rk_link_place *place = rk_map_get_ptr(&l->places, span);
	if (!place || (span->kind == RK_SPAN_STRING && !span->nr_refs))
		return NULL;
	for (size_t i = 0; i < span->nr_refs; i++)
		RK_TRY(link_ref(l, unit, span, place, &span->refs[i]));
	return NULL;
}

struct rk_err *rk_link_add_function(struct rk_linker *l, const struct rk_link_unit *unit,
				    const char *old_name, const struct rk_link_unit *new_unit,
				    const struct rk_link_place *place)
{
	const struct rk_symbol *old;
	uint32_t sympos = 0;

	RK_TRY(rk_link_find_old(l, unit, old_name, &old, &sympos));
	if (!old || !place)
		return NULL;
	struct rk_plan_func func = {
		.object = rk_arena_strdup(&l->plan->arena, unit->diff->object),
		.old_name = rk_arena_strdup(&l->plan->arena, old->name),
		.old_sympos = sympos,
		.old_address = old->value,
		.old_size = old->size,
		.new_size = place->symbol->size,
		.unit = rk_arena_strdup(&l->plan->arena, new_unit->diff->unit),
		.new_symbol = place->symbol,
	};
	if (!func.object || !func.old_name || !func.unit || !rk_vec_push(&l->plan->funcs, func))
		return rk_err_nomem();
	return NULL;
}

static int compare_objects(const char *a, const char *b)
{
	bool va = rk_streq(a, "vmlinux"), vb = rk_streq(b, "vmlinux");
	return va != vb ? vb - va : strcmp(a, b);
}

static struct rk_err *add_object(struct rk_linker *l, const struct rk_klp_object *object)
{
	rk_vec_for_each(&l->plan->objects, known)
		if (rk_streq(known->name, object->name))
			return NULL;
	struct rk_arena *arena = &l->plan->arena;
	struct rk_plan_object new = {
		.name = rk_arena_strdup(arena, object->name),
		.build_id = object->build_id ? rk_arena_strdup(arena, object->build_id) : NULL,
		.srcversion =
			object->srcversion ? rk_arena_strdup(arena, object->srcversion) : NULL,
	};
	if (!new.name || !rk_vec_push(&l->plan->objects, new))
		return rk_err_nomem();
	for (size_t i = l->plan->objects.nr - 1; i > 0; i--) {
		struct rk_plan_object *o = &l->plan->objects.v[i];
		if (compare_objects(o[-1].name, o[0].name) <= 0)
			break;
		struct rk_plan_object t = o[0];
		o[0] = o[-1];
		o[-1] = t;
	}
	return NULL;
}

static struct rk_err *link_unit(struct rk_linker *l, const struct rk_link_unit *unit)
{
	RK_TRY(rk_link_orc(l, unit));
	rk_vec_for_each(&unit->diff->functions, it)
		RK_TRY(rk_link_add_function(l, unit, (*it)->twin->name, unit,
					    rk_map_get_ptr(&l->places, *it)));
	RK_TRY(rk_link_marks(l, unit));
	RK_TRY(rk_link_check_proofs(l, unit));
	return add_object(l, unit->owner->object);
}

static int compare_relocs(const void *a, const void *b)
{
	const struct rk_plan_reloc *x = a, *y = b;
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static struct rk_err *finish_sections(struct rk_linker *l)
{
	rk_vec_for_each(&l->sections, it) {
		struct rk_plan_section *plan = (*it)->plan;
		if (!plan->size)
			continue;
		if (plan->type != SHT_NOBITS) {
			plan->data = rk_arena_memdup(&l->plan->arena, (*it)->bytes.s, plan->size);
			if (!plan->data)
				return rk_err_nomem();
		}
		if (plan->relocs.nr)
			qsort(plan->relocs.v, plan->relocs.nr, sizeof(*plan->relocs.v),
			      compare_relocs);
		if (!rk_vec_push(&l->plan->sections, plan))
			return rk_err_nomem();
	}
	return NULL;
}

/* Functions of one object together, in the order of the units. */
static struct rk_err *group_functions(struct rk_plan *plan)
{
	__typeof__(plan->funcs) sorted = {};

	rk_vec_for_each(&plan->objects, object)
		rk_vec_for_each(&plan->funcs, func)
			if (rk_streq(func->object, object->name) && !rk_vec_push(&sorted, *func)) {
				rk_vec_deinit(&sorted);
				return rk_err_nomem();
			}
	rk_vec_deinit(&plan->funcs);
	plan->funcs.v = sorted.v;
	plan->funcs.nr = sorted.nr;
	plan->funcs.cap = sorted.cap;
	return NULL;
}

static struct rk_err *run(struct rk_linker *l)
{
	for (size_t i = 0; i < l->nr_units; i++)
		RK_TRY(rk_link_place_unit(l, &l->units[i]));
	for (size_t i = 0; i < l->nr_units; i++)
		rk_vec_for_each(&l->units[i].diff->included, it)
			RK_TRY(link_span(l, &l->units[i], *it));
	for (size_t i = 0; i < l->nr_units; i++)
		RK_TRY(link_unit(l, &l->units[i]));
	RK_TRY(rk_link_moves(l));
	RK_TRY(rk_link_check_callers(l));
	RK_TRY(group_functions(l->plan));
	RK_TRY(finish_sections(l));
	RK_TRY(rk_link_check_crossings(l));
	return rk_link_finish_marks(l);
}

static void linker_deinit(struct rk_linker *l)
{
	rk_vec_for_each(&l->sections, it) {
		rk_str_deinit(&(*it)->bytes);
		rk_map_deinit(&(*it)->strings);
	}
	rk_vec_deinit(&l->sections);
	rk_map_deinit(&l->sections_by_name);
	rk_map_deinit(&l->places);
	rk_map_deinit(&l->new_globals);
	rk_map_deinit(&l->resolved);
	rk_map_deinit(&l->by_identity);
	rk_vec_deinit(&l->crossings);
}

struct rk_err *rk_link(struct rk_symbols *symbols, const struct rk_link_unit *units, size_t nr,
		       struct rk_findings *findings, struct rk_plan **ret)
{
	struct rk_linker l = {
		.symbols = symbols, .units = units, .nr_units = nr, .findings = findings};

	l.plan = calloc(1, sizeof(*l.plan));
	if (!l.plan)
		return rk_err_nomem();
	struct rk_err *err = run(&l);
	linker_deinit(&l);
	if (err) {
		rk_plan_free(l.plan);
		return err;
	}
	*ret = l.plan;
	return NULL;
}
