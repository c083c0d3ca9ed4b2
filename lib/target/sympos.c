// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The position a symbol must be asked for with. kernel/livepatch/core.c klp_find_object_symbol() of
 * 6.1 walks all symbols of the object and counts those whose name is equal, whatever their type or
 * binding; with sympos N it stops at the Nth and takes its address, with 0 it refuses a second one.
 * So only the order and the names of the walk matter: kallsyms_on_each_symbol() for vmlinux,
 * module_kallsyms_on_each_symbol() for a module.
 */
#include <elf.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/target/symbols_internal.h"

static struct rk_err *vmlinux_sympos(struct rk_symbols *symbols, const struct rk_klp_object *object,
				     const struct rk_symbol *sym, struct rk_sympos *ret)
{
	if (!symbols->kallsyms)
		RK_TRY(rk_kallsyms_read(object->elf, &symbols->kallsyms));
	struct rk_sympos pos = {};
	for (const struct rk_ksym *k = rk_kallsyms_find(symbols->kallsyms, sym->name); k;
	     k = k->next) {
		pos.matches++;
		/*
		 * of several entries with this name and this address any will do: the first ends
		 * the walk soonest
		 */
		if (k->address == sym->value && !pos.in_kallsyms) {
			pos.in_kallsyms = true;
			pos.sympos = pos.matches;
		}
	}
	/* klp_find_object_symbol() takes address 0 for "not found" (the first per-cpu variable) */
	if (sym->value == 0)
		pos.in_kallsyms = false;
	*ret = pos;
	return NULL;
}

/*
 * kernel/module/kallsyms.c is_core_symbol(): is it in the table that is left when the module is
 * live? Sections that load_module() takes SHF_ALLOC from (rewrite_section_headers()) and those of
 * the init layout (module_init_layout_section()) are not. The per-cpu section counts only with
 * CONFIG_KALLSYMS_ALL.
 */
static bool is_core_symbol(const struct rk_symbol *sym, bool kallsyms_all)
{
	const struct rk_section *section = sym->section;

	if (!section || !sym->name[0])
		return false;
	if (strcmp(section->name, ".modinfo") == 0 || strcmp(section->name, "__versions") == 0)
		return false;
	if (strcmp(section->name, ".data..percpu") == 0)
		return kallsyms_all;
	if (!(section->flags & SHF_ALLOC) || rk_has_prefix(section->name, ".init"))
		return false;
	return kallsyms_all || (section->flags & SHF_EXECINSTR);
}

/*
 * A module that is being loaded (COMING) is searched in its whole .symtab, one that is live in the
 * core symbols only (do_init_module() switches mod->kallsyms).
 */
static struct rk_sympos module_sympos(const struct rk_elf *elf, const struct rk_symbol *sym,
				      bool kallsyms_all)
{
	struct rk_sympos pos = {};
	uint32_t core = 0, core_pos = 0;

	rk_elf_for_each_symbol(elf, it) {
		if (it->shndx == SHN_UNDEF || strcmp(it->name, sym->name) != 0)
			continue;
		bool is_core = is_core_symbol(it, kallsyms_all);
		pos.matches++;
		core += is_core;
		if (it->index != sym->index)
			continue;
		pos.sympos = pos.matches;
		pos.in_kallsyms = true;
		core_pos = is_core ? core : 0;
	}
	pos.unstable = core_pos != pos.sympos;
	return pos;
}

/*
 * Whether data symbols are kept is one setting for vmlinux and modules, and vmlinux' table shows
 * it.
 */
struct rk_err *rk_symbols_sympos(struct rk_symbols *symbols, const struct rk_klp_object *object,
				 const struct rk_symbol *sym, struct rk_sympos *ret)
{
	if (object->is_vmlinux)
		return vmlinux_sympos(symbols, object, sym, ret);
	if (!symbols->kallsyms) {
		struct rk_klp_object *vmlinux;
		RK_TRY(rk_symbols_object(symbols, "vmlinux", &vmlinux));
		RK_TRY(rk_kallsyms_read(vmlinux->elf, &symbols->kallsyms));
	}
	*ret = module_sympos(object->elf, sym, symbols->kallsyms->has_data);
	return NULL;
}
