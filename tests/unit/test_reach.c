/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How far a changed declaration reaches, in a tree of a dozen files. */
#include <string.h>

#include "lib/base/fs.h"
#include "lib/build/internal.h"
#include "lib/build/reach.h"
#include "tests/unit/tap.h"

static const struct {
	const char *path, *text;
} files[] = {
	{"include/linux/h.h", "#define LIMIT 1\n#define UNUSED 2\nstruct s { int a; };\n"
			      "static inline int f(int x) { return x; }\nenum { E1, E2 };\n"},
	{"include/linux/mid.h", "#include <linux/h.h>\n#define TWICE (2 * LIMIT)\n"
				"static inline int g(void) { return f(2); }\n"
				"struct outer { struct s s; };\nstruct outer *get(int o);\n"},
	/* A macro may use what only its user's other headers declare. */
	{"include/linux/late.h", "#define LATE() f(3)\n"},
	{"include/linux/table.h", "#include <linux/h.h>\nstatic const int table[] = { E2 };\n"},
	{"net/direct.c", "#include <linux/h.h>\nint a = LIMIT;\n"},
	{"net/through.c", "#include <linux/mid.h>\nint a = TWICE;\n"},
	{"net/inlined.c", "#include <linux/mid.h>\nint a(void) { return g(); }\n"},
	{"net/late.c",
	 "#include <linux/h.h>\n#include <linux/late.h>\nint a(void) { return LATE(); }\n"},
	{"net/pointer.c", "#include <linux/mid.h>\nint a(void) { return !get(0); }\n"},
	{"net/reader.c", "#include <linux/mid.h>\n/* LIMIT */ int a = sizeof(\"LIMIT f\");\n"},
	{"net/table.c", "#include <linux/table.h>\n"},
	{"net/part.c", "int part = LIMIT;\n"},
	{"net/whole.c", "#include <linux/h.h>\n#include \"part.c\"\n"},
	{"net/tests.c", "#include <linux/h.h>\n#ifdef FRESH\nint a;\n#endif\n"},
	{"arch/x86/entry.S",
	 "#include <linux/mid.h>\nentry:\tmov $TWICE, %eax # don't\n\tcall f\n"},
	{"arch/x86/other.S", "#include <linux/mid.h>\ns:\tcall f\n"},
	{"net/stranger.c", "#define LIMIT 5\nint f(void) { return LIMIT; }\n"},
};

static struct rk_target target;

static void make_tree(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		if (!no_err(rk_fs_write_below(tap_tmpdir(), files[i].path, files[i].text,
					      strlen(files[i].text), 0644),
			    "file"))
			bail_out("no tree");
	}
	target.source = tap_tmpdir();
}

static void reaches(enum rk_decl_kind kind, const char *name, enum rk_change change,
		    const char *want, const char *what)
{
	struct rk_kbuild kbuild = {.target = &target, .srcarch = "x86"};
	const struct rk_decl_change changes[] = {{.kind = kind, .name = name, .change = change}};
	const struct rk_reach_header header = {"include/linux/h.h", changes, 1};
	_cleanup_reach_ struct rk_reach reach = {};
	_cleanup_str_ struct rk_str got = RK_STR_INIT;

	if (!no_err(rk_kbuild_reach(&kbuild, &header, 1, &reach), what))
		return;
	rk_vec_for_each(&reach.files, file)
		rk_str_addf(&got, "%s ", file->path);
	is_str(rk_str_get(&got), want, what);
}

int main(void)
{
	make_tree();
	reaches(RK_DECL_MACRO, "LIMIT", RK_CHANGE_CHANGED,
		"arch/x86/entry.S net/direct.c net/through.c net/whole.c ",
		"a macro: by itself, through another one, in an included file, in assembly");
	reaches(RK_DECL_MACRO, "UNUSED", RK_CHANGE_CHANGED, "", "one that nobody uses");
	reaches(RK_DECL_FUNCTION, "f", RK_CHANGE_CHANGED, "net/inlined.c net/late.c ",
		"a function: within another one, in a macro of a header that doesn't read it");
	reaches(RK_DECL_STRUCT, "s", RK_CHANGE_CHANGED, "net/pointer.c ",
		"a structure: through what a function returns, whose type holds it");
	reaches(RK_DECL_ENUMERATOR, "E2", RK_CHANGE_CHANGED, "net/table.c ",
		"an enumerator: in data that every reader gets");
	reaches(RK_DECL_OTHER, "", RK_CHANGE_CHANGED,
		"arch/x86/entry.S arch/x86/other.S net/direct.c net/inlined.c net/late.c "
		"net/pointer.c net/reader.c net/table.c net/tests.c net/through.c net/whole.c ",
		"what isn't understood: every reader");
	reaches(RK_DECL_MACRO, "FRESH", RK_CHANGE_ADDED, "net/tests.c ",
		"a new macro: who asks whether it is there");
	reaches(RK_DECL_FUNCTION, "g", RK_CHANGE_ADDED, "", "a new function: nobody");
	return done_testing();
}
