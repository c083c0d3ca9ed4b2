// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every function of a compiled original beside its shipped twin: the verdict of each, and the sums.
 */
#include <elf.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/target/proof_internal.h"

static const char *const verdict_names[] = {
	[RK_PROOF_MATCHED] = "matched",	    [RK_PROOF_DIFFERS] = "differs",
	[RK_PROOF_ABSENT] = "absent",	    [RK_PROOF_OVERRIDDEN] = "overridden",
	[RK_PROOF_DISCARDED] = "discarded",
};

const char *rk_proof_verdict_name(enum rk_proof_verdict verdict)
{
	return verdict_names[verdict];
}

/*
 * Sections that the linker script or modpost leaves out, or may (include/asm-generic/vmlinux.lds.h
 * DISCARDS).
 */
static bool may_be_discarded(const struct rk_section *section)
{
	return rk_has_prefix(section->name, ".exit") || rk_has_prefix(section->name, ".discard");
}

static const struct rk_symbol *find_shipped(const struct rk_owner *owner,
					    const struct rk_symbol *ours)
{
	const struct rk_symbol *shipped = rk_owner_lookup(owner, ours->name);

	if (!shipped || !shipped->section ||
	    (ours->bind == STB_LOCAL && shipped->bind != STB_LOCAL))
		return NULL;
	return shipped;
}

/* ".text.unlikely.foo" and ".text.unlikely.bar" are linked to one piece, ".text.foo" to another. */
static bool same_piece(const struct rk_section *a, const struct rk_section *b)
{
	static const char *const kinds[] = {".text.unlikely.", ".text.hot.", ".text.startup.",
					    ".text."};
	if (strcmp(a->name, b->name) == 0)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (rk_has_prefix(a->name, kinds[i]) || rk_has_prefix(b->name, kinds[i]))
			return rk_has_prefix(a->name, kinds[i]) && rk_has_prefix(b->name, kinds[i]);
	return false;
}

static bool is_before(const struct rk_symbol *a, const struct rk_symbol *b)
{
	return a->section == b->section ? a->value < b->value
					: a->section->index < b->section->index;
}

/*
 * Is the shipped twin where the compiler put this function: behind those before it, before those
 * behind it?
 */
static bool is_in_order(const struct rk_proof_run *run, const struct rk_pair *pair)
{
	rk_elf_for_each_symbol(run->original, sym) {
		if (sym->type != STT_FUNC || !sym->section || sym->bind == STB_WEAK ||
		    !same_piece(sym->section, pair->ours->section))
			continue;
		const struct rk_symbol *shipped = find_shipped(run->owner, sym);
		if (shipped && shipped->section == pair->shipped->section &&
		    is_before(sym, pair->ours) != (shipped->value < pair->shipped->value))
			return false;
	}
	return true;
}

/*
 * Did a weak function of ours lose against another file's? The linker keeps the binding of the
 * definition it took, so a global one says it; but where a header declares the function weak
 * (arch_perf_update_userpage) both are, and only the place tells.
 */
static bool is_overridden(const struct rk_proof_run *run, const struct rk_pair *pair)
{
	if (pair->ours->bind != STB_WEAK)
		return false;
	return pair->shipped->bind == STB_GLOBAL || !rk_owner_covers(run->owner, pair->shipped) ||
	       !is_in_order(run, pair);
}

/* Byte by byte and relocation by relocation: quick, and right for nearly all. */
static struct rk_err *compare_in_place(struct rk_proof_run *run, const struct rk_pair *pair,
				       uint32_t *ret_nr, struct rk_divergence *ret, bool *ret_same)
{
	struct rk_divergence d = {.is_known = true};
	uint64_t at = rk_first_difference(pair->ours, pair->shipped_bytes, pair->size, run->arch);
	uint64_t extra = rk_proof_extra_reloc(run, pair);

	RK_TRY(rk_proof_relocs(run, pair, ret_nr, &d.reloc, &d.ours, &d.theirs));
	at = extra < at ? extra : at;
	if (d.reloc && d.reloc->offset - pair->ours->value > at)
		d.reloc = NULL;
	if (d.reloc)
		at = d.reloc->offset - pair->ours->value;
	d.at.ours = d.at.shipped = at;
	*ret = d;
	*ret_same = !d.reloc && at == pair->size && pair->ours->size == pair->shipped->size;
	return NULL;
}

static struct rk_err *compare(struct rk_proof_run *run, const struct rk_pair *pair,
			      struct rk_proof_entry *entry)
{
	struct rk_divergence in_place, walked;
	bool same;

