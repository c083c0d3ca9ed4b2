/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A plan's end of life and its readable dump, which golden tests compare. */
#include "lib/patch/plan.h"

#include <elf.h>

#include "lib/arch/arch.h"
#include "lib/base/sha256.h"
#include "lib/base/str.h"
#include "lib/diff/diff.h"

/* Digits of a section's content hash that are shown: enough to see a difference. */
#define DUMP_HASH_DIGITS 12

void rk_plan_free(struct rk_plan *plan)
{
	if (!plan)
		return;
	rk_vec_for_each(&plan->sections, section)
		rk_vec_deinit(&(*section)->relocs);
	rk_vec_deinit(&plan->sections);
	rk_vec_deinit(&plan->symbols);
	rk_vec_deinit(&plan->funcs);
	rk_vec_deinit(&plan->objects);
	rk_vec_deinit(&plan->callbacks);
	rk_vec_deinit(&plan->states);
	rk_vec_deinit(&plan->shadow_ids);
	rk_arena_deinit(&plan->arena);
	free(plan);
}

bool rk_plan_is_bound_late(const struct rk_plan_symbol *symbol)
{
	return symbol->kind == RK_PLAN_KLP && !rk_streq(symbol->object, "vmlinux");
}

bool rk_plan_binds_late(const struct rk_plan *plan, const char *object)
{
	rk_vec_for_each(&plan->sections, section) {
		if (!rk_streq((*section)->object, object))
			continue;
		rk_vec_for_each(&(*section)->relocs, reloc)
			if (rk_plan_is_bound_late(reloc->symbol))
				return true;
	}
	return false;
}

const struct rk_plan_callback *rk_plan_callback(const struct rk_plan *plan, const char *object,
						enum kpatch_mark_kind kind)
{
	rk_vec_for_each(&plan->callbacks, callback)
		if (callback->kind == kind && rk_streq(callback->object, object))
			return callback;
	return NULL;
}

static const char *type_name(uint8_t type)
{
	switch (type) {
	case STT_FUNC: return "func";
	case STT_OBJECT: return "object";
	case STT_SECTION: return "section";
	case STT_NOTYPE: return "notype";
	default: return "other";
	}
}

static void dump_symbol_ref(struct rk_str *out, const struct rk_plan_symbol *symbol)
{
	switch (symbol->kind) {
	case RK_PLAN_DEFINED:
		rk_str_add(out, symbol->type == STT_SECTION ? symbol->section->name : symbol->name);
		break;
	case RK_PLAN_EXPORT: rk_str_addf(out, "export:%s", symbol->name); break;
	case RK_PLAN_HOOK: rk_str_addf(out, "hook:%s", symbol->name); break;
	case RK_PLAN_KLP:
		rk_str_addf(out, "klp:%s.%s,%u", symbol->object, symbol->name, symbol->sympos);
		break;
	}
}

static void dump_symbol(struct rk_str *out, const struct rk_plan_symbol *symbol)
{
	rk_str_add(out, "symbol ");
	dump_symbol_ref(out, symbol);
	if (symbol->kind == RK_PLAN_DEFINED)
		rk_str_addf(out, " %s %s+0x%llx size=%llu", type_name(symbol->type),
			    symbol->section->name, (unsigned long long)symbol->value,
			    (unsigned long long)symbol->size);
	else if (symbol->kind == RK_PLAN_EXPORT)
		rk_str_addf(out, " from=%s crc=0x%08x%s%s", symbol->object, symbol->crc,
			    symbol->ns && *symbol->ns ? " ns=" : "", symbol->ns ? symbol->ns : "");
	rk_str_add_char(out, '\n');
}

static void dump_reloc(struct rk_str *out, const struct rk_arch *arch,
		       const struct rk_plan_reloc *reloc)
{
	const struct rk_reloc_kind *kind = arch->reloc_kind(reloc->type);
	unsigned long long magnitude = reloc->addend < 0 ? 0 - (unsigned long long)reloc->addend
							 : (unsigned long long)reloc->addend;

	rk_str_addf(out, "  0x%04llx %s ", (unsigned long long)reloc->offset,
		    kind ? kind->name : "unknown");
	dump_symbol_ref(out, reloc->symbol);
	rk_str_addf(out, " %c 0x%llx\n", reloc->addend < 0 ? '-' : '+', magnitude);
}

static struct rk_err *dump_section(struct rk_str *out, const struct rk_arch *arch,
				   const struct rk_plan_section *section)
{
	char hash[RK_SHA256_HEX_SIZE] = "";

	if (section->data)
		RK_TRY(rk_sha256_bytes(section->data, section->size, hash));
	rk_str_addf(
		out, "section %s object=%s %s %s%s%s%s%s align=%llu entsize=%llu size=%llu%s%.*s\n",
		section->name, section->object, section->type == SHT_NOBITS ? "nobits" : "progbits",
		section->flags & SHF_ALLOC ? "A" : "-", section->flags & SHF_WRITE ? "W" : "",
		section->flags & SHF_EXECINSTR ? "X" : "", section->flags & SHF_MERGE ? "M" : "",
		section->flags & SHF_STRINGS ? "S" : "", (unsigned long long)section->align,
		(unsigned long long)section->entsize, (unsigned long long)section->size,
		section->data ? " sha256=" : "", DUMP_HASH_DIGITS, hash);
	rk_vec_for_each(&section->relocs, reloc)
		dump_reloc(out, arch, reloc);
	return NULL;
}

static void dump_heads(struct rk_str *out, const struct rk_plan *plan)
{
	rk_vec_for_each(&plan->objects, object)
		rk_str_addf(out, "object %s build-id=%s srcversion=%s\n", object->name,
			    object->build_id ? object->build_id : "-",
			    object->srcversion ? object->srcversion : "-");
	rk_vec_for_each(&plan->funcs, func) {
		rk_str_addf(out, "func %s.%s,%u unit=%s old=0x%llx+%llu new=", func->object,
			    func->old_name, func->old_sympos, func->unit,
			    (unsigned long long)func->old_address,
			    (unsigned long long)func->old_size);
		dump_symbol_ref(out, func->new_symbol);
		rk_str_addf(out, "+%llu\n", (unsigned long long)func->new_size);
	}
}

static void dump_lasting(struct rk_str *out, const struct rk_plan *plan)
{
	rk_vec_for_each(&plan->callbacks, callback)
		rk_str_addf(out, "callback %s.%s %s unit=%s\n", callback->object,
			    rk_mark_name(callback->kind), callback->symbol->name, callback->unit);
	rk_vec_for_each(&plan->states, state)
		rk_str_addf(out, "state %llu version=%u\n", (unsigned long long)state->id,
			    state->version);
	rk_vec_for_each(&plan->shadow_ids, id)
		rk_str_addf(out, "shadow-id %llu\n", (unsigned long long)*id);
}

struct rk_err *rk_plan_dump(const struct rk_plan *plan, char **ret)
{
	_cleanup_str_ struct rk_str out = RK_STR_INIT;
	/* Plans have no machine of their own: x86_64 is the only one so far. */
	const struct rk_arch *arch = rk_arch_for(EM_X86_64);

	dump_heads(&out, plan);
	dump_lasting(&out, plan);
	rk_vec_for_each(&plan->symbols, symbol)
		dump_symbol(&out, *symbol);
	rk_vec_for_each(&plan->sections, section)
		RK_TRY(dump_section(&out, arch, *section));
	return rk_str_take(&out, ret);
}
