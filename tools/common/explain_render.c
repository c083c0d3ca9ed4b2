/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Entries of findings as text for a terminal, as a manual page, and as JSON. */
#include <string.h>

#include "tools/common/explain.h"
#include "tools/common/text.h"

#define INDENT	    2
#define CODE_INDENT 6

const char *rk_explain_level(enum rk_finding_code code)
{
	switch (rk_finding_code_severity(code)) {
	case RK_SEVERITY_INFO: return "information";
	case RK_SEVERITY_ACKNOWLEDGE: return "to be accepted by a human";
	case RK_SEVERITY_ERROR: break;
	}
	return rk_finding_code_is_acceptable(code) ? "error; can be accepted with a written reason"
						   : "error; can't be accepted";
}

/* `word` is shown as 'word': there is no other font to tell it by. */
static void add_paragraph(struct rk_str *out, const char *text, size_t indent, const char *mark,
			  size_t width)
{
	_cleanup_str_ struct rk_str plain = RK_STR_INIT;

	for (const char *p = text; *p; p++)
		rk_str_add_char(&plain, *p == '`' ? '\'' : *p);
	rk_str_addf(out, "%*s%s", (int)(indent - strlen(mark)), "", mark);
	rk_text_wrap(out, rk_str_get(&plain), indent, indent, width);
}

static void add_code(struct rk_str *out, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		if (len)
			rk_str_addf(out, "%*s%.*s", CODE_INDENT, "", (int)len, text);
		rk_str_add_char(out, '\n');
		text += len + (text[len] == '\n');
	}
}

void rk_explain_text(struct rk_str *out, const struct rk_entry *entry, enum rk_finding_code code,
		     size_t width)
{
	enum rk_block_kind before = RK_BLOCK_HEADING;

	rk_text_wrap(out, rk_finding_code_name(code), 0, 0, width);
	add_paragraph(out, rk_finding_code_title(code), INDENT, "", width);
	add_paragraph(out, rk_explain_level(code), INDENT, "", width);
	rk_vec_for_each(&entry->blocks, block) {
		if (block->kind == RK_BLOCK_HEADING ||
		    (before != RK_BLOCK_HEADING &&
		     !(block->kind == RK_BLOCK_ITEM && before == RK_BLOCK_ITEM)))
			rk_str_add_char(out, '\n');
		before = block->kind;
		switch (block->kind) {
		case RK_BLOCK_HEADING: rk_text_wrap(out, block->text, 0, 0, width); break;
		case RK_BLOCK_TEXT: add_paragraph(out, block->text, INDENT, "", width); break;
		case RK_BLOCK_ITEM: add_paragraph(out, block->text, INDENT + 2, "- ", width); break;
		case RK_BLOCK_CODE: add_code(out, block->text); break;
		}
	}
}

void rk_explain_list(struct rk_str *out, size_t width)
{
	size_t column = 0;

	for (int code = 0; code < RK_FINDING_CODES; code++) {
		size_t len = strlen(rk_finding_code_name((enum rk_finding_code)code));

		column = len > column ? len : column;
	}
	column += strlen("acknowledge") + 4;
	for (int i = 0; i < RK_FINDING_CODES; i++) {
		enum rk_finding_code code = (enum rk_finding_code)i;
		size_t start = out->len;

		rk_str_addf(out, "%-*s  %-*s  ", (int)(column - strlen("acknowledge") - 4),
			    rk_finding_code_name(code), (int)strlen("acknowledge"),
			    rk_severity_name(rk_finding_code_severity(code)));
		/* On a narrow terminal the title gets lines of its own. */
		if (column + 24 > width) {
			while (out->len > start && out->s[out->len - 1] == ' ')
				out->s[--out->len] = '\0';
			rk_str_addf(out, "\n%*s", 2 * INDENT, "");
			rk_text_wrap(out, rk_finding_code_title(code), 2 * INDENT, 2 * INDENT,
				     width);
		} else {
			rk_text_wrap(out, rk_finding_code_title(code), out->len - start, column,
				     width);
		}
	}
}

