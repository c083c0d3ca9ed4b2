/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pairs of objects and what is found out about them: each pair's diff, and, where the kernel's files are given, the proof and one plan
 * for all pairs. Filled first, shown afterwards.
 */
#ifndef RK_TOOLS_KPATCH_DIFF_COMPARISON_H
#define RK_TOOLS_KPATCH_DIFF_COMPARISON_H

#include "lib/diff/diff.h"
#include "lib/patch/plan.h"
#include "lib/target/proof.h"

struct pair {
	const char *orig_path, *patched_path;
	const char *unit; /* NULL: as the object says */
	struct rk_elf *orig, *patched;
	struct rk_diff *diff;
	struct rk_owner owner;
	struct rk_proof *proof; /* NULL without a kernel */
};

/* All paths absolute or as given; the strings are borrowed. */
struct kernel_files {
	const char *vmlinux, *symvers; /* both or none */
	const char *const *modules;
	size_t nr_modules;
};

struct comparison {
	struct rk_arena arena;
	const char *
		object; /* klp object that all pairs are of; NULL: the only module given, else vmlinux */
	struct kernel_files kernel;
	struct pair *pairs;
	size_t nr_pairs;
	struct rk_target target; /* what of a kernel is needed here: its files */
	struct rk_symbols *symbols;
	struct rk_findings findings; /* sorted, of diffs and link */
	struct rk_plan *plan;	     /* NULL without a kernel, and when diffs have error findings */
	size_t nr_functions;	     /* that differ or are carried */
};

/* A negative verdict is findings. Errors: what opening, comparing and linking return. Call comparison_deinit() in any case. */
struct rk_err *comparison_run(struct comparison *c) __must_use;
void comparison_deinit(struct comparison *c);

/* What an included span refers to that isn't in the patch. */
struct outside {
	const char *name;
	const char *user; /* the first span that does */
	bool is_own; /* of this unit: the running kernel's copy is meant; else another unit's or a module's */
	bool is_local;
};

struct outsides {
	rk_vec(struct outside) list; /* each name once, in object order */
};

/* Fills ret, whose strings live as long as c. */
struct rk_err *comparison_outsides(struct comparison *c, const struct pair *pair,
				   struct outsides *ret) __must_use;

struct rk_err *comparison_print(struct comparison *c, bool verbose) __must_use;
struct rk_err *comparison_print_json(struct comparison *c) __must_use;

/* "patchable", "refused", "no-difference" */
const char *comparison_verdict(const struct comparison *c);

#endif
