/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Line numbers of unchanged code survive a change. Each case is a C file as a diff of the whole file: ' ' kept, '-' removed, '+' added.
 * gcc itself tells the numbers: every MARK(name) must have the same __LINE__ before and after.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "lib/source/lines.h"
#include "tests/unit/tap.h"

/* In front of every file, with a line marker behind it, so that the file's own first line is 1. */
static const char prologue[] = "#define MARK(name) static const int mark_##name = __LINE__;\n"
			       "#define WARN(x) do { if (x) warned(__LINE__); } while (0)\n"
			       "void warned(int line); int f(int a, int b);\n"
			       "#line 1\n";

static int case_nr;

/* Runs the compiler over text; its output (preprocessed text) in *ret. */
static bool run_gcc(const char *text, const char *what, const char *option, struct rk_str *ret)
{
	_cleanup_free_ char *file = rk_asprintf("%s/%d-%s.c", tap_tmpdir(), case_nr, what);
	_cleanup_free_ char *all = rk_asprintf("%s%s", prologue, text);
	const char *const argv[] = {"gcc", "-w", "-P", option, "-o", "-", file, NULL};
	struct rk_process_spec spec = {.argv = argv};
	struct rk_process_result res = {};

	if (!file || !all)
		bail_out("out of memory");
	if (!no_err(rk_fs_write(file, all, strlen(all), 0644), "write the file") ||
	    !no_err(rk_process_check(&spec, &res), what))
		return false;
	if (ret)
		*ret = res.output;
	else
		rk_process_result_deinit(&res);
	return true;
}

/* The number behind "mark_NAME = " in preprocessed text; 0 if it isn't there. */
static int mark_line(const char *text, const char *name)
{
	_cleanup_free_ char *wanted = rk_asprintf("mark_%s = ", name);
	const char *at = wanted ? strstr(text, wanted) : NULL;

	return at ? (int)strtol(at + strlen(wanted), NULL, 10) : 0;
}

/* All marks of before have the same line in after; a mark whose name begins with "any" may have another one, one beginning with "off"
 * is removed by the preprocessor. */
static void compare_marks(const char *source, const char *before, const char *after,
			  const char *name)
{
	int nr = 0;

	for (const char *s = source; (s = strstr(s, "MARK(")); s++) {
		size_t n = strcspn(s + 5, ")");
		_cleanup_free_ char *mark = strndup(s + 5, n);

		if (!mark)
			bail_out("out of memory");
		if (rk_has_prefix(mark, "any"))
			continue;
		int old_line = mark_line(before, mark), new_line = mark_line(after, mark);
		ok(old_line == new_line && (old_line != 0) != rk_has_prefix(mark, "off"),
		   "%s: line of %s is %d, was %d", name, mark, new_line, old_line);
		nr++;
	}
	ok(nr > 0, "%s: has marks", name);
}

/* Splits a whole-file diff. */
static void split(const char *diff, struct rk_str *original, struct rk_str *patched,
		  uint32_t *origin, size_t *nr)
{
	uint32_t line = 0;

	*nr = 0;
	for (const char *s = diff; *s;) {
		size_t n = strcspn(s, "\n") + (s[strcspn(s, "\n")] == '\n');

		line += *s != '+';
		if (*s != '+')
			rk_str_add_bytes(original, s + 1, n - 1);
		if (*s != '-') {
			rk_str_add_bytes(patched, s + 1, n - 1);
			origin[(*nr)++] = *s == '+' ? 0 : line;
		}
		s += n;
	}
}