/* A dash that is typed is a dash, a backslash a backslash; a line that begins with a dot or quote is text. */
static void add_roff(struct rk_str *out, const char *text, bool is_code)
{
	bool bold = false, at_start = true;

	for (const char *p = text; *p; p++) {
		if (at_start && (*p == '.' || *p == '\''))
			rk_str_add(out, "\\&");
		at_start = *p == '\n';
		if (*p == '`' && !is_code) {
			bold = !bold;
			rk_str_add(out, bold ? "\\fB" : "\\fR");
		} else if (*p == '-') {
			rk_str_add(out, "\\-");
		} else if (*p == '\\') {
			rk_str_add(out, "\\e");
		} else if (*p == '\'') {
			rk_str_add(out, "\\(aq");
		} else {
			rk_str_add_char(out, *p);
		}
	}
}

static void add_roff_block(struct rk_str *out, const struct rk_block *block)
{
	static const struct {
		const char *before, *after;
	} macros[] = {
		[RK_BLOCK_HEADING] = {".PP\n.I ", "\n"},
		[RK_BLOCK_TEXT] = {".PP\n", "\n"},
		[RK_BLOCK_ITEM] = {".IP \\(bu 2\n", "\n"},
		[RK_BLOCK_CODE] = {".PP\n.RS 4\n.nf\n", ".fi\n.RE\n"},
	};

	rk_str_add(out, macros[block->kind].before);
	add_roff(out, block->text, block->kind == RK_BLOCK_CODE);
	rk_str_add(out, macros[block->kind].after);
}

static void add_roff_entry(struct rk_str *out, const struct rk_entry *entry)
{
	rk_vec_for_each(&entry->blocks, block)
		add_roff_block(out, block);
}

struct rk_err *rk_explain_page(struct rk_str *out, const struct rk_entries *entries)
{
	rk_str_add(out,
		   ".TH KPATCH-FIXES 7 \"\" \"ReadyKernel\" \"ReadyKernel\"\n.SH NAME\n"
		   "kpatch-fixes \\- what the findings of kpatch-build mean\n.SH DESCRIPTION\n");
	add_roff_entry(out, &entries->list.v[0]);
	rk_str_add(out, ".SH FINDINGS\n");
	for (int i = 0; i < RK_FINDING_CODES; i++) {
		enum rk_finding_code code = (enum rk_finding_code)i;
		const struct rk_entry *entry = rk_entries_find(entries, rk_finding_code_name(code));

		if (!entry)
			return rk_err(RK_ERR_NOT_FOUND,
				      "docs/findings.md has no entry for '%s': say what it means",
				      rk_finding_code_name(code));
		rk_str_addf(out, ".SS %s\n", entry->name);
		add_roff(out, rk_finding_code_title(code), false);
		rk_str_add(out, "\n.br\n");
		add_roff(out, rk_explain_level(code), false);
		rk_str_add_char(out, '\n');
		add_roff_entry(out, entry);
	}
	rk_str_add(out, ".SH SEE ALSO\n.BR kpatch\\-build (1)\n");
	return rk_str_check(out);
}

static json_t *sections_json(const struct rk_entry *entry)
{
	json_t *sections = json_array(), *section = NULL;
	_cleanup_str_ struct rk_str text = RK_STR_INIT;

	rk_vec_for_each(&entry->blocks, block) {
		if (block->kind == RK_BLOCK_HEADING) {
			section = json_pack("{s:s, s:s}", "heading", block->text, "text", "");
			json_array_append_new(sections, section);
			rk_str_clear(&text);
			continue;
		}
		rk_str_addf(&text, "%s%s", text.len ? "\n\n" : "", block->text);
		if (section)
			json_object_set_new(section, "text", json_string(rk_str_get(&text)));
	}
	return sections;
}

json_t *rk_explain_json(const struct rk_entry *entry, enum rk_finding_code code)
{
	json_t *doc =
		json_pack("{s:s, s:s, s:b, s:s, s:s}", "code", rk_finding_code_name(code),
			  "severity", rk_severity_name(rk_finding_code_severity(code)),
			  "acceptable", rk_finding_code_is_acceptable(code), "title",
			  rk_finding_code_title(code), "advice", rk_finding_code_advice(code));

	if (doc && entry)
		json_object_set_new(doc, "sections", sections_json(entry));
	return doc;
}
