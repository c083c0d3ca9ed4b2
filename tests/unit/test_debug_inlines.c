// SPDX-License-Identifier: GPL-2.0-or-later
/* Where a linked file has functions inlined: two units with a header, in both versions of DWARF; files without debug info. */
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/process.h"
#include "lib/elf/debug_inlines.h"
#include "tests/unit/tap.h"

static const char header[] =
	"extern int state;\n"
	"static inline int checked(int x) { return x > 3 ? x * state : state; }\n"
	"static inline int outer(int x) { return checked(x) + 7; }\n"
	"static inline int ab(int x) { return state - x; }\n"
	"static inline int unused(int x) { return state / x; }\n"
	"static inline int checked_too(int x) { return state % x; }\n"
	"__attribute__((noinline)) static int copied(int x) { return state ^ x; }\n";
static const char one[] =
	"#include \"header.h\"\n"
	"int state = 5;\n"
	"int direct(int x) { return checked(x); }\n"
	"int nested(int x) { if (x) { int y = x - 1; return outer(y); } return 0; }\n"
	"__attribute__((section(\".init.text\"))) int other(int x) { return ab(x); }\n"
	"int two_entry(int x);\nint unit_start(int x) { return two_entry(x); }\n";
static const char two[] = "#include \"header.h\"\n"
			  "static inline int namesake(int x) { return x / (state - 11); }\n"
			  "static inline void *cast(int *x) { return x; }\n"
			  "void *with_cast(int *x) { return cast(x); }\n"
			  "int two_entry(int x) { return outer(x) + copied(x) + namesake(x); }\n"
			  "int (*pointer)(int) = unused;\n"
			  "int with_too(int x) { return checked_too(x); }\n";

static const char *dir;

static char *put(const char *name, const char *text)
{
	char *path = rk_path_join(dir, name);
	if (!no_err(rk_fs_write(path, text, strlen(text), 0666), name))
		bail_out("no sources");
	return path;
}

static char *link_units(const char *flag)
{
	_cleanup_free_ char *h = put("header.h", header), *a = put("one.c", one),
			    *b = put("two.c", two);
	char *path = rk_path_join(dir, "linked");
	const char *const argv[] = {"gcc",     "-O2",	    flag,      "-w", "-fno-pie",
				    "-no-pie", "-nostdlib", "-static", "-e", "unit_start",
				    "one.c",   "two.c",	    "-o",      path, NULL};
	struct rk_process_spec spec = {.argv = argv, .cwd = dir, .timeout_ms = 60000};
	_cleanup_process_result_ struct rk_process_result res = {};

	if (!no_err(rk_process_check(&spec, &res), flag))
		bail_out("nothing is linked");
	return path;
}

static bool is_wanted(void *ctx, const char *unit)
{
	return !ctx || strcmp(ctx, unit) == 0;
}

/* The answer as "unit function, …" */
static void finds(struct rk_debug_inlines *in, const char *function, const char *file, char *unit,
		  const char *want)
{
	_cleanup_debug_containers_ struct rk_debug_containers found = {};
	_cleanup_str_ struct rk_str text = RK_STR_INIT;

	if (!no_err(rk_debug_inlines_find(in, function, file, is_wanted, unit, &found), function))
		return;
	rk_vec_for_each(&found.list, c)
		rk_str_addf(&text, "%s%s %s%s%s", text.len ? ", " : "", c->unit,
			    c->function ? c->function : "?", c->address ? "" : " nowhere",
			    c->section && strcmp(c->section, ".text") != 0 ? c->section : "");
	is_str(rk_str_get(&text), want, function);
}

static void test_version(const char *flag)
{
	char second[] = "two.c";
	_cleanup_free_ char *path = link_units(flag);
	_cleanup_debug_inlines_ struct rk_debug_inlines *in = NULL;

	if (!no_err(rk_debug_inlines_open(path, &in), flag))
		return;
	ok(rk_debug_inlines_is_known(in), "there is debug info");
	finds(in, "checked", "header.h", NULL, "one.c nested, one.c direct, two.c two_entry");
	finds(in, "checked", "header.h", second, "two.c two_entry");
	finds(in, "outer", "header.h", NULL, "one.c nested, two.c two_entry");
	finds(in, "ab", "header.h", NULL, "one.c other.init.text");
	finds(in, "unused", "header.h", NULL, "two.c unused");
	finds(in, "namesake", "header.h", NULL, "");
	finds(in, "namesake", "two.c", NULL, "two.c two_entry");
	finds(in, "direct", "one.c", NULL, "one.c direct");
	finds(in, "copied", "header.h", NULL, "two.c copied");
	finds(in, "cast", "two.c", NULL, "two.c ? nowhere");
	finds(in, "nothing_of_that_name", "header.h", NULL, "");
	finds(in, "", "header.h", NULL, "");
}

static void test_without(void)
{
	_cleanup_free_ char *path = link_units("-g0"), *text = put("text", "no ELF file, but text");
	_cleanup_debug_inlines_ struct rk_debug_inlines *in = NULL, *none = NULL;

	if (no_err(rk_debug_inlines_open(path, &in), "a file without debug info")) {
		ok(!rk_debug_inlines_is_known(in), "it isn't known");
		finds(in, "checked", "header.h", NULL, "");
	}
	is_err_like(rk_debug_inlines_open(text, &none), RK_ERR_FORMAT, "not an ELF file", "text");
	is_err_like(rk_debug_inlines_open("/nowhere/vmlinux", &none), RK_ERR_SYS, "vmlinux",
		    "a missing file");
}

int main(void)
{
	dir = tap_tmpdir();
	test_version("-gdwarf-4");
	test_version("-gdwarf-5");
	test_without();
	return done_testing();
}