	RK_TRY(compare_in_place(run, pair, &entry->nr_relocs, &in_place, &same));
	if (!same)
		RK_TRY(rk_proof_relaxed(run, pair, &entry->nr_relocs, &walked, &entry->relaxed));
	if (same || entry->relaxed) {
		entry->verdict = RK_PROOF_MATCHED;
		return NULL;
	}
	if (is_overridden(run, pair)) {
		entry->verdict = RK_PROOF_OVERRIDDEN;
		entry->reason = "weak; another file's definition is shipped";
		return NULL;
	}
	entry->verdict = RK_PROOF_DIFFERS;
	return rk_proof_describe(run, pair, walked.is_known ? &walked : &in_place, entry);
}

static struct rk_err *prove(struct rk_proof_run *run, const struct rk_symbol *ours,
			    struct rk_proof_entry *entry)
{
	entry->original = ours;
	entry->function = rk_arena_strdup(&run->proof->arena, ours->name);
	if (!entry->function)
		return rk_err_nomem();
	const struct rk_symbol *shipped = find_shipped(run->owner, ours);
	entry->shipped = shipped;
	if (!shipped) {
		entry->verdict =
			may_be_discarded(ours->section) ? RK_PROOF_DISCARDED : RK_PROOF_ABSENT;
		entry->reason = "not in the shipped binary";
		return NULL;
	}
	struct rk_pair pair = {
		.ours = ours,
		.shipped = shipped,
		.our_bytes = rk_symbol_bytes(run->original, ours, ours->size),
		.shipped_bytes = rk_symbol_bytes(run->shipped, shipped, shipped->size),
		.size = ours->size < shipped->size ? ours->size : shipped->size,
	};
	if (!pair.our_bytes || !pair.shipped_bytes)
		return rk_err(RK_ERR_FORMAT, "'%s': function '%s' leaves its section",
			      pair.our_bytes ? run->shipped->path : run->original->path,
			      ours->name);
	return rk_err_wrap(compare(run, &pair, entry), "'%s'", ours->name);
}

static void count(struct rk_proof *proof, enum rk_proof_verdict verdict)
{
	switch (verdict) {
	case RK_PROOF_MATCHED: proof->matched++; break;
	case RK_PROOF_DIFFERS: proof->differing++; break;
	case RK_PROOF_ABSENT: proof->absent++; break;
	case RK_PROOF_OVERRIDDEN: proof->overridden++; break;
	case RK_PROOF_DISCARDED: proof->discarded++; break;
	}
}

static struct rk_err *prove_all(struct rk_proof_run *run)
{
	rk_elf_for_each_symbol(run->original, sym) {
		if (sym->type != STT_FUNC || !sym->section)
			continue;
		struct rk_proof_entry entry = {};
		RK_TRY(prove(run, sym, &entry));
		count(run->proof, entry.verdict);
		if (!rk_vec_push(&run->proof->functions, entry))
			return rk_err_nomem();
	}
	return NULL;
}

static void cleanup_proof(struct rk_proof **proof)
{
	rk_proof_free(*proof);
}

struct rk_err *rk_proof_run(const char *unit, const struct rk_owner *owner, struct rk_elf *original,
			    struct rk_proof **ret)
{
	_cleanup_(cleanup_proof) struct rk_proof *proof = calloc(1, sizeof(*proof));
	if (!proof)
		return rk_err_nomem();
	rk_arena_init(&proof->arena);
	proof->unit = rk_arena_strdup(&proof->arena, unit);
	proof->object = rk_arena_strdup(&proof->arena, owner->object->name);
	if (!proof->unit || !proof->object)
		return rk_err_nomem();
	struct rk_proof_run run = {
		.proof = proof,
		.owner = owner,
		.original = original,
		.shipped = owner->object->elf,
		.arch = rk_arch_for(original->machine),
	};
	if (!run.arch || run.shipped->machine != original->machine)
		return rk_err(RK_ERR_UNSUPPORTED,
			      "'%s': machine %u is not supported or not the target's",
			      original->path, original->machine);
	struct rk_err *err = prove_all(&run);
	rk_vec_deinit(&run.anchors);
	RK_TRY(rk_err_wrap(err, "'%s'", unit));
	*ret = take_ptr(proof);
	return NULL;
}

void rk_proof_free(struct rk_proof *proof)
{
	if (!proof)
		return;
	rk_vec_deinit(&proof->functions);
	rk_arena_deinit(&proof->arena);
	free(proof);
}

const struct rk_proof_entry *rk_proof_find(const struct rk_proof *proof, const char *function)
{
	rk_vec_for_each(&proof->functions, entry)
		if (strcmp(entry->function, function) == 0)
			return entry;
	return NULL;
}
