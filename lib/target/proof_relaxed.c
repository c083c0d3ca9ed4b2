// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * With -ffunction-sections a jump to another function of the file can't be resolved by the
 * assembler and takes its long form; in the shipped object, compiled without it, a near target has
 * the short one ("jmp" to the function behind, crypto_mod_get). Such a function has another size,
 * yet it is the same code: instruction by instruction it must be equal, branches by their kind and
 * target, and all targets within the function must correspond.
 */
#include <elf.h>
#include <string.h>

#include "lib/target/proof_internal.h"

#define TEXT_MAX 128

struct walk {
	struct rk_proof_run *run;
	const struct rk_pair *pair;
	rk_vec(struct rk_step) starts;	/* of instructions, ascending */
	rk_vec(struct rk_step) targets; /* of branches within the function */
	uint32_t nr_relocs;
	struct rk_divergence *divergence;
};

/* One instruction on both sides. */
struct twins {
	struct rk_step at;
	struct rk_insn ours, shipped;
};

static bool corresponds(const struct walk *w, const struct rk_step *target)
{
	size_t low = 0, high = w->starts.nr;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (w->starts.v[mid].ours < target->ours)
			low = mid + 1;
		else
			high = mid;
	}
	return low < w->starts.nr && w->starts.v[low].ours == target->ours &&
	       w->starts.v[low].shipped == target->shipped;
}

/* The first relocation of ours in [from, end) of the function, NULL if there is none. */
static const struct rk_reloc *our_reloc(const struct walk *w, uint64_t from, uint64_t end)
{
	const struct rk_section *section = w->pair->ours->section;
	const struct rk_reloc *r = rk_section_reloc_from(section, w->pair->ours->value + from);

	if (!r || r->offset - w->pair->ours->value >= end)
		return NULL;
	return r;
}

/* Has the shipped function, in a module, a relocation in [from, end)? */
static bool has_shipped_reloc(const struct walk *w, uint64_t from, uint64_t end)
{
	const struct rk_symbol *shipped = w->pair->shipped;

	if (w->run->shipped->type != ET_REL || from >= end)
		return false;
	const struct rk_reloc *r = rk_section_reloc_from(shipped->section, shipped->value + from);
	const struct rk_reloc *last = shipped->section->relocs + shipped->section->nr_relocs;
	for (; r && r < last && r->offset - shipped->value < end; r++) {
		const struct rk_reloc_kind *kind = w->run->arch->reloc_kind(r->type);
		if (!kind || kind->size)
			return true;
	}
	return false;
}

/*
 * Compares what a relocation of ours means with theirs (NULL: nothing comparable) and notes a
 * difference.
 */
static struct rk_err *reloc_agrees(struct walk *w, const struct rk_reloc *reloc,
				   const struct rk_place *theirs, bool *ret)
{
	const struct rk_section *section = w->pair->ours->section;
	const struct rk_symbol *named = NULL;

	*ret = false;
	w->nr_relocs++;
	if (theirs)
		RK_TRY(rk_proof_reloc_agrees(w->run, section, reloc, theirs, &named, ret));
	if (*ret)
		return NULL;
	w->divergence->reloc = reloc;
	return rk_proof_reloc_names(w->run, section, reloc, named, theirs, &w->divergence->ours,
				    &w->divergence->theirs);
}

/* The same branch apart from the width of its displacement: its mnemonic is the same. */
static struct rk_err *same_mnemonic(const struct walk *w, const struct twins *t, bool *ret)
{
	char ours[TEXT_MAX], shipped[TEXT_MAX];

	RK_TRY(w->run->arch->disassemble(w->pair->our_bytes + t->at.ours, t->ours.length, 0, ours,
					 sizeof(ours)));
	RK_TRY(w->run->arch->disassemble(w->pair->shipped_bytes + t->at.shipped, t->shipped.length,
					 0, shipped, sizeof(shipped)));
	size_t len = strcspn(ours, " ");
	*ret = len == strcspn(shipped, " ") && memcmp(ours, shipped, len) == 0;
	return NULL;
}

/* Where the shipped branch goes, in terms of S + A of our field (which is bias lower). */
static bool shipped_branch_place(const struct walk *w, const struct twins *t, uint64_t bias,
				 struct rk_place *ret)
{
	const struct rk_symbol *shipped = w->pair->shipped;

	if (w->run->shipped->type == ET_REL) {
		uint64_t field = shipped->value + t->at.shipped + t->shipped.disp_offset;
		const struct rk_reloc *r = rk_section_reloc_from(shipped->section, field);
		if (r && r->offset == field) {
			const struct rk_reloc_kind *kind = w->run->arch->reloc_kind(r->type);
			return kind && kind->size == t->ours.disp_size &&
			       rk_proof_shipped_target(w->run, w->pair, field - shipped->value,
						       kind, ret);
		}
		*ret = (struct rk_place){.section = shipped->section};
	} else {
		*ret = (struct rk_place){};
	}
	ret->at = (uint64_t)t->shipped.target - bias;
	return true;
}

static struct rk_err *branch_agrees(struct walk *w, const struct twins *t, bool *ret)
{
	const struct rk_pair *pair = w->pair;
	const struct rk_symbol *named = NULL;
	struct rk_place theirs;

