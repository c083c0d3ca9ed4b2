/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a header is found to declare, and which differences between two texts are changes of what. */
#include <string.h>

#include "lib/source/declarations.h"
#include "tests/unit/tap.h"

/* "macro A; function f!;": kind and name of each, '!' if readers get it in their objects, '?' at the end if the text isn't clear. */
static void is_decls(const char *text, const char *want, const char *name)
{
	_cleanup_decls_ struct rk_decls *decls = NULL;
	_cleanup_str_ struct rk_str got = RK_STR_INIT;

	if (!no_err(rk_decls_parse(text, strlen(text), &decls), name))
		return;
	rk_vec_for_each(&decls->list, decl)
		rk_str_addf(&got, "%s %s%s;", rk_decl_kind_name(decl->kind), decl->name,
			    decl->is_emitted ? "!" : "");
	if (!decls->is_clear)
		rk_str_add(&got, "?");
	is_str(rk_str_get(&got), want, name);
}

static void test_kinds(void)
{
	is_decls("#ifndef H\n#define H\n#include <linux/a.h>\n#endif\n",
		 "macro H;#include <linux/a.h>;", "a guard and an #include");
	is_decls("#define F(x) \\\n\tdo { x; } while (0)\n#undef G\n", "macro F;macro G;",
		 "macros");
	is_decls("static inline int f(struct a *a)\n{\n\treturn a->x;\n}\n", "function f;",
		 "an inline function");
	is_decls("static __always_inline bool __must_check f(void) { return 1; }", "function f;",
		 "one with annotations");
	is_decls("static int f(void) { return 1; }", "function f!;",
		 "a function that every reader compiles");
	is_decls("static noinline int f(int a) { return a; }", "function f!;", "noinline");
	is_decls("static inline void f(int a) __releases(x) { }", "function f;",
		 "an annotation behind the parameters");
	is_decls("extern __printf(1, 2) void f(const char *s, ...);", "prototype f;",
		 "a prototype");
	is_decls("int (*fp)(int a);extern int v;static const int t[] = { 1 };",
		 "variable fp!;variable v;variable t!;", "variables");
	is_decls("extern struct s a, *b __read_mostly;", "variable a;variable b;",
		 "two variables at once");
	is_decls("struct s { int a; struct in { int b; } c; };", "struct s;struct in;",
		 "a structure in a structure");
	is_decls("struct __packed s { u8 a; } __aligned(4);", "struct s;",
		 "annotations of a structure");
	is_decls("enum e { A, B = 3, C };", "enum e;enumerator A;enumerator B;enumerator C;",
		 "an enumeration");
	is_decls("enum { A };", "enumerator A;", "one without a tag");
	is_decls("typedef struct { int a; } t;typedef int (*fn_t)(int a);typedef unsigned long u;",
		 "typedef t;typedef fn_t;typedef u;", "typedefs");
	is_decls("struct s;\nunion u;", "declaration s;declaration u;", "what is only named");
	is_decls("PAGEFLAG(A, a)\nPAGEFLAG(B, b)\nstatic inline int f(void) { return 0; }",
		 "text ;text ;function f;", "macros that declare");
	is_decls("extern \"C\" {\nint f(void);\n}\n", "prototype f;", "extern \"C\"");
}

static void test_conditions(void)
{
	is_decls("#ifdef A\nint f(int a)\n#else\nint f(void)\n#endif\n{ return 1; }",
		 "function f!;", "two beginnings of one function");
	is_decls(
		"#ifdef A\nstatic inline int f(int a) {\n#else\nstatic inline int f(void) {\n#endif\n"
		"return 1; }\nextern int v;",
		"function f;variable v;", "each with a brace");
	is_decls("struct s {\n#define S_A 1\n\tint a;\n#ifdef B\n\tint b;\n#endif\n};",
		 "macro S_A;struct s;", "directives within a structure");
	is_decls("struct s { int a;", "struct s;?", "an open brace");
	is_decls("#ifdef A\nint a;\n", "variable a!;?", "an open #if");
	is_decls("int a; }\n int b;", "variable a!;variable b!;", "a brace too many");
	is_decls("/* struct a { */ int b; // int c;\n\"\\\"int d;\"", "variable b!;text ;",
		 "comments and strings");
}

