/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Resolving: what a name means to code of one unit, and how the running kernel can be made to find just that: a normal relocation for what
 * vmlinux exports, a livepatch symbol for everything else, with the position that the kernel's own search needs.
 */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "lib/patch/hook/layout.h"
#include "lib/patch/link_internal.h"

#define DEPENDS_DEPTH 16 /* the deepest chain of stock modules is below ten */

static struct rk_err *keep(struct rk_linker *l, const char *identity, struct rk_plan_symbol init,
			   struct rk_plan_symbol **ret)
{
	struct rk_plan_symbol *symbol = rk_map_get(&l->by_identity, identity);
	if (!symbol) {
		struct rk_arena *arena = &l->plan->arena;
		symbol = rk_arena_memdup(arena, &init, sizeof(init));
		const char *key = rk_arena_strdup(arena, identity);
		if (!symbol || !key)
			return rk_err_nomem();
		symbol->name = rk_arena_strdup(arena, init.name);
		symbol->object = rk_arena_strdup(arena, init.object);
		symbol->ns = init.ns ? rk_arena_strdup(arena, init.ns) : NULL;
		if (!symbol->name || !symbol->object || !rk_vec_push(&l->plan->symbols, symbol) ||
		    !rk_map_set(&l->by_identity, key, symbol))
			return rk_err_nomem();
	}
	*ret = symbol;
	return NULL;
}

static struct rk_err *find(struct rk_linker *l, const struct rk_link_unit *unit,
			   enum rk_finding_code code, const char *name, const char *text)
{
	return rk_finding_add(l->findings, code, unit->diff->unit, unit->diff->object, name, "%s",
			      text);
}

static struct rk_err *use_export(struct rk_linker *l, const struct rk_link_unit *unit,
				 const struct rk_export *export, struct rk_plan_symbol **ret)
{
	char *identity = rk_arena_printf(&l->plan->arena, "export %s", export->name);
	if (!identity)
		return rk_err_nomem();
	if (export->ns && *export->ns)
		RK_TRY(find(l, unit, RK_FINDING_SYMBOL_NAMESPACE, export->name, export->ns));
	struct rk_plan_symbol init = {
		.kind = RK_PLAN_EXPORT,
		.name = export->name,
		.object = export->object,
		.crc = export->crc,
		.ns = export->ns,
		.type = STT_NOTYPE,
	};
	return keep(l, identity, init, ret);
}

/* Asks the kernel's search, on the target's tables, for just this symbol. */
static struct rk_err *search(struct rk_linker *l, const struct rk_link_unit *unit,
			     const struct rk_klp_object *object, const struct rk_symbol *sym,
			     uint32_t *ret_sympos, bool *ret_ok)
{
	struct rk_sympos pos;

	*ret_ok = false;
	RK_TRY(rk_symbols_sympos(l->symbols, object, sym, &pos));
	if (!pos.in_kallsyms)
		return find(l, unit, RK_FINDING_SYMBOL_UNRESOLVED, sym->name,
			    "the running kernel's symbol table doesn't have it");
	if (pos.unstable)
		return rk_finding_add(
			l->findings, RK_FINDING_SYMBOL_AMBIGUOUS, unit->diff->unit, object->name,
			sym->name,
			"one of %u of that name, and its position changes while the module loads",
			pos.matches);
	*ret_sympos = pos.sympos;
	*ret_ok = true;
	return NULL;
}

static struct rk_err *use_livepatch(struct rk_linker *l, const struct rk_link_unit *unit,
				    const struct rk_klp_object *object, const struct rk_symbol *sym,
				    struct rk_plan_symbol **ret)
{
	uint32_t sympos;
	bool ok;

	RK_TRY(search(l, unit, object, sym, &sympos, &ok));
	if (!ok)
		return NULL;
	char *identity =
		rk_arena_printf(&l->plan->arena, "klp %s.%s,%u", object->name, sym->name, sympos);
	if (!identity)
		return rk_err_nomem();
	struct rk_plan_symbol init = {
		.kind = RK_PLAN_KLP,
		.name = sym->name,
		.object = object->name,
		.sympos = sympos,
		.type = sym->type == STT_FUNC ? STT_FUNC : STT_OBJECT,
	};
	return keep(l, identity, init, ret);
}