/* The kept text of diff, to look at; NULL if a check failed. */
static char *keeps(const char *diff, const char *name)
{
	_cleanup_str_ struct rk_str original = RK_STR_INIT, patched = RK_STR_INIT;
	_cleanup_str_ struct rk_str before = RK_STR_INIT, after = RK_STR_INIT;
	_cleanup_free_ uint32_t *origin = calloc(strlen(diff) + 1, sizeof(*origin));
	char *kept = NULL;
	size_t len, nr;

	case_nr++;
	if (!origin)
		bail_out("out of memory");
	split(diff, &original, &patched, origin, &nr);
	struct rk_line_map map = {.origin = origin, .nr = nr};
	if (!no_err(rk_lines_keep(rk_str_get(&patched), patched.len, &map, &kept, &len), name))
		return NULL;
	is_int((long long)strlen(kept), (long long)len, "its length");
	if (!run_gcc(rk_str_get(&original), "before", "-E", &before) ||
	    !run_gcc(kept, "after", "-E", &after) || !run_gcc(kept, "compiled", "-S", NULL)) {
		diag("%s", kept);
		return kept;
	}
	compare_marks(rk_str_get(&original), rk_str_get(&before), rk_str_get(&after), name);
	return kept;
}

static void check(const char *diff, const char *name)
{
	free(keeps(diff, name));
}

static void test_simple(void)
{
	char *kept = keeps(" MARK(a)\n+int added;\n MARK(b)\n MARK(c)\n", "an added line");

	is_str(kept, "MARK(a)\nint added;\n#line 2\nMARK(b)\nMARK(c)\n", "one directive is enough");
	free(kept);
	kept = keeps(" MARK(a)\n-int old;\n+int new;\n MARK(b)\n", "a replaced line");
	is_str(kept, "MARK(a)\nint new;\nMARK(b)\n", "no directive when the count is right again");
	free(kept);
	kept = keeps("-int old;\n-int older;\n MARK(a)",
		     "removed at the beginning, no newline at the end");
	is_str(kept, "#line 3\nMARK(a)", "the end stays as it was");
	free(kept);
	check(" MARK(a)\n+int x;\n MARK(b)\n+int y;\n+int z;\n MARK(c)\n-int q;\n MARK(d)\n",
	      "several changes");
	kept = keeps(" MARK(a)\n+int x;\n", "added at the end");
	is_str(kept, "MARK(a)\nint x;\n", "nothing follows, nothing is needed");
	free(kept);
}

static void test_comments(void)
{
	check(" /* one\n+ * added (\n  * two\n  */\n MARK(a)\n", "in a comment");
	check(" /* one\n+ * added\n  */ int on_the_same_line;\n MARK(a)\n",
	      "at the end of a comment");
	check(" int x; /* don't ( */\n+int y; // isn't ( it\n MARK(a)\n",
	      "apostrophes in comments");
	check(" int u; // a comment \\\n+  that goes on ( \\\n   to here\n MARK(a)\n",
	      "a line comment that is continued");
	check(" const char *s = \"/*\"; int p = '(';\n+int y;\n MARK(a)\n const char *t = \"*/ \\\" (\";\n"
	      "+int z;\n MARK(b)\n",
	      "comment marks and parentheses in literals");
}

static void test_continued(void)
{
	check(" #define M(x) \\\n+\t+ 1 \\\n \t(x\n MARK(a)\n", "in a macro's definition");
	check(" const char *s = \"one\\\n+ two\\\n  three\";\n MARK(a)\n", "in a continued string");
	check(" #define N \"a string \\\n+(\\\n end\"\n+int i;\n MARK(a)\n",
	      "a string in a continued macro");
	check(" #define OPEN (\n+int y;\n MARK(a)\n #define CLOSE )\n+int z;\n MARK(b)\n",
	      "parentheses in directives don't count");
}

static void test_calls(void)
{
	char *kept =
		keeps(" void g(int x)\n {\n \tWARN(x > 1 &&\n+\t     x != 3 &&\n \t     x < 5);\n"
		      " \twarned(__LINE__);\n }\n MARK(a)\n",
		      "in a macro's arguments");
	ok(kept && strstr(kept, "x < 5);\n#line 5\n"),
	   "the directive waits for the closing parenthesis");
	free(kept);
	check(" void g(int x)\n {\n \tif (x &&\n+\t    x != 3 &&\n \t    f(x,\n \t      2)) {\n"
	      " \t\twarned(1);\n \t}\n }\n MARK(a)\n void h(void)\n {\n \tWARN(f(1,\n \t       2));\n }\n"
	      "-void gone(void) { }\n MARK(b)\n",
	      "in a condition");
	check(" void g(int x)\n {\n \tint y = ({ int z = x;\n+\t\tz++;\n \t\tz; });\n \twarned(y);\n }\n"
	      " MARK(a)\n",
	      "in a statement expression");
	check(" int table[] = {\n \t1,\n+\t2,\n \t3,\n };\n MARK(a)\n", "in an initialiser");
}

