/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What proof.c, proof_reloc.c and proof_text.c share. */
#ifndef RK_TARGET_PROOF_INTERNAL_H
#define RK_TARGET_PROOF_INTERNAL_H

#include "lib/arch/arch.h"
#include "lib/target/proof.h"
#include "lib/target/symbols_internal.h"

/* Where something is in the shipped object. */
struct rk_place {
	const struct rk_section *section; /* in modules, which aren't linked; NULL in vmlinux */
	const char *undefined;		  /* name of a symbol that isn't in the object; else NULL */
	uint64_t at; /* address, offset in the section, or addend to the undefined symbol */
};

/*
 * Where a nameless piece of a section of ours lies in the shipped object, as the first reference
 * showed.
 */
struct rk_anchor {
	const struct rk_section *ours;
	struct rk_place shipped; /* of the section's start */
};

struct rk_proof_run {
	struct rk_proof *proof;
	const struct rk_owner *owner;
	const struct rk_elf *original;
	const struct rk_elf *shipped;
	const struct rk_arch *arch;
	rk_vec(struct rk_anchor) anchors;
};

/* A function of ours beside its shipped twin. */
struct rk_pair {
	const struct rk_symbol *ours;
	const struct rk_symbol *shipped;
	const uint8_t *our_bytes;
	const uint8_t *shipped_bytes;
	uint64_t size; /* of the smaller one */
};

/* Corresponding offsets in the two functions. */
struct rk_step {
	uint64_t ours, shipped;
};

/* Where and how two functions differ. */
struct rk_divergence {
	bool is_known;		      /* false: the functions couldn't be walked that far */
	struct rk_step at;	      /* the instruction */
	const struct rk_reloc *reloc; /* of ours that means something else, or NULL: other bytes */
	const char *ours, *theirs;    /* what it means on both sides */
};

/*
 * The first relocation in pair that means something else in the shipped object, NULL if there is
 * none; then ret_ours and ret_theirs are names of what they mean (arena of the proof).
 */
struct rk_err *rk_proof_relocs(struct rk_proof_run *run, const struct rk_pair *pair,
			       uint32_t *ret_nr, const struct rk_reloc **ret_reloc,
			       const char **ret_ours, const char **ret_theirs) __must_use;

/*
 * The shipped side's S + A of the field at offset in its function; false if there is nothing that
 * could be one.
 */
bool rk_proof_shipped_target(const struct rk_proof_run *run, const struct rk_pair *pair,
			     uint64_t offset, const struct rk_reloc_kind *kind,
			     struct rk_place *ret);

/*
 * Does reloc of section mean theirs (S + A)? *ret_named is a symbol of ours for messages, or NULL.
 */
struct rk_err *rk_proof_reloc_agrees(struct rk_proof_run *run, const struct rk_section *section,
				     const struct rk_reloc *reloc, const struct rk_place *theirs,
				     const struct rk_symbol **ret_named, bool *ret) __must_use;

/*
 * Does offset of our section mean theirs, which is bias lower? By the symbols there; *ret_named is
 * one of them, untouched if the section has none.
 */
bool rk_proof_section_agrees(const struct rk_proof_run *run, const struct rk_section *section,
			     uint64_t offset, uint64_t bias, const struct rk_place *theirs,
			     const struct rk_symbol **ret_named);

/*
 * Are the functions equal when each branch is taken as the same one, however wide its displacement
 * is? If not, *ret_divergence is the first instruction that isn't.
 */
struct rk_err *rk_proof_relaxed(struct rk_proof_run *run, const struct rk_pair *pair,
				uint32_t *ret_nr, struct rk_divergence *ret_divergence, bool *ret)
	__must_use;

/*
 * In a module: the offset in the function of the first shipped relocation where ours has none; size
 * if none.
 */
uint64_t rk_proof_extra_reloc(const struct rk_proof_run *run, const struct rk_pair *pair);

/* Fills in offset, ours, theirs and reason of a difference. */
struct rk_err *rk_proof_describe(struct rk_proof_run *run, const struct rk_pair *pair,
				 const struct rk_divergence *divergence,
				 struct rk_proof_entry *entry) __must_use;

/*
 * The distance from a field of ours to what the processor counts from; 0 where it isn't an operand.
 */
int64_t rk_proof_bias(const struct rk_proof_run *run, const struct rk_section *section,
		      const struct rk_reloc *reloc);

/* Where symbol + addend is in the shipped object. */
struct rk_place rk_proof_place_of(const struct rk_elf *elf, const struct rk_symbol *sym,
				  int64_t addend);

/*
 * What reloc of section means ("'foo'+16"), and what the shipped object has: theirs (S + A), NULL
 * for no comparable field. named is the symbol of ours, NULL if there is none.
 */
struct rk_err *rk_proof_reloc_names(struct rk_proof_run *run, const struct rk_section *section,
				    const struct rk_reloc *reloc, const struct rk_symbol *named,
				    const struct rk_place *theirs, const char **ret_ours,
				    const char **ret_theirs) __must_use;

#endif