/* A global of vmlinux that isn't exported; code of a module can reach it through livepatch only. */
static struct rk_err *use_vmlinux(struct rk_linker *l, const struct rk_link_unit *unit,
				  const char *name, struct rk_plan_symbol **ret)
{
	struct rk_klp_object *vmlinux;
	RK_TRY(rk_symbols_object(l->symbols, "vmlinux", &vmlinux));
	struct rk_owner owner = {.object = vmlinux};
	const struct rk_symbol *sym = rk_owner_lookup(&owner, name);
	if (!sym || sym->bind == STB_LOCAL)
		return find(l, unit, RK_FINDING_SYMBOL_UNRESOLVED, name,
			    "neither in this object nor exported nor a global symbol of vmlinux");
	return use_livepatch(l, unit, vmlinux, sym, ret);
}

/* The next name of a list as the kernel has it, with '_' for '-'; malloc'ed. */
static char *module_name(const char *list)
{
	char *name = strndup(list, strcspn(list, ","));

	for (char *c = name; c && *c; c++)
		if (*c == '-')
			*c = '_';
	return name;
}

static struct rk_err *depends_on(struct rk_linker *l, const struct rk_klp_object *object,
				 const char *module, unsigned int depth, bool *ret);

static struct rk_err *name_depends_on(struct rk_linker *l, const char *name, const char *module,
				      unsigned int depth, bool *ret)
{
	struct rk_klp_object *object;
	struct rk_err *err = rk_symbols_object(l->symbols, name, &object);

	if (err && rk_err_code(err) == RK_ERR_NOT_FOUND) {
		rk_err_free(err);
		return NULL;
	}
	return err ? err : depends_on(l, object, module, depth, ret);
}

static struct rk_err *depends_on(struct rk_linker *l, const struct rk_klp_object *object,
				 const char *module, unsigned int depth, bool *ret)
{
	const char *list = object->depends ? object->depends : "";

	for (; !*ret && *list; list += strcspn(list, ","), list += *list == ',') {
		_cleanup_free_ char *name = module_name(list);

		if (!name)
			return rk_err_nomem();
		*ret = rk_streq(name, module);
		if (!*ret && *name && depth)
			RK_TRY(name_depends_on(l, name, module, depth - 1, ret));
	}
	return NULL;
}

struct rk_err *rk_link_depends_on(struct rk_linker *l, const struct rk_klp_object *object,
				  const char *module, bool *ret)
{
	bool found = false;

	RK_TRY(depends_on(l, object, module, DEPENDS_DEPTH, &found));
	*ret = found;
	return NULL;
}

static struct rk_err *use_module(struct rk_linker *l, const struct rk_link_unit *unit,
				 const struct rk_export *export, struct rk_plan_symbol **ret)
{
	struct rk_klp_object *exporter;
	bool is_there;

	RK_TRY(rk_link_depends_on(l, unit->owner->object, export->object, &is_there));
	if (!is_there)
		return rk_finding_add(l->findings, RK_FINDING_SYMBOL_UNRESOLVED, unit->diff->unit,
				      unit->diff->object, export->name,
				      "exported by module '%s', which '%s' doesn't depend on",
				      export->object, unit->diff->object);
	RK_TRY(rk_symbols_object(l->symbols, export->object, &exporter));
	struct rk_owner owner = {.object = exporter};
	const struct rk_symbol *sym = rk_owner_lookup(&owner, export->name);
	if (!sym)
		return find(l, unit, RK_FINDING_SYMBOL_UNRESOLVED, export->name,
			    "not in the module that exports it");
	return use_livepatch(l, unit, exporter, sym, ret);
}

/* A local symbol of the unit itself: nothing else of that name will do. */
static struct rk_err *resolve_local(struct rk_linker *l, const struct rk_link_unit *unit,
				    const char *name, struct rk_plan_symbol **ret)
{
	const struct rk_symbol *sym = rk_owner_lookup(unit->owner, name);

	if (!sym || sym->bind != STB_LOCAL)
		return find(l, unit, RK_FINDING_SYMBOL_UNRESOLVED, name,
			    "the shipped binary has no local symbol of that name from this file");
	const struct rk_proof_entry *proof = rk_proof_find(unit->proof, name);
	if (proof && proof->verdict != RK_PROOF_MATCHED)
		return rk_finding_add(l->findings, RK_FINDING_MISMATCH, unit->diff->unit,
				      unit->diff->object, name, "new code uses it, but it %s: %s",
				      rk_proof_verdict_name(proof->verdict), proof->reason);
	return use_livepatch(l, unit, unit->owner->object, sym, ret);
}

static struct rk_err *use_hook(struct rk_linker *l, struct rk_plan_symbol **ret)
{
	struct rk_plan_symbol init = {.kind = RK_PLAN_HOOK,
				      .name = RK_HOOK_PATCH,
				      .object = "vmlinux",
				      .type = STT_OBJECT};
	return keep(l, "hook", init, ret);
}