static void test_conditionals(void)
{
	check(" #if 0\n+it's (not code\n don't\n MARK(off_a)\n #endif\n MARK(b)\n+int y;\n MARK(c)\n",
	      "a group that is skipped");
	check(" #ifdef NEVER\n+int no;\n MARK(off_a)\n #else\n MARK(b)\n+int yes;\n MARK(c)\n #endif\n MARK(d)\n",
	      "both branches of a conditional");
	check(" #ifndef NEVER\n+int yes;\n MARK(a)\n #elif 1\n+int no;\n MARK(off_b)\n #else\n MARK(off_c)\n"
	      " #endif\n MARK(d)\n",
	      "the first branch is taken");
	check(" #ifdef NEVER\n # ifdef DEEPER\n+int no;\n MARK(off_a)\n # endif\n MARK(off_b)\n #endif\n"
	      " MARK(c)\n",
	      "nested groups, none taken");
	check(" void g(int x)\n {\n #ifdef NEVER\n \tif (f(x,\n #else\n \tif (f(1,\n #endif\n \t      2))\n"
	      "+\t\twarned(2);\n+\telse\n \t\twarned(1);\n }\n MARK(a)\n",
	      "parentheses opened in each branch");
	check(" #ifndef GUARD_H\n #define GUARD_H\n+int x;\n MARK(a)\n #endif /* GUARD_H */\n",
	      "an include guard");
}

/* The waiting for parentheses ends even when they never close. */
static void test_unbalanced(void)
{
	_cleanup_str_ struct rk_str diff = RK_STR_INIT;

	rk_str_add(&diff, " #define CLOSE )\n+int x;\n int g(int a CLOSE;\n+int y;\n");
	for (int i = 0; i < 60; i++)
		rk_str_addf(&diff, " MARK(%s%d)\n", i < 45 ? "any" : "m", i);
	check(rk_str_get(&diff), "a parenthesis closed by a macro");
	check(" #if 0\n ( ( (\n #endif\n+int x;\n MARK(a)\n", "parentheses in skipped text");
	check(" int g(int a,\n #if 1\n \tint b);\n #else\n \tint b, int c);\n #endif\n+int x;\n MARK(a)\n",
	      "parentheses closed in each branch");
}

/* Random changes to a file of functions and comments: a seed makes a failure repeatable. */
static void test_random(void)
{
	static const char *const pieces[] = {
		" MARK(m%d)\n",
		" /* comment %d\n  * of two lines */\n",
		" static inline int f%d(int a)\n {\n \tWARN(a ==\n \t     1);\n \treturn a;\n }\n",
		" #ifdef NEVER\n int never%d(;\n #endif\n",
		" #define M%d(a) \\\n \t((a) + 1)\n",
		" static const char s%d[] = \"(\\\"\";\n",
	};
	unsigned int seed = 4711;

	for (int round = 0; round < 20; round++) {
		_cleanup_str_ struct rk_str diff = RK_STR_INIT;

		for (int i = 0; i < 40; i++) {
			seed = seed * 1103515245 + 12345;
			rk_str_addf(&diff, pieces[seed / 65536 % ARRAY_SIZE(pieces)], i);
			seed = seed * 1103515245 + 12345;
			if (seed / 65536 % 4 == 0)
				rk_str_addf(&diff, "+/* added */ int added%d;\n", i);
			if (seed / 65536 % 4 == 1)
				rk_str_addf(&diff, "-/* removed */ int removed%d;\n", i);
		}
		rk_str_add(&diff, " MARK(last)\n");
		check(rk_str_get(&diff), "random changes");
	}
}

int main(void)
{
	test_simple();
	test_comments();
	test_continued();
	test_calls();
	test_conditionals();
	test_unbalanced();
	test_random();
	return done_testing();
}
