/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Proof of match: the original object, as we compiled it, is held against the bytes of the shipped
 * vmlinux or module, function by function: equal apart from relocated fields, and each relocated
 * field means the same symbol (or the same string, for literals). So a wrong compiler, flag or
 * configuration is caught by name.
 */
#ifndef RK_TARGET_PROOF_H
#define RK_TARGET_PROOF_H

#include "lib/base/arena.h"
#include "lib/base/vec.h"
#include "lib/target/symbols.h"

enum rk_proof_verdict {
	RK_PROOF_MATCHED,
	RK_PROOF_DIFFERS,    /* bytes or a relocation's target differ */
	RK_PROOF_ABSENT,     /* no such function in the shipped binary */
	RK_PROOF_OVERRIDDEN, /* a __weak function; the shipped one comes from another unit */
	RK_PROOF_DISCARDED,  /* absent, but from a section that may be left out (exit code) */
};

struct rk_proof_entry {
	const char *function; /* name in the original object */
	const struct rk_symbol *original;
	const struct rk_symbol *shipped; /* NULL if absent */
	enum rk_proof_verdict verdict;
	uint64_t offset; /* of the first instruction that differs */
	/* That instruction, disassembled, or what our relocation means; NULL unless it differs. */
	const char *ours;
	const char *theirs; /* the same of the shipped function */
	/* One line, NULL if matched: "size 120, shipped 128", "calls 'foo', shipped calls 'bar'". */
	const char *reason;
	uint32_t nr_relocs; /* relocations that were compared */
	bool relaxed;	    /* matched, with branches of another width: see proof_relaxed.c */
};

struct rk_proof {
	struct rk_arena arena;
	const char *unit;
	const char *object;
	rk_vec(struct rk_proof_entry) functions; /* every FUNC of the original, table order */
	size_t matched, differing, absent, overridden, discarded;
};

/*
 * Holds every function of original (relocations loaded) against the shipped object of owner. A
 * function that differs is a verdict, not an error. Errors: RK_ERR_FORMAT (a function leaves its
 * section), RK_ERR_UNSUPPORTED (machine). The entries point into original and into the shipped
 * object, which must outlive them.
 */
struct rk_err *rk_proof_run(const char *unit, const struct rk_owner *owner, struct rk_elf *original,
			    struct rk_proof **ret) __must_use;
void rk_proof_free(struct rk_proof *proof);

/* The entry of a function by its name in the original; NULL if it isn't a function of it. */
const struct rk_proof_entry *rk_proof_find(const struct rk_proof *proof, const char *function);

const char *rk_proof_verdict_name(enum rk_proof_verdict verdict); /* "matched" … */

#endif
