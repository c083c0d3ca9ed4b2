// SPDX-License-Identifier: GPL-2.0-or-later
/* Which lines a function is made of: its own and those that are inlined into it, in both versions of DWARF. */
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "lib/elf/debug_places.h"
#include "tests/unit/tap.h"

static const char header[] = "extern int state;\n"
			     "static inline int checked(int x)\n"
			     "{\n"
			     "	return x > 3 ? x * state : state;\n"
			     "}\n"
			     "static inline int outer(int x) { return checked(x) + 7; }\n";
static const char unit[] = "#include \"header.h\"\n"
			   "int plain(int x)\n"
			   "{\n"
			   "	return x + 1;\n"
			   "}\n"
			   "\n"
			   "static int helper(int x)\n"
			   "{\n"
			   "	return x / state;\n"
			   "}\n"
			   "int nested(int x)\n"
			   "{\n"
			   "	if (x) {\n"
			   "		int y = helper(x);\n"
			   "		return outer(y);\n"
			   "	}\n"
			   "	return 0;\n"
			   "}\n"
			   "__attribute__((noipa)) static int cloned(int x) { return x; }\n"
			   "int last(int x)\n"
			   "{\n"
			   "	return cloned(x) * 3;\n"
			   "}\n";

static const char *dir;

static void put(const char *name, const char *text)
{
	_cleanup_free_ char *path = rk_path_join(dir, name);

	if (!no_err(rk_fs_write(path, text, strlen(text), 0666), name))
		bail_out("no sources");
}

static char *compile(const char *flag)
{
	char *path = rk_path_join(dir, "unit.o");
	const char *const argv[] = {"gcc", "-O2", flag, "-c", "unit.c", "-o", path, NULL};
	struct rk_process_spec spec = {.argv = argv, .cwd = dir, .timeout_ms = 60000};
	_cleanup_process_result_ struct rk_process_result res = {};

	if (!no_err(rk_process_check(&spec, &res), flag))
		bail_out("nothing is compiled");
	return path;
}

static struct rk_err *add_place(void *ctx, const char *file, uint32_t first, uint32_t last)
{
	const char *slash = strrchr(file, '/');

	rk_str_addf(ctx, " %s:%u", slash ? slash + 1 : file, first);
	if (last == UINT32_MAX)
		rk_str_add(ctx, "-end");
	else
		rk_str_addf(ctx, "-%u", last);
	return NULL;
}

static struct rk_err *refuse(void *ctx, const char *file, uint32_t first, uint32_t last)
{
	(void)ctx, (void)file, (void)first, (void)last;
	return rk_err(RK_ERR_LIMIT, "enough");
}

static void is_made_of(struct rk_debug_places *places, const char *function, const char *want)
{
	_cleanup_str_ struct rk_str got = RK_STR_INIT;

	if (no_err(rk_debug_places_of(places, function, add_place, &got), function))
		is_str(rk_str_get(&got), want, function);
}

static void test_object(const char *flag)
{
	_cleanup_free_ char *path = compile(flag);
	_cleanup_debug_places_ struct rk_debug_places *places = NULL;

	if (!no_err(rk_debug_places_open(path, &places), flag))
		return;
	is_made_of(places, "plain", " unit.c:2-6");
	is_made_of(places, "nested", " unit.c:11-18 unit.c:7-10 header.h:6-end header.h:2-5");
	is_made_of(places, "cloned.isra.0", " unit.c:19-19");
	is_made_of(places, "last", " unit.c:20-end");
	is_made_of(places, "las", "");
	is_made_of(places, "state", "");
	is_err(rk_debug_places_of(places, "plain", refuse, NULL), RK_ERR_LIMIT, "enough",
	       "the caller's error is handed on");
}

static void test_without(void)
{
	_cleanup_free_ char *path = compile("-g0");
	_cleanup_debug_places_ struct rk_debug_places *places = NULL;

	if (no_err(rk_debug_places_open(path, &places), "no debug info"))
		is_made_of(places, "plain", "");
}

int main(void)
{
	dir = tap_tmpdir();
	put("header.h", header);
	put("unit.c", unit);
	test_object("-gdwarf-5");
	test_object("-gdwarf-4");
	test_without();
	return done_testing();
}
