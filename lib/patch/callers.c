/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Callers: a function whose prototype changed must have all its users in the patch, or compiled anew and proven to be the same. Users in
 * the object are found in the relocations that the shipped binary keeps (Debian's vmlinux and every .ko do).
 */
#include <elf.h>

#include "lib/patch/link_internal.h"

static bool is_replaced(const struct rk_linker *l, const char *object, const struct rk_symbol *sym)
{
	rk_vec_for_each(&l->plan->funcs, func)
		if (rk_streq(func->object, object) && func->old_address == sym->value &&
		    rk_streq(func->old_name, sym->name))
			return true;
	return false;
}

/* Does the shipped symbol come from this unit? A local one stands in its block; a global name has one owner. */
static bool is_of_unit(const struct rk_link_unit *unit, const struct rk_symbol *sym)
{
	if (sym->bind == STB_LOCAL)
		return sym->index >= unit->owner->first && sym->index < unit->owner->end;
	rk_spans_for_each(unit->diff->orig, span)
		if (span->symbol && span->symbol->bind != STB_LOCAL &&
		    rk_streq(span->symbol->name, sym->name))
			return true;
	return false;
}

/* What was compiled anew has the new prototype; if its code is the same nevertheless, the change doesn't matter to it. */
static bool is_compiled(const struct rk_linker *l, const char *object, const struct rk_symbol *sym)
{
	for (size_t i = 0; i < l->nr_units; i++)
		if (rk_streq(l->units[i].diff->object, object) && is_of_unit(&l->units[i], sym))
			return true;
	return false;
}

/* The function or variable a place in the shipped binary lies in. */
static const struct rk_symbol *symbol_at(const struct rk_section *section, uint64_t value,
					 uint8_t type)
{
	size_t lo = 0, hi = section->nr_symbols;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (section->symbols[mid]->value <= value)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo > 0; lo--) {
		const struct rk_symbol *sym = section->symbols[lo - 1];
		if (sym->type == type)
			return value < sym->value + sym->size ? sym : NULL;
	}
	return NULL;
}

static bool is_meant(const struct rk_reloc *reloc, const struct rk_symbol *sym)
{
	if (reloc->symbol == sym)
		return true;
	return reloc->symbol->section == sym->section && reloc->symbol->type == STT_SECTION &&
	       reloc->symbol->value + (uint64_t)(reloc->addend + 4) == sym->value;
}

/* The shipped functions outside the patch that use sym; tables of pointers count as users of their own. */
static struct rk_err *check_section(struct rk_linker *l, const struct rk_link_unit *unit,
				    struct rk_section *section, const struct rk_symbol *sym)
{
	struct rk_elf *elf = unit->owner->object->elf;

	RK_TRY(rk_elf_load_relocs(elf, section));
	rk_elf_for_each_reloc(section, reloc) {
		if (!is_meant(reloc, sym))
			continue;
		bool is_code = section->flags & SHF_EXECINSTR;
		const struct rk_symbol *user =
			symbol_at(section, reloc->offset, is_code ? STT_FUNC : STT_OBJECT);
		if (user && (user == sym || is_replaced(l, unit->diff->object, user) ||
			     is_compiled(l, unit->diff->object, user)))
			continue;
		RK_TRY(rk_finding_add(
			l->findings, RK_FINDING_PROTOTYPE_CHANGED, unit->diff->unit,
			unit->diff->object, sym->name, "%s '%s'%s%s uses it and stays as it is",
			is_code ? "function"
			: user	? "data"
				: "data in section",
			user ? user->name : section->name, user && user->file ? " of " : "",
			user && user->file ? user->file : ""));
	}
	return NULL;
}

/* Tables that only name places in code don't call anything. */
static bool can_use(const struct rk_section *section)
{
	return (section->flags & SHF_ALLOC) && section->rela && section->type != SHT_RELA &&
	       !rk_has_prefix(section->name, ".orc_") && !rk_streq(section->name, "__mcount_loc") &&
	       !rk_streq(section->name, ".return_sites") &&
	       !rk_streq(section->name, "__bug_table") && !rk_streq(section->name, ".init.data");
}

static bool keeps_relocations(const struct rk_elf *elf)
{
	rk_elf_for_each_section(elf, section)
		if (can_use(section) && (section->flags & SHF_EXECINSTR))
			return true;
	return false;
}

static struct rk_err *check_function(struct rk_linker *l, const struct rk_link_unit *unit,
				     const struct rk_symbol *sym)
{
	struct rk_elf *elf = unit->owner->object->elf;

	if (!keeps_relocations(elf))
		return rk_finding_add(l->findings, RK_FINDING_PROTOTYPE_CHANGED, unit->diff->unit,
				      unit->diff->object, sym->name,
				      "who calls it isn't known: '%s' keeps no relocations",
				      unit->diff->object);
	rk_elf_for_each_section(elf, section)
		if (can_use(section))
			RK_TRY(check_section(l, unit, section, sym));
	return NULL;
}

struct rk_err *rk_link_check_callers(struct rk_linker *l)
{
	for (size_t i = 0; i < l->nr_units; i++) {
		const struct rk_link_unit *unit = &l->units[i];
		rk_vec_for_each(&unit->diff->prototypes, name) {
			const struct rk_symbol *sym = rk_owner_lookup(unit->owner, *name);
			if (sym && sym->bind != STB_LOCAL && sym->section)
				RK_TRY(check_function(l, unit, sym));
		}
	}
	return NULL;
}
