/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The corpus runner's parts that need no kernel: the table, how fixes are formed, what a compiler misses, the figures. */
#include <string.h>

#include "bench/coverage/report.h"
#include "lib/base/fs.h"
#include "tests/unit/tap.h"

#define HEAD "fixed_ver\tcve\tcvss\tseverity\tfiles\ttitle\n"

static struct rk_err *parse(const char *text, struct cov_table *ret)
{
	return cov_table_parse("t.tsv", text, strlen(text), ret);
}

static void test_table(void)
{
	_cleanup_cov_table_ struct cov_table t = {};
	const char *text = HEAD "6.1.171\tCVE-2026-10000\t7.8\tHIGH\tnet/a.c,net/b.c\tone\n"
				"6.1.172\tCVE-2026-9999\t5.5\tMEDIUM\tfs/x.c\ttwo\n"
				"6.1.173\tCVE-2026-10000\t7.8\tHIGH\tnet/c.c,net/a.c\tone again";

	if (!no_err(parse(text, &t), "a table is read"))
		return;
	is_int((int)t.cves.nr, 2, "lines about one CVE are one");
	is_str(t.cves.v[0]->id, "CVE-2026-9999", "by number, not by text");
	is_str(t.cves.v[1]->id, "CVE-2026-10000", "the second");
	is_int((int)t.cves.v[1]->files.nr, 3, "files of both lines, each once");
	is_str(t.cves.v[1]->files.v[2], "net/c.c", "the new one last");
	is_str(t.cves.v[1]->fixed_in, "6.1.173", "the last release counts");
	is_str(t.cves.v[0]->title, "two", "title");
}

