/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is said about findings: every code has a whole entry, every entry a code; how entries are read and shown. */
#include <string.h>

#include "tests/unit/tap.h"
#include "tools/common/explain.h"
#include "tools/common/text.h"

#define _cleanup_entries_ _cleanup_(rk_entries_deinit)

static bool has_heading(const struct rk_entry *entry, const char *heading)
{
	rk_vec_for_each(&entry->blocks, block)
		if (block->kind == RK_BLOCK_HEADING && rk_streq(block->text, heading))
			return true;
	return false;
}

/* Under every heading stands something. */
static bool is_filled(const struct rk_entry *entry)
{
	for (size_t i = 0; i < entry->blocks.nr; i++)
		if (entry->blocks.v[i].kind == RK_BLOCK_HEADING &&
		    (i + 1 == entry->blocks.nr || entry->blocks.v[i + 1].kind == RK_BLOCK_HEADING))
			return false;
	return true;
}

static void test_completeness(void)
{
	static const char *const headings[] = {"Meaning", "Danger", "What to do", "Example"};
	_cleanup_entries_ struct rk_entries entries = {};

	no_err(rk_entries_read(&entries), "read");
	for (int i = 0; i < RK_FINDING_CODES; i++) {
		enum rk_finding_code code = (enum rk_finding_code)i;
		const char *name = rk_finding_code_name(code);
		const struct rk_entry *entry = rk_entries_find(&entries, name);

		if (!ok(entry, "docs/findings.md has an entry for '%s'", name))
			continue;
		for (size_t j = 0; j < ARRAY_SIZE(headings); j++)
			ok(has_heading(entry, headings[j]), "'%s' has the part '%s'", name,
			   headings[j]);
		ok(is_filled(entry), "no part of '%s' is empty", name);
		bool overridable = rk_finding_code_severity(code) == RK_SEVERITY_ERROR &&
				   rk_finding_code_is_acceptable(code);
		ok(has_heading(entry, "If you accept it") == overridable,
		   "'%s' says what becomes of it when it is accepted exactly if it is an error that can be",
		   name);
	}
	for (size_t i = 1; i < entries.list.nr; i++) {
		enum rk_finding_code code;
		ok(rk_acceptance_code(entries.list.v[i].name, &code), "'%s' is a code",
		   entries.list.v[i].name);
		for (size_t j = i + 1; j < entries.list.nr; j++)
			if (rk_streq(entries.list.v[i].name, entries.list.v[j].name))
				ok(false, "'%s' has one entry", entries.list.v[i].name);
	}
}

static const char sample[] =
	"# Title\n\nBefore.\n\n## data-changed\n\n### Meaning\none `two`\n  three\n\n- a\n- b\n"
	"  c\n### Example\n```\n\t'x' \\n\n.y-z\n\n```\nlast";

static void test_parse(void)
{
	static const struct rk_block want[] = {
		{RK_BLOCK_HEADING, "Meaning"}, {RK_BLOCK_TEXT, "one `two` three"},
		{RK_BLOCK_ITEM, "a"},	       {RK_BLOCK_ITEM, "b c"},
		{RK_BLOCK_HEADING, "Example"}, {RK_BLOCK_CODE, "\t'x' \\n\n.y-z\n\n"},
		{RK_BLOCK_TEXT, "last"},
	};
	_cleanup_entries_ struct rk_entries entries = {};

	no_err(rk_entries_parse(&entries, sample, strlen(sample)), "parse");
	is_int((long long)entries.list.nr, 2, "what stands before, and an entry");
	is_str(entries.list.v[0].blocks.v[0].text, "Before.", "what stands before");
	const struct rk_entry *entry = rk_entries_find(&entries, "data-changed");
	if (!ok(entry && entry->blocks.nr == ARRAY_SIZE(want), "all blocks"))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		is_int(entry->blocks.v[i].kind, want[i].kind, "kind of block");
		is_str(entry->blocks.v[i].text, want[i].text, "text of block");
	}
	ok(!rk_entries_find(&entries, "data"), "a part of a name is no name");
}

static void test_render(void)
{
	_cleanup_entries_ struct rk_entries entries = {};
	_cleanup_str_ struct rk_str out = RK_STR_INIT;

	no_err(rk_entries_parse(&entries, sample, strlen(sample)), "parse");
	rk_explain_text(&out, rk_entries_find(&entries, "data-changed"), RK_FINDING_DATA_CHANGED,
			32);
	is_str(rk_str_get(&out),
	       "data-changed\n"
	       "  initial value of existing data\n  changed\n"
	       "  error; can be accepted with a\n  written reason\n"
	       "\nMeaning\n  one 'two' three\n\n  - a\n  - b c\n"
	       "\nExample\n      \t'x' \\n\n      .y-z\n\n\n  last\n",
	       "as text");
	struct rk_err *err = rk_explain_page(&out, &entries);
	is_err(err, RK_ERR_NOT_FOUND,
	       "docs/findings.md has no entry for 'layout-changed': say what it means",
	       "a page needs all entries");
}

static void test_wrap(void)
{
	_cleanup_str_ struct rk_str out = RK_STR_INIT;

	rk_text_wrap(&out, "äöü äöü  a-very-long-word x", 0, 2, 9);
	is_str(rk_str_get(&out), "  äöü äöü\n  a-very-long-word\n  x\n",
	       "columns are characters; a long word stays whole");
	is_int((long long)rk_text_columns("aä", 3), 2, "columns");
}

int main(void)
{
	test_completeness();
	test_parse();
	test_render();
	test_wrap();
	return done_testing();
}
