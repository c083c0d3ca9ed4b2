/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What each finding code means, why it is dangerous, what to do, with an example. The one source is docs/findings.md, which
 * is compiled in: a "## code" heading for each entry, "### " headings for its parts, paragraphs, "- " items, and code between
 * "```" lines. From it come --explain, its JSON, and the manual page kpatch-fixes(7).
 */
#ifndef RK_TOOLS_COMMON_EXPLAIN_H
#define RK_TOOLS_COMMON_EXPLAIN_H

#include <jansson.h>

#include "lib/base/arena.h"
#include "lib/base/finding.h"
#include "lib/base/str.h"

enum rk_block_kind {
	RK_BLOCK_HEADING,
	RK_BLOCK_TEXT, /* a paragraph, lines joined; `x` is a word of code */
	RK_BLOCK_ITEM, /* the same, of a list */
	RK_BLOCK_CODE, /* lines as they are, with their newlines */
};

struct rk_block {
	enum rk_block_kind kind;
	const char *text;
};

struct rk_entry {
	const char *name; /* the code's; "" for what stands before the first entry */
	rk_vec(struct rk_block) blocks;
};

struct rk_entries {
	struct rk_arena arena; /* all strings */
	rk_vec(struct rk_entry) list;
};

/* Reads entries from text of size bytes. Error RK_ERR_NOMEM only: all text means something. Call rk_entries_deinit() in any case. */
struct rk_err *rk_entries_parse(struct rk_entries *ret, const char *text, size_t size) __must_use;
/* Reads those that are compiled in. */
struct rk_err *rk_entries_read(struct rk_entries *ret) __must_use;
void rk_entries_deinit(struct rk_entries *entries);

/* NULL if there is none. */
const struct rk_entry *rk_entries_find(const struct rk_entries *entries, const char *name);

/* "error; can be accepted with a reason", "information" … */
const char *rk_explain_level(enum rk_finding_code code);

/* Appends the entry of code, lines at most width columns wide where words allow; code keeps its lines. */
void rk_explain_text(struct rk_str *out, const struct rk_entry *entry, enum rk_finding_code code,
		     size_t width);
/* Appends all codes with level and title. */
void rk_explain_list(struct rk_str *out, size_t width);
/* Appends the whole manual page. Error RK_ERR_NOT_FOUND for a code without an entry. */
struct rk_err *rk_explain_page(struct rk_str *out, const struct rk_entries *entries) __must_use;
/* {"code","severity","acceptable","title","advice","sections":[{"heading","text"}]}; entry NULL: without sections. A new
 * reference, NULL without memory. */
json_t *rk_explain_json(const struct rk_entry *entry, enum rk_finding_code code);

#endif