static void test_bad_tables(void)
{
	static const struct {
		const char *text, *message, *name;
	} cases[] = {
		{"", "'t.tsv' names no CVE", "empty"},
		{HEAD, "'t.tsv' names no CVE", "columns only"},
		{"cve\tfiles\n", "'t.tsv' line 1: there is no column 'title'", "columns missing"},
		{HEAD "6.1.171\tCVE-2026-1\t7\n",
		 "'t.tsv' line 2: it has fewer fields than there are columns", "short line"},
		{HEAD "1\tCVE-26-1\t7\tH\ta.c\tt\n", "'t.tsv' line 2: no CVE id", "year"},
		{HEAD "1\tCVE-2026-12/../x\t7\tH\ta.c\tt\n", "'t.tsv' line 2: no CVE id",
		 "an id that is a path"},
		{HEAD "1\tCVE-2026-1-2\t7\tH\ta.c\tt\n", "'t.tsv' line 2: no CVE id",
		 "two numbers"},
		{HEAD "1\tCVE-2026-\t7\tH\ta.c\tt\n", "'t.tsv' line 2: no CVE id", "no number"},
		{HEAD "1\tCVE-2026-1\t7\tH\t/etc/passwd\tt\n",
		 "'t.tsv' line 2: a file's name isn't a path within the kernel tree", "absolute"},
		{HEAD "1\tCVE-2026-1\t7\tH\ta/../../b\tt\n",
		 "'t.tsv' line 2: a file's name isn't a path within the kernel tree", "climbs out"},
		{HEAD "1\tCVE-2026-1\t7\tH\ta.c,,b.c\tt\n",
		 "'t.tsv' line 2: a file's name isn't a path within the kernel tree", "empty name"},
		{HEAD "1\tCVE-2026-1\t7\tH\ta/\tt\n",
		 "'t.tsv' line 2: a file's name isn't a path within the kernel tree", "directory"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cov_table t = {};
		is_err(parse(cases[i].text, &t), RK_ERR_FORMAT, cases[i].message, cases[i].name);
	}
}

static void test_nul(void)
{
	static const char text[] = HEAD "1\tCVE-2026-1\t7\tH\ta.c\tt\0t\n";
	struct cov_table t = {};

	is_err(cov_table_parse("t.tsv", text, sizeof(text) - 1, &t), RK_ERR_FORMAT,
	       "'t.tsv' line 2: a field is too long or isn't text", "a NUL byte");
}

static bool joins(void *ctx, const char *path)
{
	return !rk_streq(path, ctx);
}

static void test_form(void)
{
	_cleanup_cov_table_ struct cov_table t = {};
	_cleanup_cov_fixes_ struct cov_fixes f = {};
	const char *text = HEAD "1\tCVE-2026-0001\t7\tH\ta.c,MAINTAINERS\tone\n"
				"1\tCVE-2026-0002\t7\tH\tb.c,c.c\ttwo\n"
				"1\tCVE-2026-0003\t7\tH\tMAINTAINERS,d.c\tthree\n"
				"1\tCVE-2026-0004\t7\tH\tc.c,e.c\tfour\n"
				"1\tCVE-2026-0005\t7\tH\te.c,a.c\tfive\n";
	size_t cves = 0;

	if (!no_err(parse(text, &t), "table") ||
	    !no_err(cov_form(&t, joins, (void *)"MAINTAINERS", &f), "form"))
		return;
	is_int((int)f.list.nr, 2, "a chain of common files is one fix");
	is_str(f.list.v[0].id, "CVE-2026-0001", "named for its first CVE");
	is_int((int)f.list.v[0].cves.nr, 4, "1-5-4-2");
	is_int((int)f.list.v[0].files.nr, 5, "files once each");
	is_str(f.list.v[0].files.v[0], "MAINTAINERS", "sorted, and what doesn't join isn't lost");
	is_str(f.list.v[1].id, "CVE-2026-0003", "what only shares MAINTAINERS stays apart");
	rk_vec_for_each(&f.list, fix)
		cves += fix->cves.nr;
	is_int((int)cves, 5, "every CVE is in exactly one fix");
}

static void put(const char *root, const char *tree, const char *path, const char *text)
{
	_cleanup_free_ char *file = rk_asprintf("%s/%s/source/%s", root, tree, path);
	_cleanup_free_ char *sums = rk_asprintf("%s/%s/source.sha256", root, tree);
	char hex[RK_SHA256_HEX_SIZE];

	rk_err_free(rk_fs_mkdir_parent(file, 0777));
	rk_err_free(rk_fs_write(file, text, strlen(text), 0644));
	rk_err_free(rk_sha256_bytes(text, strlen(text), hex));
	FILE *list = fopen(sums, "a");
	if (list) {
		fprintf(list, "%s  source/%s\n", hex, path);
		fclose(list);
	}
}

static void check_missing(const struct cov_trees *trees, const char *message, const char *want)
{
	struct cov_paths found = {};
	_cleanup_str_ struct rk_str got = RK_STR_INIT;

	if (no_err(cov_missing_declarations(trees, message, &found), "missing"))
		rk_vec_for_each(&found.list, path)
			rk_str_addf(&got, "%s ", *path);
	is_str(rk_str_get(&got), want, message);
	rk_vec_deinit(&found.list);
}

static void test_missing(const struct cov_trees *trees)
{
	check_missing(trees, "net/a.c:3:9: error: implicit declaration of function 'brand_new'",
		      "include/net/x.h ");
	check_missing(trees,
		      "net/a.c:3:9: error: \xe2\x80\x98struct sock\xe2\x80\x99 has no member named "
		      "\xe2\x80\x98member\xe2\x80\x99",
		      "include/net/x.h ");
	check_missing(trees, "undefined reference to 'brand_new'", "net/b.c include/net/x.h ");
	check_missing(trees, "net/a.c:3:9: error: 'same' undeclared", "");
	check_missing(trees, "net/a.c:3:9: note: 'brand_new' declared here", "");
	check_missing(trees, "net/a.c:1: error: 'brand", "");
	check_missing(trees, "net/a.c:1: error: conflicting types for 'x'; have 'int(int member)'",
		      "");
	check_missing(trees, "net/b.c:1: error: 'brand_new' undeclared\n'net/b.c' doesn't compile",
		      "net/b.c include/net/x.h ");
	check_missing(trees, "'net/same.c' doesn't compile", "");
	check_missing(trees, "' doesn't compile", "");
	check_missing(trees, "", "");
}

static void test_unknown_word(const struct cov_trees *trees)
{
	struct cov_fix fix = {};
	_cleanup_free_ char *word = NULL, *none = NULL;

	ok(rk_vec_push(&fix.files, "include/net/x.h") && rk_vec_push(&fix.files, "net/b.c"), "fix");
	no_err(cov_unknown_word(
		       trees, &fix,
		       "net/b.c: In function 'brand_new':\n"
		       "net/b.c:3: error: implicit declaration of function 'member'; did you mean 'b'?",
		       &word),
	       "the word");
	is_str(word, "member", "that the fix adds and the compiler doesn't know");
	no_err(cov_unknown_word(trees, &fix, "net/b.c:3: error: 'same' undeclared", &none), "none");
	ok(!none, "a word that it doesn't add is none");
	rk_vec_deinit(&fix.files);
}

static void test_left_out(void)
{
	static const char diff[] = "--- a/x.c\n+++ b/x.c\n"
				   "@@ -1,2 +1,2 @@\n-a\n+b(tcp_sk_rw_ok);\n c\n"
				   "@@ -11,2 +11,3 @@\n d\n+tcp_sk_rw(e);\n f\n"
				   "@@ -21 +22,0 @@\n-tcp_sk_rw(g);\n";
	static const char want[] = "--- a/x.c\n+++ b/x.c\n"
				   "@@ -1,2 +1,2 @@\n-a\n+b(tcp_sk_rw_ok);\n c\n"
				   "@@ -21 +22,0 @@\n-tcp_sk_rw(g);\n";
	struct cov_paths words = {};
	_cleanup_str_ struct rk_str all = RK_STR_INIT, some = RK_STR_INIT, none = RK_STR_INIT;

	no_err(cov_leave_out(diff, &words, &all), "no words");
	is_str(rk_str_get(&all), diff, "every hunk is kept");
	ok(rk_vec_push(&words.list, "tcp_sk_rw"), "a word");
	no_err(cov_leave_out(diff, &words, &some), "one word");
	is_str(rk_str_get(&some), want, "only the hunk that adds it goes");
	no_err(cov_leave_out("--- a/x.c\n+++ b/x.c\n@@ -1 +1 @@\n+tcp_sk_rw\n", &words, &none), "");
	is_str(rk_str_get(&none), "", "a file without hunks goes too");
	no_err(cov_leave_out("", &words, &none), "no difference");
	is_str(rk_str_get(&none), "", "stays none");
	rk_vec_deinit(&words.list);
}

static void test_reasons(void)
{
	static const char text[] = "# a remark\nCVE-2026-1\tone reason\nCVE-2026-2\ttwo";
	static const struct {
		const char *text, *message, *name;
	} cases[] = {
		{"x\ty\n", "'r.tsv' line 1: no CVE id", "no id"},
		{"CVE-2026-1\n", "'r.tsv' line 1: there is no reason", "no tab"},
		{"\nCVE-2026-1\t\n", "'r.tsv' line 2: there is no reason", "empty"},
		{"CVE-2026-1\ta\nCVE-2026-1\tb\n", "'r.tsv' line 2: it is there twice", "twice"},
		{"CVE-2026-1\t\xff\n", "'r.tsv' line 1: the reason isn't text", "no UTF-8"},
	};
	json_t *reasons = NULL;

	if (no_err(cov_reasons_parse("r.tsv", text, sizeof(text) - 1, &reasons), "reasons")) {
		is_int((int)json_object_size(reasons), 2, "two of them");
		is_str(cov_text(reasons, "CVE-2026-2"), "two", "without a line's end");
	}
	json_decref(reasons);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		is_err(cov_reasons_parse("r.tsv", cases[i].text, strlen(cases[i].text), &reasons),
		       RK_ERR_FORMAT, cases[i].message, cases[i].name);
}

/* A refusal stands in the text with its codes, each with the first place, and with what was found by hand. */
static void test_inherent(void)
{
	json_t *doc = json_pack(
		"{s:{}, s:[{s:s, s:s, s:s, s:[s,s], s:[{s:s,s:s}, {s:s,s:s}, {s:s,s:s}, {s:s,s:s}]},"
		" {s:s, s:s, s:[s], s:[{s:s,s:s}]}, {s:s, s:s}]}",
		"summary", "fixes", "id", "CVE-2026-1", "outcome", "refused", "inherent",
		"it has run", "errors", "init-code", "no-fentry", "findings", "code", "init-code",
		"symbol", "a", "code", "init-code", "symbol", "b", "code", "no-fentry", "unit",
		"c.c", "code", "member-added", "symbol", "s", "id", "CVE-2026-2", "outcome",
		"refused", "errors", "no-fentry", "findings", "code", "no-fentry", "symbol", "f",
		"id", "CVE-2026-3", "outcome", "built");
	_cleanup_free_ char *text = NULL;

	no_err(cov_markdown(doc, &text), "text");
	ok(text && strstr(text, "| CVE-2026-1 | init-code `a`, no-fentry `c.c` | it has run |\n"),
	   "one line");
	ok(text && strstr(text, "| CVE-2026-2 | no-fentry `f` | **nobody looked at it yet** |\n"),
	   "one that nobody looked at says so");
	ok(text && !strstr(text, "| CVE-2026-3 | | "), "what was built isn't there");
	json_decref(doc);
}

static void test_trees(void)
{
	const char *root = tap_tmpdir();
	_cleanup_free_ char *older = rk_asprintf("%s/old/source", root);
	_cleanup_free_ char *newer = rk_asprintf("%s/new/source", root);
	_cleanup_cov_trees_ struct cov_trees trees = {};
	_cleanup_str_ struct rk_str patch = RK_STR_INIT;
	enum cov_file_state state;

	put(root, "old", "include/net/x.h", "int same;\n");
	put(root, "new", "include/net/x.h", "int same;\nint brand_new(int member);\n");
	put(root, "old", "net/b.c", "int b;\n");
	put(root, "new", "net/b.c", "int b;\nint brand_new(int member)\n{\n\treturn member;\n}\n");
	put(root, "old", "net/same.c", "int c;\n");
	put(root, "new", "net/same.c", "int c;\n");
	put(root, "new", "net/added.c", "int d;\n");
	if (!no_err(cov_trees_compare(older, newer, &trees), "two trees"))
		return;
	is_int((int)trees.changed.nr, 3, "what differs or is new");
	is_str(trees.changed.v[0], "include/net/x.h", "sorted");
	no_err(cov_trees_state(&trees, "net/b.c", &state), "state");
	is_int(state, COV_FILE_DIFFERS, "differs");
	no_err(cov_trees_state(&trees, "net/same.c", &state), "state");
	is_int(state, COV_FILE_SAME, "is the same");
	no_err(cov_trees_state(&trees, "arch/arm/x.c", &state), "state");
	is_int(state, COV_FILE_OUTSIDE, "is in neither");
	no_err(cov_trees_diff(&trees, "net/same.c", &patch), "difference");
	is_str(rk_str_get(&patch), "", "of the same file: none");
	no_err(cov_trees_diff(&trees, "net/added.c", &patch), "difference");
	is_str(rk_str_get(&patch), "--- /dev/null\n+++ b/net/added.c\n@@ -0,0 +1 @@\n+int d;\n",
	       "of an added file");
	test_missing(&trees);
	test_unknown_word(&trees);
}

static void test_summary(void)
{
	json_t *rows = json_pack(
		"[{s:s,s:[s,s],s:f,s:f,s:i,s:{s:s}}, {s:s,s:[s],s:f,s:[s,s]}, {s:s,s:[s]}, {s:[s]}]",
		"outcome", "acknowledged", "cves", "a", "b", "seconds", 4.0, "cpu_seconds", 3.5,
		"functions", 3, "load", "result", "passed", "outcome", "refused", "cves", "c",
		"seconds", 6.0, "errors", "init-code", "data-changed", "outcome", "not-compiled",
		"cves", "d", "cves", "e");
	json_t *s;

	if (!no_err(cov_summarise(rows, &s), "figures"))
		return;
	is_int((int)cov_number(s, "fixes"), 4, "every row is a fix");
	is_int((int)cov_number(s, "cves"), 5, "and its CVEs");
	is_int((int)cov_number(s, "counted"), 2, "those that matter to the kernel");
	is_int((int)cov_number(s, "built"), 1, "built");
	is_int((int)cov_number(s, "built_percent"), 50, "of these");
	is_int((int)cov_number(json_object_get(s, "outcomes"), "pending"), 1,
	       "one that wasn't run is counted too");
	is_int((int)cov_number(json_object_get(s, "errors"), "init-code"), 1, "codes");
	is_int((int)cov_number(json_object_get(s, "load"), "passed"), 1, "loads");
	is_int((int)cov_number(json_object_get(s, "seconds"), "sum"), 10, "seconds");
	is_int((int)cov_number(s, "cpu_seconds"), 3, "processor time");
	json_decref(rows);
	json_decref(s);
}

static void test_escapes(void)
{
	json_t *doc = json_pack("{s:s,s:{},s:[{s:s,s:s,s:s,s:[{s:s,s:s}],s:[s]}]}", "target", "t",
				"summary", "fixes", "id", "CVE-2026-1", "outcome", "error",
				"message", "a|b <\"c\">", "cves", "id", "CVE-2026-1", "title",
				"<script>", "objects", "x\"y");
	_cleanup_free_ char *csv = NULL, *page = NULL, *text = NULL;

	no_err(cov_csv(doc, &csv), "csv");
	ok(csv && strstr(csv, "\"x\"\"y\""), "quotes are doubled in CSV");
	no_err(cov_page(doc, &page), "page");
	ok(page && strstr(page, "&lt;script&gt;") && !strstr(page, "<script"),
	   "what comes from outside is text in the page");
	no_err(cov_markdown(doc, &text), "text");
	ok(text && strstr(text, "a\\|b"), "a bar doesn't end a cell");
	json_decref(doc);
}

int main(void)
{
	test_table();
	test_bad_tables();
	test_nul();
	test_form();
	test_trees();
	test_summary();
	test_escapes();
	test_left_out();
	test_reasons();
	test_inherent();
	return done_testing();
}
