/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From object files to diffs, proofs and a plan. */
#include "tools/kpatch-diff/comparison.h"

#include <elf.h>

#include "lib/base/map.h"
#include "lib/base/str.h"
#include "lib/patch/link.h"

static void pair_deinit(struct pair *pair)
{
	rk_proof_free(pair->proof);
	rk_diff_free(pair->diff);
	if (pair->orig)
		rk_elf_close(pair->orig);
	if (pair->patched)
		rk_elf_close(pair->patched);
}

void comparison_deinit(struct comparison *c)
{
	rk_plan_free(c->plan);
	for (size_t i = 0; i < c->nr_pairs; i++)
		pair_deinit(&c->pairs[i]);
	rk_symbols_close(c->symbols);
	rk_findings_deinit(&c->findings);
	rk_arena_deinit(&c->arena);
}

/* What the compiler was called with, without directories; a file without that is named by its own name. */
static const char *unit_name(const struct rk_elf *elf)
{
	const char *slash = strrchr(elf->path, '/');

	rk_elf_for_each_symbol(elf, sym)
		if (sym->type == STT_FILE && sym->name[0])
			return sym->name;
	return slash ? slash + 1 : elf->path;
}

static struct rk_err *open_kernel(struct comparison *c)
{
	const struct kernel_files *k = &c->kernel;
	struct rk_klp_object *module = NULL;

	if (k->vmlinux) {
		c->target.id = k->vmlinux;
		c->target.vmlinux = k->vmlinux;
		c->target.symvers = k->symvers;
		RK_TRY(rk_symbols_open(&c->target, &c->symbols));
	}
	for (size_t i = 0; i < k->nr_modules; i++)
		RK_TRY(rk_symbols_add_module(c->symbols, k->modules[i], &module));
	if (!c->object)
		c->object = k->nr_modules == 1 ? module->name : "vmlinux";
	return NULL;
}

static struct rk_err *compare(struct comparison *c, struct pair *pair)
{
	RK_TRY(rk_elf_open(pair->orig_path, RK_ELF_LOAD_ALL, &pair->orig));
	RK_TRY(rk_elf_open(pair->patched_path, RK_ELF_LOAD_ALL, &pair->patched));
	if (pair->orig->type != ET_REL || pair->patched->type != ET_REL)
		return rk_err(RK_ERR_UNSUPPORTED,
			      "'%s' is no relocatable object: give the compiler's .o files",
			      pair->orig->type != ET_REL ? pair->orig_path : pair->patched_path);
	if (!pair->unit)
		pair->unit = unit_name(pair->orig);
	RK_TRY(rk_diff_create(pair->unit, c->object, pair->orig, pair->patched, &pair->diff));
	c->nr_functions += pair->diff->functions.nr;
	return rk_findings_merge(&c->findings, &pair->diff->findings);
}

static struct rk_err *prove(struct comparison *c, struct pair *pair)
{
	RK_TRY(rk_symbols_owner(c->symbols, c->object, pair->orig, &pair->owner));
	return rk_proof_run(pair->unit, &pair->owner, pair->orig, &pair->proof);
}

static struct rk_err *link_all(struct comparison *c)
{
	struct rk_link_unit *units = rk_arena_calloc(&c->arena, c->nr_pairs, sizeof(*units));

	if (!units)
		return rk_err_nomem();
	for (size_t i = 0; i < c->nr_pairs; i++)
		units[i] = (struct rk_link_unit){
			.diff = c->pairs[i].diff,
			.owner = &c->pairs[i].owner,
			.proof = c->pairs[i].proof,
		};
	return rk_link(c->symbols, units, c->nr_pairs, &c->findings, &c->plan);
}

struct rk_err *comparison_run(struct comparison *c)
{
	RK_TRY(open_kernel(c));
	for (size_t i = 0; i < c->nr_pairs; i++)
		RK_TRY(compare(c, &c->pairs[i]));
	for (size_t i = 0; i < c->nr_pairs && c->symbols; i++)
		RK_TRY(prove(c, &c->pairs[i]));
	if (c->symbols && c->nr_functions &&
	    rk_findings_count(&c->findings, RK_SEVERITY_ERROR) == 0)
		RK_TRY(link_all(c));
	rk_findings_sort(&c->findings);
	return NULL;
}

const char *comparison_verdict(const struct comparison *c)
{
	if (rk_findings_count(&c->findings, RK_SEVERITY_ERROR))
		return "refused";
	return c->nr_functions ? "patchable" : "no-difference";
}

static struct rk_err *add_outside(struct comparison *c, const struct rk_span *span,
				  const struct rk_ref *ref, struct rk_map *known,
				  struct outsides *ret)
{
	const struct rk_symbol *symbol = ref->target ? ref->target->symbol : ref->symbol;
	struct outside outside = {
		.is_own = ref->target != NULL,
		.is_local = symbol && symbol->bind == STB_LOCAL,
	};

	if (ref->target && ref->target->is_included)
		return NULL;
	outside.name = ref->target ? rk_span_describe(&c->arena, ref->target) : ref->symbol->name;
	outside.user = rk_span_describe(&c->arena, span);
	if (!outside.name || !outside.user)
		return rk_err_nomem();
	if (rk_map_get(known, outside.name))
		return NULL;
	bool ok = rk_map_set(known, outside.name, c) && rk_vec_push(&ret->list, outside);
	return ok ? NULL : rk_err_nomem();
}

struct rk_err *comparison_outsides(struct comparison *c, const struct pair *pair,
				   struct outsides *ret)
{
	struct rk_map known = {};
	struct rk_err *err = NULL;

	rk_vec_for_each(&pair->diff->included, it) {
		/* Unwind data and the like refer to nothing but their function. */
		for (size_t i = 0; i < (*it)->nr_refs && !err; i++)
			err = add_outside(c, *it, &(*it)->refs[i], &known, ret);
	}
	rk_map_deinit(&known);
	return err;
}
