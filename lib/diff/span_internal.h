/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by span.c (cutting) and span_refs.c (connecting). */
#ifndef RK_DIFF_SPAN_INTERNAL_H
#define RK_DIFF_SPAN_INTERNAL_H

#include "lib/base/str.h"
#include "lib/diff/span.h"

struct rk_cutter {
	struct rk_spans *out;
	rk_vec(struct rk_span *) list;
};

/* Distance from what the relocation's field means with addend 0 to its symbol; 0 unless PC-relative in code. */
int64_t rk_ref_bias(const struct rk_cutter *c, const struct rk_section *section,
		    const struct rk_reloc *reloc);

/* value + addend + bias; values of a broken file wrap around. */
int64_t rk_ref_place(uint64_t value, int64_t addend, int64_t bias);

/* Turns relocations into references, finds entries' functions, cold parts and users. */
struct rk_err *rk_spans_connect(struct rk_cutter *c) __must_use;

#endif
