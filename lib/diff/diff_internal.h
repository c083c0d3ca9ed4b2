/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The phases of a diff, in the order they run. */
#ifndef RK_DIFF_DIFF_INTERNAL_H
#define RK_DIFF_DIFF_INTERNAL_H

#include "lib/base/str.h"
#include "lib/diff/diff.h"

/* Sets twin on spans of both objects. */
struct rk_err *rk_diff_correlate(struct rk_diff *diff) __must_use;
/* locals.c: the part of correlation that pairs numbered variables of one base name. */
struct rk_err *rk_diff_pair_locals(struct rk_span **orig, size_t nr_orig, struct rk_span **patched,
				   size_t nr_patched) __must_use;
/* Reads the marks of the patched object. Errors: RK_ERR_FORMAT. */
struct rk_err *rk_diff_read_marks(struct rk_diff *diff) __must_use;
/* After comparing: functions that the author wants ignored are not changed; findings for the rest. */
struct rk_err *rk_diff_apply_marks(struct rk_diff *diff) __must_use;
/* Does the author want the span's section ignored? Adds the finding that says so. */
struct rk_err *rk_diff_is_ignored(struct rk_diff *diff, const struct rk_span *span, bool *ret)
	__must_use;
/* Sets is_changed on functions of patched. */
struct rk_err *rk_diff_compare(struct rk_diff *diff) __must_use;
/* Sets is_carried, is_included; fills included and functions. */
struct rk_err *rk_diff_select(struct rk_diff *diff) __must_use;
/* Findings about data, new and removed things, sections. */
struct rk_err *rk_diff_report(struct rk_diff *diff) __must_use;
/* Findings about addresses that may be kept; a part of the report. */
struct rk_err *rk_diff_report_escapes(struct rk_diff *diff) __must_use;
/* What the code of user does with the address in its reference; kept, if that can't be told. */
struct rk_address_use rk_diff_address_use(const struct rk_spans *spans, const struct rk_span *user,
					  const struct rk_ref *ref);
/* Findings about functions that are replaced in vain or at a cost; a part of the report. */
struct rk_err *rk_diff_report_hazards(struct rk_diff *diff) __must_use;
/* Findings about entries of tables that the kernel collects; a part of the report. */
struct rk_err *rk_diff_report_registrations(struct rk_diff *diff) __must_use;
/* leftovers.c: what replaced functions leave with the old ones, and what they start; a part of the report. */
struct rk_err *rk_diff_report_leftovers(struct rk_diff *diff) __must_use;
/* Findings about layouts and prototypes, from debug info; nothing without it. */
struct rk_err *rk_diff_types(struct rk_diff *diff) __must_use;

/* What a reference to a named span means when spans are held against each other. */
enum rk_same_mode {
	RK_SAME_BY_TWIN, /* the corresponding span */
	RK_SAME_BY_BASE, /* one of the same base name: before twins are known */
};

/* Same bytes, and references that mean the same. a is of orig, b of patched. */
bool rk_span_is_same(const struct rk_span *a, const struct rk_span *b, enum rk_same_mode mode);
bool rk_ref_is_same(const struct rk_ref *a, const struct rk_ref *b, enum rk_same_mode mode);

/* The first entry of a special section about function b that differs from its counterpart about a, or of a if b has fewer; NULL if
 * none does. A static key swapped for another leaves the same nop in the code: only __jump_table tells. */
const struct rk_span *rk_span_different_entry(const struct rk_span *a, const struct rk_span *b);

/* The function a cold part belongs to, or the span itself. */
struct rk_span *rk_span_root(struct rk_span *span);

#endif