/* "f macro changed;g function added;" */
static void is_changes(const char *old, const char *new, const char *want, const char *name)
{
	static const char *const words[] = {"changed", "removed", "added"};
	_cleanup_decls_ struct rk_decls *was = NULL, *now = NULL;
	_cleanup_str_ struct rk_str got = RK_STR_INIT;
	struct rk_decl_changes changes = {};

	if (old && !no_err(rk_decls_parse(old, strlen(old), &was), name))
		return;
	if (new && !no_err(rk_decls_parse(new, strlen(new), &now), name))
		return;
	if (!no_err(rk_decls_compare(was, now, &changes), name))
		return;
	rk_vec_for_each(&changes.list, c)
		rk_str_addf(&got, "%s %s %s;", c->name, rk_decl_kind_name(c->kind),
			    words[c->change]);
	is_str(rk_str_get(&got), want, name);
	rk_decl_changes_deinit(&changes);
}

static void test_no_change(void)
{
	is_changes("int a;\nint b;\n", "int b;\n/* of a */\nint   a ;", "",
		   "order, space and comments");
	is_changes("#define A 1\n", "#define A \\\n 1 /* one */\n", "", "a continued line");
	is_changes("int a;\n", "#include <b.h>\nstruct c;\nint a;\n#line 7\n", "",
		   "an #include, a forward declaration, our own #line");
	is_changes("int a; {", "int a; { /* yes */", "", "a comment in what isn't clear");
}

static void test_changes(void)
{
	is_changes("#define A 1\n", "#define A 2\n", "A macro changed;", "a macro");
	is_changes("#define F(x) x\n", "#define F (x) x\n", "F macro changed;",
		   "a macro that loses its parameters");
	is_changes("#define F(x) g(x)\n", "static inline int F(int x) { return g(x); }\n",
		   "F macro changed;", "a macro becomes a function");
	is_changes("static inline int f(void) { return 1; }int v;",
		   "static inline int f(void) { return 2; }int v;", "f function changed;",
		   "an inline function");
	is_changes("struct s { int a; };", "struct s { int a, b; };", "s struct changed;",
		   "a structure");
	is_changes("struct s { int a; };int s;", "struct s { int a; };long s;",
		   "s variable changed;", "a tag isn't a name");
	is_changes("enum e { A, B, NR };", "enum e { A, B, C, NR };",
		   "C enumerator added;NR enumerator changed;", "a new enumerator");
	is_changes("enum e { A, B, C };", "enum e { A = 1, B, C };",
		   "A enumerator changed;B enumerator changed;C enumerator changed;",
		   "enumerators that are counted from another one");
	is_changes("#ifdef A\nint v;\n#endif\n", "#ifdef B\nint v;\n#endif\n",
		   "v variable changed;", "another condition");
	is_changes("#ifdef A\n#define V 1\n#else\n#define V 2\n#endif\n",
		   "#ifdef A\n#define V 2\n#else\n#define V 1\n#endif\n", "V macro changed;",
		   "exchanged branches");
	is_changes("M(a)\nint b;", "M(c)\nint b;", " text changed;", "what isn't understood");
	is_changes("int a; {", "int b; {", " text changed;", "what isn't clear");
	is_changes(NULL, "#define A 1\n", "A macro added;", "a new header");
	is_changes("#define A 1\n", NULL, "A macro removed;", "a header that goes");
}

static bool on_mention(void *ctx, enum rk_mention how, const struct rk_token *name)
{
	static const char *const signs[] = {"", "#", ".", "<", ">"};

	rk_str_addf(ctx, "%s%.*s ", signs[how], (int)name->len, name->s);
	return true;
}

static void test_mentions(void)
{
	static const char text[] =
		"#ifdef C\n#define M(a, b) ((a)->m + pre_##a + a##_post + N + sizeof(struct t) + b)\n#endif\n";
	_cleanup_decls_ struct rk_decls *decls = NULL;
	_cleanup_str_ struct rk_str got = RK_STR_INIT;

	if (!no_err(rk_decls_parse(text, strlen(text), &decls), "parse") ||
	    !ok(decls->list.nr == 1, "one macro"))
		return;
	ok(rk_decl_mentions(decls, &decls->list.v[0], on_mention, &got), "all of them");
	is_str(rk_str_get(&got), "ifdef C .m <pre_ >_post N #t ",
	       "a condition, a member, pasted parts, a name, a tag; no parameters, no keywords");
}

int main(void)
{
	test_kinds();
	test_conditions();
	test_no_change();
	test_changes();
	test_mentions();
	return done_testing();
}
