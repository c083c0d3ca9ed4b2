/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The difference of one translation unit: the original and the patched object, held against each other. Phases, each in
 * a file of its own, each reading what the one before left in the spans: correlate (what corresponds to what), compare (which functions
 * changed), select (what must go into the patch module), report (what a human must know), types (what debug info says).
 */
#ifndef RK_DIFF_DIFF_H
#define RK_DIFF_DIFF_H

#include "include/kpatch-marks.h"
#include "lib/base/finding.h"
#include "lib/diff/span.h"

/* What the author of the fix says with a macro of include/kpatch-macros.h. */
struct rk_mark {
	enum kpatch_mark_kind kind;
	struct rk_span *function; /* callbacks */
	const char *name;	  /* IGNORE_*, FORCE_UNSAFE */
	uint64_t id;		  /* STATE, SHADOW_ID */
	uint32_t version;	  /* STATE */
};

/* "pre_patch", … (the names of struct klp_callbacks), "state", … */
const char *rk_mark_name(enum kpatch_mark_kind kind);

struct rk_diff {
	struct rk_arena arena;
	const char *unit;      /* "net/ipv4/tcp_input.c" */
	const char *object;    /* klp object: "vmlinux" or a module */
	struct rk_spans *orig; /* owned; the ELF files are borrowed */
	struct rk_spans *patched;
	rk_vec(struct rk_span *) included; /* of patched, in object order */
	rk_vec(struct rk_span *)
		functions; /* to redirect: changed or carried, each with a twin in orig */
	rk_vec(const char *) prototypes; /* functions whose prototype changed, by name in orig */
	rk_vec(struct rk_mark) marks;	 /* in the order of the object */
	struct rk_findings findings;
};

/* Compares orig and patched (ET_REL, compiled with -ffunction-sections -fdata-sections, relocations loaded); both must outlive
 * the result. A negative verdict is in findings, not an error. unit and object are copied. */
struct rk_err *rk_diff_create(const char *unit, const char *object, struct rk_elf *orig,
			      struct rk_elf *patched, struct rk_diff **ret) __must_use;
void rk_diff_free(struct rk_diff *diff);

/* The readable dump golden tests compare: changed, carried, new and included spans with their references, then findings.
 * *ret malloc'ed. */
struct rk_err *rk_diff_dump(const struct rk_diff *diff, char **ret) __must_use;

/* In one line, the first thing in which span (of patched, with a twin it isn't the same as, or carried) differs, or what it is carried
 * for: "+0x1a was 'call foo', now 'call bar'". From arena; NULL without memory. */
const char *rk_diff_explain(const struct rk_diff *diff, struct rk_arena *arena,
			    const struct rk_span *span);

/* Is the function exported by this unit? (It has an entry in a ksymtab section.) */
bool rk_diff_is_exported(const struct rk_spans *spans, const char *name);

#endif