	*ret = false;
	bool same;
	RK_TRY(same_mnemonic(w, t, &same));
	if (!same)
		return NULL;
	uint64_t bias = t->ours.length - t->ours.disp_offset;
	const struct rk_reloc *reloc = our_reloc(w, t->at.ours, t->at.ours + t->ours.length);
	if (reloc)
		return reloc_agrees(
			w, reloc, shipped_branch_place(w, t, bias, &theirs) ? &theirs : NULL, ret);
	if (has_shipped_reloc(w, t->at.shipped, t->at.shipped + t->shipped.length))
		return NULL;
	struct rk_step target = {(uint64_t)t->ours.target - pair->ours->value,
				 (uint64_t)t->shipped.target - pair->shipped->value};
	if (target.ours < pair->ours->size) {
		*ret = true;
		return rk_vec_push(&w->targets, target) ? NULL : rk_err_nomem();
	}
	/* to another function of the same section, resolved by the assembler on our side too */
	if (shipped_branch_place(w, t, 0, &theirs))
		*ret = rk_proof_section_agrees(w->run, pair->ours->section,
					       (uint64_t)t->ours.target, 0, &theirs, &named);
	return NULL;
}

static struct rk_err *plain_agrees(struct walk *w, const struct twins *t, bool *ret)
{
	const struct rk_pair *pair = w->pair;
	uint64_t end = t->at.ours + t->ours.length;

	*ret = false;
	if (t->ours.length != t->shipped.length)
		return NULL;
	const struct rk_symbol piece = {.value = pair->ours->value + t->at.ours,
					.section = pair->ours->section};
	if (rk_first_difference(&piece, pair->shipped_bytes + t->at.shipped, t->ours.length,
				w->run->arch) != t->ours.length)
		return NULL;
	/*
	 * relocations of both sides must stand at the same places: what is between ours must be
	 * free of theirs
	 */
	uint64_t shipped_at = t->at.shipped;
	for (const struct rk_reloc *r = our_reloc(w, t->at.ours, end); r;
	     r = our_reloc(w, r->offset + 1 - pair->ours->value, end)) {
		const struct rk_reloc_kind *kind = w->run->arch->reloc_kind(r->type);
		uint64_t field = t->at.shipped + (r->offset - pair->ours->value - t->at.ours);
		struct rk_place theirs;
		bool agrees;
		if (kind && !kind->size)
			continue;
		bool is_there = kind && rk_proof_shipped_target(w->run, pair, field, kind, &theirs);
		RK_TRY(reloc_agrees(w, r, is_there ? &theirs : NULL, &agrees));
		if (!agrees || has_shipped_reloc(w, shipped_at, field))
			return NULL;
		shipped_at = field + kind->size;
	}
	if (has_shipped_reloc(w, shipped_at, t->at.shipped + t->shipped.length))
		return NULL;
	*ret = true;
	return NULL;
}

/* Decodes the next instruction of both sides; false where one of them isn't one. */
static bool decode(const struct walk *w, struct twins *t)
{
	const struct rk_pair *pair = w->pair;
	_cleanup_err_ struct rk_err *ours =
		w->run->arch->decode(pair->our_bytes + t->at.ours, pair->ours->size - t->at.ours,
				     pair->ours->value + t->at.ours, &t->ours);
	_cleanup_err_ struct rk_err *shipped =
		w->run->arch->decode(pair->shipped_bytes + t->at.shipped,
				     pair->shipped->size - t->at.shipped,
				     pair->shipped->value + t->at.shipped, &t->shipped);
	return !ours && !shipped && t->ours.length && t->shipped.length;
}

static struct rk_err *walk_functions(struct walk *w, bool *ret)
{
	struct twins t = {};

	*ret = false;
	while (t.at.ours < w->pair->ours->size && t.at.shipped < w->pair->shipped->size) {
		bool agrees;
		if (!decode(w, &t))
			return NULL;
		w->divergence->at = t.at;
		if (!rk_vec_push(&w->starts, t.at))
			return rk_err_nomem();
		if (t.ours.is_branch && t.shipped.is_branch)
			RK_TRY(branch_agrees(w, &t, &agrees));
		else
			RK_TRY(plain_agrees(w, &t, &agrees));
		if (!agrees) {
			w->divergence->is_known = true;
			return NULL;
		}
		t.at.ours += t.ours.length;
		t.at.shipped += t.shipped.length;
	}
	if (t.at.ours != w->pair->ours->size || t.at.shipped != w->pair->shipped->size)
		return NULL;
	rk_vec_for_each(&w->targets, target)
		if (!corresponds(w, target))
			return NULL;
	*ret = true;
	return NULL;
}

struct rk_err *rk_proof_relaxed(struct rk_proof_run *run, const struct rk_pair *pair,
				uint32_t *ret_nr, struct rk_divergence *ret_divergence, bool *ret)
{
	struct rk_divergence divergence = {};
	struct walk w = {.run = run, .pair = pair, .divergence = &divergence};

	struct rk_err *err = walk_functions(&w, ret);
	rk_vec_deinit(&w.starts);
	rk_vec_deinit(&w.targets);
	if (err)
		return err;
	if (*ret)
		*ret_nr = w.nr_relocs;
	*ret_divergence = divergence;
	return NULL;
}