/* A static of one unit that the fix made global, for the sake of another unit: the running kernel has it as the first one's. */
static const struct rk_span *find_widened(const struct rk_link_unit *unit, const char *name)
{
	const struct rk_spans *patched = unit->diff->patched;

	for (size_t i = 0; i < patched->nr_spans; i++) {
		const struct rk_span *s = patched->spans[i];
		if (s->name && rk_streq(s->name, name) && s->symbol->bind != STB_LOCAL && s->twin &&
		    s->twin->symbol && s->twin->symbol->bind == STB_LOCAL)
			return s->twin;
	}
	return NULL;
}

static struct rk_err *resolve_widened(struct rk_linker *l, const struct rk_klp_object *object,
				      const char *name, struct rk_plan_symbol **ret,
				      bool *ret_found)
{
	*ret_found = false;
	for (size_t i = 0; i < l->nr_units && !*ret_found; i++) {
		const struct rk_link_unit *unit = &l->units[i];
		const struct rk_span *was =
			unit->owner->object == object ? find_widened(unit, name) : NULL;
		*ret_found = was != NULL;
		if (was)
			RK_TRY(resolve_local(l, unit, was->name, ret));
	}
	return NULL;
}

/* What the linker and the module loader would take: the object's own, then what is exported. */
static struct rk_err *resolve_global(struct rk_linker *l, const struct rk_link_unit *unit,
				     const char *name, struct rk_plan_symbol **ret)
{
	const struct rk_export *export = rk_symbols_export(l->symbols, name);
	const struct rk_owner any = {.object = unit->owner->object};
	const struct rk_symbol *sym = rk_owner_lookup(&any, name);
	bool widened;

	if (rk_streq(name, RK_HOOK_PATCH))
		return use_hook(l, ret);
	RK_TRY(resolve_widened(l, any.object, name, ret, &widened));
	if (widened)
		return NULL;
	if (sym && !any.object->is_vmlinux)
		return use_livepatch(l, unit, unit->owner->object, sym, ret);
	if (export && rk_streq(export->object, "vmlinux"))
		return use_export(l, unit, export, ret);
	if (sym)
		return use_livepatch(l, unit, unit->owner->object, sym, ret);
	if (export)
		return use_module(l, unit, export, ret);
	return use_vmlinux(l, unit, name, ret);
}

struct rk_err *rk_link_resolve(struct rk_linker *l, const struct rk_link_unit *unit,
			       const char *name, bool is_local, struct rk_plan_symbol **ret)
{
	char *key = rk_arena_printf(&l->plan->arena, "%td %s %s", unit - l->units,
				    is_local ? "local" : "global", name);
	if (!key)
		return rk_err_nomem();
	struct rk_plan_symbol *symbol = rk_map_get(&l->resolved, key);
	if (!symbol) {
		RK_TRY(is_local ? resolve_local(l, unit, name, &symbol)
				: resolve_global(l, unit, name, &symbol));
		if (symbol && !rk_map_set(&l->resolved, key, symbol))
			return rk_err_nomem();
	}
	*ret = symbol;
	return NULL;
}

static enum rk_finding_code code_of(enum rk_proof_verdict verdict)
{
	switch (verdict) {
	case RK_PROOF_ABSENT: return RK_FINDING_ABSENT;
	case RK_PROOF_OVERRIDDEN: return RK_FINDING_OVERRIDDEN;
	default: return RK_FINDING_MISMATCH;
	}
}

struct rk_err *rk_link_find_old(struct rk_linker *l, const struct rk_link_unit *unit,
				const char *function, const struct rk_symbol **ret,
				uint32_t *ret_sympos)
{
	const struct rk_proof_entry *proof = rk_proof_find(unit->proof, function);
	bool ok;

	*ret = NULL;
	if (!proof || !proof->shipped)
		return find(l, unit, RK_FINDING_ABSENT, function,
			    "not found in the shipped binary");
	if (proof->verdict != RK_PROOF_MATCHED)
		return rk_finding_add(l->findings, code_of(proof->verdict), unit->diff->unit,
				      unit->diff->object, function, "%s",
				      proof->reason ? proof->reason
						    : rk_proof_verdict_name(proof->verdict));
	RK_TRY(search(l, unit, unit->owner->object, proof->shipped, ret_sympos, &ok));
	if (ok)
		*ret = proof->shipped;
	return NULL;
}
