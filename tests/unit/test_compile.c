/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asking kbuild and compiling, on a kernel tree of a dozen files: its own small top Makefile and Makefile.build keep to
 * the names kbuild's have (obj-y, real-obj-m, rule_cc_o_c …), and its "objtool" is a script that can be told to complain.
 */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "lib/build/compile.h"
#include "lib/build/crc.h"
#include "lib/build/internal.h"
#include "tests/unit/tap.h"

/* Like the kernel's: runs itself once, then knows the flags, exports them. */
static const char top_makefile[] =
	"ifneq ($(sub_make_done),1)\n"
	"export sub_make_done := 1\n"
	"$(filter-out $(MAKEFILE_LIST),$(or $(MAKECMDGOALS),all)): sub-make ; @:\n"
	"sub-make: ; @$(MAKE) -f Makefile $(MAKECMDGOALS)\n"
	"else\n"
	"SRCARCH := x86\n"
	"KBUILD_CFLAGS := -O2 -g -Iinclude -D__KERNEL__ '-DQUOTED=\"a b\"'\n"
	"export SRCARCH KBUILD_CFLAGS CC KERNELRELEASE\n"
	"endif\n";

static const char makefile_build[] =
	"src := $(obj)\n"
	"-include include/config/auto.conf\n"
	"include $(firstword $(wildcard $(obj)/Kbuild) $(obj)/Makefile)\n"
	"search = $(foreach m,$1,$(if $($(m:.o=-y)),$($(m:.o=-y)),$m))\n"
	"pre := $(if $(filter .,$(obj)),,$(obj)/)\n"
	"modules := $(obj-m)\n"
	"obj-m := $(addprefix $(pre),$(patsubst %/,%/modules.order,$(filter %/,$(obj-y)) $(obj-m)))\n"
	"obj-y := $(patsubst %/,%/built-in.a,$(obj-y))\n"
	"real-obj-y := $(addprefix $(pre),$(call search,$(obj-y)))\n"
	"real-obj-m := $(addprefix $(pre),$(call search,$(filter %.o,$(modules))))\n"
	"lib-y := $(addprefix $(pre),$(lib-y))\n"
	"subdir-builtin := $(filter %/built-in.a,$(real-obj-y))\n"
	"subdir-modorder := $(filter %/modules.order,$(obj-m))\n"
	"owner = $(or $(strip $(foreach m,$(filter %.o,$(modules)),"
	"$(if $(filter $*.o,$($(m:.o=-y))),$(m:.o=)))),$(notdir $*))\n"
	"empty :=\n"
	"space := $(empty) $(empty)\n"
	"modname = $(subst $(space),:,$(subst -,_,$(owner)))\n"
	"cmd_cc_o_c = $(CC) -Wp,-MMD,$(@D)/.$(@F).d $(KBUILD_CFLAGS) $(ccflags-y) $(CFLAGS_$(@F)) "
	"$(if $(filter $@,$(real-obj-m)),-DMODULE) -DKBUILD_MODNAME='\"$(modname)\"' -c -o $@ $< "
	"$(if $(SKIP_OBJTOOL_$(@F)),,; ./tools/objtool/objtool --orc $@)\n"
	"rule_cc_o_c = $(cmd_cc_o_c)\n"
	"$(pre)%.o: $(pre)%.c FORCE ; $(rule_cc_o_c)\n"
	"FORCE:\n";

static const struct {
	const char *path, *text;
} files[] = {
	{"Makefile", top_makefile},
	{"scripts/Makefile.build", makefile_build},
	{"include/config/auto.conf", "CONFIG_NET=y\nCONFIG_MOD=m\n"},
	{".config",
	 "CONFIG_NET=y\nCONFIG_MOD=m\n# CONFIG_OFF is not set\n# CONFIG_PART is not set\n"},
	{"tools/objtool/objtool",
	 "#!/bin/sh\nfor last; do :; done\n[ \"$1\" = --orc ] || exit 9\n"
	 "if grep -q OBJTOOL_WARNS \"$last\"; then echo 'warning: strange code'; fi\n"
	 "if grep -q OBJTOOL_FAILS \"$last\"; then echo 'error: bad code'; exit 3; fi\n"},
	{"scripts/genksyms/genksyms",
	 "#!/bin/sh\n[ \"$1\" = -r ] || exit 9\ntext=$(grep -v '^#')\n"
	 "case $text in *broken*) echo 'syntax error' >&2; exit 1;; esac\n"
	 "case $text in *three*) three=3;; esac\n"
	 "echo '#SYMVER a 0x00000001'; echo '__crc_b = 0x1'$three';'\n"},
	{"include/linux/k.h", "#define K 1\n"},
	{"Kbuild", "obj-$(CONFIG_NET) += net/\n"},
	{"net/Makefile",
	 "obj-$(CONFIG_NET) += a.o core/\nobj-$(CONFIG_MOD) += my-mod.o\n"
	 "my-mod-y := mod1.o deep/mod2.o\nmy-mod-$(CONFIG_PART) += part.o\n"
	 "obj-$(CONFIG_OFF) += \\\n\toff.o\n"
	 "obj-m += shared1.o shared2.o\nshared1-y := sh.o one.o\nshared2-y := sh.o two.o\n"
	 "obj-m += far.o\nfar-y := ../virt/kvm/far1.o\n"
	 "ifeq ($(CONFIG_OFF),y)\nobj-y += cond.o\nendif\n"
	 "CFLAGS_a.o := -DFOR_A\nSKIP_OBJTOOL_mod1.o := y\n"
	 "net/a.o: net/gen.h\nnet/gen.h: ; echo '#define GEN 7' > $@\n"
	 "lib-y := l.o\nobj-y += u1.o u2.o u3.o u4.o u5.o\n"
	 "obj-y += twin.o twin-compat.o reads.o unasked.o\nobj-$(CONFIG_OFF) += u6.o\n"},
	{"net/core/Makefile", "obj-y += outer.o other.o twin-far.o\nccflags-y := -DIN_CORE\n"},
	{"net/off/Makefile", "obj-y += never.o\n"},
	{"net/a.c", "#include <linux/k.h>\n#include \"gen.h\"\n#include \"../include/linux/k.h\"\n"
		    "const char where[] = __FILE__; int a(int x)\n{\n\treturn x + K + GEN;\n}\n"
		    "int b(void)\n{\n\treturn __LINE__;\n}\n"},
	{"net/mod1.c", "int mod1(void) { return 1; }\n"},
	{"net/deep/mod2.c", "int mod2(void) { return 2; }\n"},
	{"net/part.c", "int part;\n"},
	{"net/off.c", "int off;\n"},
	{"net/cond.c", "int cond;\n"},
	{"net/sh.c", "int sh;\n"},
	{"net/l.c",
	 "int l(void) { return sizeof(\"OBJTOOL_WARNS\"); }\nconst char w[] = \"OBJTOOL_WARNS\";\n"},
	{"net/core/outer.c", "#include \"inner.c\"\n"},
	{"net/core/inner.c",
	 "int inner(void) { return 3; }\nconst char w[] = \"OBJTOOL_FAILS\";\n"},
	{"net/off/never.c", "int never;\n"},
	{"net/twin.c", "int NAME(void) { return 1; }\n"},
	{"net/twin-compat.c", "#define NAME compat\n#include \"twin.c\"\n"},
	{"net/core/twin-far.c", "#  include \"../twin-compat.c\" /* twice */\n"},
	{"net/core/other.c", "#include \"twin.c\"\n"},
	{"net/core/twin.c", "int other;\n"},
	{"net/twin-off.c", "#include \"twin.c\"\n"},
	{"net/through.c", "int through;\n"},
	{"net/through.h", "#include \"through.c\"\n"},
	{"net/reads.c", "#include \"through.h\"\n"},
	{"virt/kvm/far1.c", "int far1(void) { return 4; }\n"},
	{"arch/arm64/mm/fault.c", "#include <linux/deep.h>\nint fault;\n"},
	{"include/linux/deep.h", "int deep;\n"},
	{"include/linux/mid.h", "  #  include <linux/deep.h> /* for deep */\n"},
	{"net/deep.h", "/* another one */\n"},
	{"net/u1.c", "#include \"deep.h\"\n"},
	{"net/u2.c", "#include <linux/mid.h>\n"},
	{"net/u3.c", "#include \"linux/deep.h\"\n"},
	{"net/u4.c", "/* behind a comment: */ #include <linux/deep.h>\n"},
	{"net/u5.c", "#include \"u5.inc\"\n"},
	{"net/u5.inc", "#include \"../include/linux/deep.h\"\n"},
	{"net/u6.c", "#include <linux/mid.h>\n"},
	{"tools/t.c", "#include <linux/deep.h>\n"},
};

static struct rk_target target;
static struct rk_kbuild *kbuild;
static char source[4096];
static char *out;

static void put(const char *root, const char *path, const char *text, mode_t mode)
{
	if (!no_err(rk_fs_write_below(root, path, text, strlen(text), mode), path))
		bail_out("no source tree");
}

static void make_target(void)
{
	_cleanup_free_ char *dir = rk_path_join(tap_tmpdir(), "source");
	static char config[4200], cache[4096];

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		put(dir, files[i].path, files[i].text, 0755);
	if (!realpath(dir, source))
		bail_out("no source tree");
	snprintf(config, sizeof(config), "%s/.config", source);
	snprintf(cache, sizeof(cache), "%s/target", tap_tmpdir());
	out = rk_path_join(tap_tmpdir(), "out");
	no_err(rk_fs_mkdir_p(cache, 0755), "a directory of the target");
	no_err(rk_fs_mkdir_p(out, 0755), "a directory for objects");
	target = (struct rk_target){
		.id = "test:1",
		.release = "6.1.0-test",
		.cc = "gcc",
		.dir = cache,
		.source = source,
		.config = config,
	};
}

static const struct rk_recipe *recipe_of(const char *unit)
{
	const struct rk_recipe *recipe = NULL;
	const char *reason = NULL;

	if (!no_err(rk_kbuild_recipe(kbuild, unit, &recipe, &reason), unit))
		return NULL;
	ok(recipe != NULL, "%s is compiled%s%s", unit, reason ? ", not: " : "",
	   reason ? reason : "");
	return recipe;
}

static bool has_word(const char *const *words, const char *word)
{
	for (; words && *words; words++) {
		if (rk_streq(*words, word))
			return true;
	}
	return false;
}

static void test_recipes(void)
{
	const struct rk_recipe *recipe = recipe_of("net/a.c");

	if (!recipe)
		bail_out("no recipe");
	is_str(recipe->unit, "net/a.c", "its unit");
	is_str(recipe->input, "net/a.c", "its input");
	is_str(recipe->object, "vmlinux", "its klp object");
	is_str(recipe->module_path, NULL, "no module");
	is_str(recipe->cc_argv[0], "gcc", "the compiler");
	ok(has_word(recipe->cc_argv, "-DQUOTED=\"a b\""), "quotes are resolved");
	ok(has_word(recipe->cc_argv, "-DFOR_A"), "flags of the file");
	ok(has_word(recipe->cc_argv, "-DKBUILD_MODNAME=\"a\""), "quotes inside quotes stay");
	ok(!has_word(recipe->cc_argv, "-c") && !has_word(recipe->cc_argv, "-o") &&
		   !has_word(recipe->cc_argv, "net/a.c") && !has_word(recipe->cc_argv, "net/a.o"),
	   "what belongs to one call is left out");
	is_str(recipe->objtool_argv[1], "--orc", "objtool's flags");
	is_str(recipe->objtool_argv[2], NULL, "but not the object");
	_cleanup_free_ char *generated = rk_path_join(source, "net/gen.h");
	ok(rk_fs_exists(generated), "a generated header is made");
	ok(recipe_of("net/a.c") == recipe, "asked again, the same answer");

	recipe = recipe_of("net/mod1.c");
	is_str(recipe->object, "my_mod", "the module's name");
	is_str(recipe->module_path, "kernel/net/my-mod.ko", "the module's file");
	ok(has_word(recipe->cc_argv, "-DMODULE"), "compiled as a module");
	ok(!recipe->objtool_argv, "objtool can be off");
	recipe = recipe_of("net/deep/mod2.c");
	is_str(recipe->object, "my_mod", "named by the Makefile one directory up");
	recipe = recipe_of("net/core/outer.c");
	ok(has_word(recipe->cc_argv, "-DIN_CORE"), "flags of the directory");
	recipe = recipe_of("net/core/inner.c");
	is_str(recipe->unit, "net/core/outer.c", "an included file has the unit that includes it");
	recipe = recipe_of("virt/kvm/far1.c");
	is_str(recipe->input, "net/../virt/kvm/far1.c", "named by another directory, by way of it");
	is_str(recipe->unit, "virt/kvm/far1.c", "the unit is the plain path");
	is_str(recipe->object, "far", "its module");
	is_str(recipe_of("net/l.c")->object, "vmlinux", "a library's object");
}

static void is_reason(const char *unit, const char *want)
{
	const struct rk_recipe *recipe = NULL;
	const char *reason = NULL;

	if (no_err(rk_kbuild_recipe(kbuild, unit, &recipe, &reason), unit))
		is_str(reason, want, "the reason");
	ok(!recipe, "%s is not compiled", unit);
}

static void test_reasons(void)
{
	const struct rk_recipe *recipe;
	const char *reason;

	is_reason("net/off.c", "CONFIG_OFF is not set");
	is_reason("net/part.c", "CONFIG_PART is not set");
	is_reason("net/cond.c", "CONFIG_OFF is not set");
	is_reason("net/nowhere.c", "not named by net/Makefile");
	is_reason("net/off/never.c", "not linked into the kernel or a module");
	is_reason("other/x.c", "not named by Kbuild");
	is_reason("arch/arm64/mm/fault.c", "for another machine (arch/arm64)");
	is_reason("net/table.inc", "not a C file");
	is_err(rk_kbuild_recipe(kbuild, "net/sh.c", &recipe, &reason), RK_ERR_UNSUPPORTED,
	       "'net/sh.c' is linked into more than one module: shared1:shared2",
	       "an object of two modules");
}

static void test_users(void)
{
	const char *const want[] = {"net/u2.c", "net/u3.c", "net/u4.c", "net/u5.c"};
	struct rk_users users = {};

	for (int i = 0; i < 2; i++) {
		if (!no_err(rk_kbuild_users(kbuild, "include/linux/deep.h", 10, &users),
			    "users of a header"))
			return;
		is_int((long long)users.candidates, 5,
		       "five files include it, in any configuration");
		ok(users.is_complete, "these are all");
		is_int((long long)users.units.nr, ARRAY_SIZE(want), "all but one are compiled");
		for (size_t j = 0; j < users.units.nr && j < ARRAY_SIZE(want); j++)
			is_str(users.units.v[j]->unit, want[j], "by path");
		rk_users_deinit(&users);
	}
	if (no_err(rk_kbuild_users(kbuild, "include/linux/deep.h", 2, &users), "at most two"))
		ok(!users.is_complete && users.units.nr == 2, "there are more");
	rk_users_deinit(&users);
	if (no_err(rk_kbuild_users(kbuild, "net/deep.h", 10, &users),
		   "a header of the same name")) {
		is_int((long long)users.units.nr, 1, "one unit reads it");
		is_str(users.units.v[0]->unit, "net/u1.c", "from beside it");
	}
	rk_users_deinit(&users);
	if (no_err(rk_kbuild_users(kbuild, "include/linux/none.h", 10, &users),
		   "a header nobody reads"))
		ok(users.is_complete && users.units.nr == 0 && users.candidates == 0,
		   "has no users");
	rk_users_deinit(&users);
}

static void are_users(const char *path, const char *const *want, size_t nr)
{
	struct rk_users users = {};

	if (!no_err(rk_kbuild_users(kbuild, path, 10, &users), path))
		return;
	ok(users.is_complete, "%s: these are all", path);
	is_int((long long)users.units.nr, (long long)nr, "so many units have it");
	for (size_t i = 0; i < users.units.nr && i < nr; i++)
		is_str(users.units.v[i]->unit, want[i], "by path");
	rk_users_deinit(&users);
}

/* A C file can be compiled by itself and in others. */
static void test_users_of_c(void)
{
	const char *const twin[] = {"net/core/twin-far.c", "net/twin-compat.c", "net/twin.c"};
	const char *const beside[] = {"net/core/other.c"};
	const char *const through[] = {"net/reads.c"};
	const char *const plain[] = {"net/a.c"};
	struct rk_users users = {};

	/* Read from the tree, then from what was kept of it. */
	for (int i = 0; i < 2; i++) {
		are_users("net/twin.c", twin, ARRAY_SIZE(twin));
		are_users("net/core/twin.c", beside, ARRAY_SIZE(beside));
		are_users("net/through.c", through, ARRAY_SIZE(through));
		are_users("net/a.c", plain, ARRAY_SIZE(plain));
	}
	are_users("net/off.c", NULL, 0);
	if (no_err(rk_kbuild_users(kbuild, "net/twin.c", 2, &users), "at most two"))
		ok(!users.is_complete && users.units.nr == 2, "there are more");
	rk_users_deinit(&users);
}

static void is_unit(struct rk_kbuild *of, const char *path, bool want)
{
	bool got;

	if (no_err(rk_kbuild_is_unit(of, path, &got), path))
		ok(got == want, "%s %s compiled by itself", path, want ? "is" : "isn't");
}

/* The same as the recipes say, and no recipe is needed for it. */
static void test_is_unit(void)
{
	is_unit(kbuild, "net/a.c", true);
	is_unit(kbuild, "virt/kvm/far1.c", true);
	is_unit(kbuild, "net/sh.c", true);
	is_unit(kbuild, "net/off.c", false);
	is_unit(kbuild, "net/through.c", false);
	is_unit(kbuild, "arch/arm64/mm/fault.c", false);
}

/* What kbuild said is kept: a kbuild that can't be asked any more still knows. */
static void test_kept(void)
{
	_cleanup_free_ char *build = rk_path_join(source, "scripts/Makefile.build");
	_cleanup_free_ char *away = rk_path_join(source, "scripts/away");
	struct rk_kbuild *second = NULL;
	const struct rk_recipe *recipe = NULL;
	const char *reason;

	if (rename(build, away) < 0)
		bail_out("cannot rename");
	no_err(rk_kbuild_open(&target, NULL, &second), "open again");
	if (no_err(rk_kbuild_recipe(second, "net/deep/mod2.c", &recipe, &reason), "a kept recipe"))
		is_str(recipe->module_path, "kernel/net/my-mod.ko", "is complete");
	if (no_err(rk_kbuild_recipe(second, "net/mod1.c", &recipe, &reason), "another"))
		ok(!recipe->objtool_argv && has_word(recipe->cc_argv, "-DQUOTED=\"a b\""),
		   "also complete");
	is_unit(second, "net/unasked.c", true);
	is_err_like(rk_kbuild_recipe(second, "net/unasked.c", &recipe, &reason), RK_ERR_TOOL,
		    "scripts/Makefile.build", "what was never asked needs make");
	rk_kbuild_close(second);
	if (rename(away, build) < 0)
		bail_out("cannot rename");
}

static struct rk_compile_job job_of(const char *unit, const char *name, const char *root)
{
	return (struct rk_compile_job){
		.recipe = recipe_of(unit),
		.output = rk_path_join(out, name),
		.root = root,
		.is_original = rk_streq(root, source),
	};
}

static void free_jobs(struct rk_compile_job *jobs, size_t nr)
{
	rk_compile_jobs_deinit(jobs, nr);
	for (size_t i = 0; i < nr; i++)
		free((char *)jobs[i].output);
}

static char *symbols_of(const char *object)
{
	const char *const argv[] = {"nm", object, NULL};
	struct rk_process_spec spec = {.argv = argv};
	struct rk_process_result res = {};

	if (!no_err(rk_process_check(&spec, &res), "nm"))
		bail_out("no object");
	return res.output.s;
}

static struct rk_view *view_of(const char *text, const char *name)
{
	_cleanup_free_ char *dir = rk_path_join(tap_tmpdir(), name);
	struct rk_patch_file *patch = NULL;
	struct rk_view *view = NULL;

	if (!no_err(rk_patch_file_parse("fix.patch", text, strlen(text), &patch), name) ||
	    !no_err(rk_view_create(source, dir, &patch, 1, "x86", &view), name))
		bail_out("no view");
	rk_patch_file_free(patch);
	return view;
}

static bool same_files(const char *a, const char *b)
{
	char x[RK_SHA256_HEX_SIZE], y[RK_SHA256_HEX_SIZE];

	return no_err(rk_sha256_file(a, x), a) && no_err(rk_sha256_file(b, y), b) && rk_streq(x, y);
}

static bool has_dep(const struct rk_compile_job *job, const char *path)
{
	return has_word((const char *const *)job->deps, path);
}

/* Entries of the output directory: nothing but objects may be there. */
static void is_clean(unsigned int want, const char *name)
{
	const char *const argv[] = {"ls", "-A", out, NULL};
	struct rk_process_spec spec = {.argv = argv};
	_cleanup_process_result_ struct rk_process_result res = {};
	unsigned int lines = 0;

	no_err(rk_process_check(&spec, &res), "ls");
	for (const char *s = rk_str_get(&res.output); (s = strchr(s, '\n')); s++)
		lines++;
	ok(lines == want, "%s: %u files, expected %u:\n%s", name, lines, want,
	   rk_str_get(&res.output));
}

static void text_of(const char *unit, const char *root, char ret_hex[RK_SHA256_HEX_SIZE])
{
	struct rk_compile_job job = job_of(unit, "text.o", root);

	if (!no_err(rk_preprocess(&job, out, ret_hex), unit))
		memset(ret_hex, 0, RK_SHA256_HEX_SIZE);
	ok(job.deps && job.deps[0], "%s: what it reads is known", unit);
	rk_compile_jobs_deinit(&job, 1);
	free((char *)job.output);
}

/* What the compiler sees of a unit in two trees. */
static void test_preprocess(void)
{
	const char *const patches[] = {
		"--- a/net/a.c\n+++ b/net/a.c\n@@ -4,4 +4,5 @@\n+/* a comment */\n"
		" const char where[] = __FILE__; int a(int x)\n {\n \treturn x + K + GEN;\n }\n",
		"--- a/net/a.c\n+++ b/net/a.c\n@@ -4,4 +4,4 @@\n"
		" const char where[] = __FILE__; int a(int x)\n {\n-\treturn x + K + GEN;\n"
		"+\treturn x - K;\n }\n",
	};
	char original[RK_SHA256_HEX_SIZE], patched[RK_SHA256_HEX_SIZE];

	text_of("net/a.c", source, original);
	for (size_t i = 0; i < ARRAY_SIZE(patches); i++) {
		struct rk_view *view = view_of(patches[i], i == 0 ? "text-same" : "text-other");

		text_of("net/a.c", view->dir, patched);
		ok(rk_streq(original, patched) == (i == 0), "%s",
		   i == 0 ? "a comment is no other text" : "an expression is");
		rk_view_free(view);
	}
}

static void test_compile(void)
{
	struct rk_view *view = view_of("--- a/net/a.c\n+++ b/net/a.c\n@@ -4,4 +4,6 @@\n"
				       "+/* a comment of\n+ * two lines */\n"
				       " const char where[] = __FILE__; int a(int x)\n {\n"
				       " \treturn x + K + GEN;\n }\n",
				       "view");
	struct rk_compile_job jobs[] = {job_of("net/a.c", "o.o", source),
					job_of("net/a.c", "p.o", view->dir)};

	if (!no_err(rk_compile(kbuild, jobs, 2, 0, NULL), "compile both"))
		bail_out("nothing is compiled");
	is_clean(2, "after both");
	ok(jobs[0].seconds > 0 && !jobs[0].from_cache, "the first time it is compiled");
	is_str(jobs[0].deps[0], "net/a.c", "the first dependency is the unit");
	ok(has_dep(&jobs[0], "include/linux/k.h") && has_dep(&jobs[0], "net/gen.h"),
	   "headers follow");
	ok(same_files(jobs[0].output, jobs[1].output),
	   "a comment changes no byte of the object, debug information included");
	_cleanup_free_ char *symbols = symbols_of(jobs[0].output);
	ok(strstr(symbols, "T a\n") != NULL, "the function is there");
	is_str(rk_compile_stale_dep(&jobs[1], view), NULL, "nothing unchanged was read");
	free_jobs(jobs, 2);

	struct rk_compile_job again[] = {job_of("net/a.c", "again.o", source)};
	if (no_err(rk_compile(kbuild, again, 1, 1, NULL), "compile the original again"))
		ok(again[0].from_cache && again[0].seconds == 0, "it comes from the cache");
	ok(has_dep(&again[0], "net/gen.h"), "with its dependencies");
	_cleanup_free_ char *first = rk_path_join(out, "o.o");
	ok(same_files(first, again[0].output), "and is the same");
	free_jobs(again, 1);

	const char *const extra[] = {"-DK=5", "-Wno-builtin-macro-redefined", "-O0", NULL};
	struct rk_compile_job other[] = {job_of("net/a.c", "other.o", source)};
	other[0].extra = extra;
	if (no_err(rk_compile(kbuild, other, 1, 1, NULL), "with other options"))
		ok(!other[0].from_cache && !same_files(first, other[0].output),
		   "it is another object");
	free_jobs(other, 1);
	rk_view_free(view);
}

/* net/a.c reads "../include/linux/k.h" from net/, which is a link as long as only the header is changed. */
static void test_stale(void)
{
	struct rk_view *view = view_of("--- a/include/linux/k.h\n+++ b/include/linux/k.h\n"
				       "@@ -1 +1 @@\n-#define K 1\n+#define K 9\n",
				       "view-header");
	struct rk_compile_job jobs[] = {job_of("net/a.c", "stale.o", view->dir)};

	if (no_err(rk_compile(kbuild, jobs, 1, 1, NULL), "compile against the changed header")) {
		is_str(rk_compile_stale_dep(&jobs[0], view), "include/linux/k.h",
		       "the unchanged header was read, too");
		no_err(rk_view_realise(view, (const char *const *)jobs[0].deps, 2),
		       "make the way real");
		for (size_t i = 0; jobs[0].deps[i]; i++)
			no_err(rk_view_realise(view, (const char *const *)&jobs[0].deps[i], 1),
			       "all of it");
	}
	rk_compile_jobs_deinit(jobs, 1);
	if (no_err(rk_compile(kbuild, jobs, 1, 1, NULL), "compile once more"))
		is_str(rk_compile_stale_dep(&jobs[0], view), NULL,
		       "now only the changed one is read");
	free_jobs(jobs, 1);

	struct rk_compile_job far[] = {job_of("virt/kvm/far1.c", "far.o", source)};
	if (no_err(rk_compile(kbuild, far, 1, 1, NULL), "a unit named with \"..\""))
		is_str(far[0].deps[0], "net/../virt/kvm/far1.c", "is compiled under that name");
	free_jobs(far, 1);
	rk_view_free(view);
}

static void test_errors(void)
{
	struct rk_view *view =
		view_of("--- a/net/a.c\n+++ b/net/a.c\n@@ -3,3 +3,4 @@\n"
			" #include \"../include/linux/k.h\"\n+int added;\n"
			" const char where[] = __FILE__; int a(int x)\n {\n"
			"@@ -8,3 +9,3 @@\n int b(void)\n {\n-\treturn __LINE__;\n+\treturn oops;\n",
			"view-bad");
	_cleanup_free_ char *out_dir = out;
	out = rk_path_join(tap_tmpdir(), "out-bad");
	no_err(rk_fs_mkdir_p(out, 0755), "a directory");
	struct rk_compile_job jobs[] = {job_of("net/mod1.c", "good.o", source),
					job_of("net/a.c", "bad.o", view->dir),
					job_of("net/deep/mod2.c", "late.o", source)};
	struct rk_err *err = rk_compile(kbuild, jobs, 3, 2, NULL);

	ok(err && rk_has_prefix(rk_err_message(err), "net/a.c: In function"),
	   "the compiler speaks first");
	ok(err && strstr(rk_err_message(err), "net/a.c:11:16: error: 'oops' undeclared"),
	   "with the line the author of the fix sees");
	is_err_like(err, RK_ERR_COMPILE, "\n'net/a.c' doesn't compile with the fix",
		    "a compile error");
	is_clean(0, "after an error");
	ok(!jobs[0].deps && !jobs[1].deps && !jobs[2].deps, "no results");
	free_jobs(jobs, 3);

	struct rk_compile_job fails[] = {job_of("net/core/outer.c", "fails.o", source)};
	is_err(rk_compile(kbuild, fails, 1, 1, NULL), RK_ERR_TOOL,
	       "'net/core/outer.c': objtool failed with status 3:\nerror: bad code\n",
	       "objtool refuses");
	is_clean(0, "after objtool's error");
	free_jobs(fails, 1);

	struct rk_compile_job lost[] = {job_of("net/mod1.c", "none/x.o", source)};
	is_err_like(rk_compile(kbuild, lost, 1, 1, NULL), RK_ERR_SYS, "out-bad/none",
		    "no output directory");
	free_jobs(lost, 1);
	free(out);
	out = take_ptr(out_dir);
	rk_view_free(view);
}

static void take_note(void *ctx, const char *text)
{
	rk_str_add(ctx, text);
}

static void test_notes(void)
{
	_cleanup_str_ struct rk_str notes = RK_STR_INIT;
	struct rk_reporter reporter = {.note = take_note, .ctx = &notes};
	struct rk_compile_job jobs[] = {job_of("net/l.c", "warns.o", source)};

	no_err(rk_compile(kbuild, jobs, 1, 1, &reporter), "objtool warns");
	is_str(rk_str_get(&notes), "'net/l.c': objtool says:\nwarning: strange code\n",
	       "as a note");
	free_jobs(jobs, 1);
}

/* Of a user's tree nothing is kept, and nothing is made in it. */
static void test_user_source(void)
{
	struct rk_target user = target;
	struct rk_kbuild *own = NULL;
	const struct rk_recipe *recipe;
	const char *reason;
	_cleanup_free_ char *generated = rk_path_join(source, "net/gen.h"), *text = NULL;

	user.user_source = true;
	if (!no_err(rk_fs_read(generated, 4096, &text, NULL), "keep the header") ||
	    unlink(generated) < 0)
		bail_out("no header");
	no_err(rk_kbuild_open(&user, NULL, &own), "open the user's tree");
	is_err(rk_kbuild_recipe(own, "net/a.c", &recipe, &reason), RK_ERR_NOT_FOUND,
	       "'net/gen.h' isn't in the source tree; run 'make net/a.o' there first",
	       "a generated header is the user's to make");
	ok(!rk_fs_exists(generated), "it was not made");
	put(source, "net/gen.h", text, 0644);
	rk_kbuild_close(own);

	no_err(rk_kbuild_open(&user, NULL, &own), "once more");
	kbuild = own;
	for (int i = 0; i < 2; i++) {
		struct rk_compile_job jobs[] = {job_of("net/a.c", "user.o", source)};

		if (no_err(rk_compile(own, jobs, 1, 1, NULL), "compile the user's unit"))
			ok(!jobs[0].from_cache, "objects of a user's tree are not cached");
		free_jobs(jobs, 1);
	}
	rk_kbuild_close(own);
	kbuild = NULL;
}

static void on_alarm(int sig)
{
	(void)sig;
	rk_interrupt();
}

/* Comes last: an interrupted process stays interrupted. */
static void test_interrupt(void)
{
	const char *const slow[] = {"sh", "-c", "sleep 60", NULL};
	const struct rk_recipe recipe = {
		.unit = "net/mod1.c", .input = "net/mod1.c", .object = "my_mod", .cc_argv = slow};
	struct rk_compile_job jobs[3] = {};
	struct rk_kbuild *own = NULL;

	free(out);
	out = rk_path_join(tap_tmpdir(), "out-interrupted");
	no_err(rk_fs_mkdir_p(out, 0755), "a directory");
	if (!no_err(rk_kbuild_open(&target, NULL, &own), "open once more"))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(jobs); i++) {
		jobs[i].recipe = &recipe;
		jobs[i].output = rk_asprintf("%s/%zu.o", out, i);
		jobs[i].root = source;
	}
	signal(SIGALRM, on_alarm);
	alarm(1);
	is_err_like(rk_compile(own, jobs, 3, 2, NULL), RK_ERR_INTERRUPTED,
		    "interrupted while 'sh' ran", "the user stops a compilation");
	rk_kbuild_close(own);
	free_jobs(jobs, 3);

	DIR *dir = opendir(out);
	unsigned int nr = 0;
	for (const struct dirent *entry; dir && (entry = readdir(dir));)
		nr += entry->d_name[0] != '.' || strlen(entry->d_name) > 2;
	ok(dir && nr == 0, "nothing is left");
	if (dir)
		closedir(dir);
}

static void test_words(void)
{
	struct rk_arena arena = RK_ARENA_INIT;
	struct rk_commands commands;

	if (no_err(rk_commands_parse(&arena,
				     "cc -DA='\"x y\"' -DB=\"a\\\"b\" c\\ d '' ;  tool a~b#c; ",
				     &commands),
		   "words of a command line")) {
		is_int((long long)commands.list.nr, 2, "two commands");
		const struct rk_command *cc = &commands.list.v[0];
		is_int((long long)cc->words.nr, 5, "five words");
		is_str(cc->words.v[1], "-DA=\"x y\"", "single quotes");
		is_str(cc->words.v[2], "-DB=a\"b", "double quotes");
		is_str(cc->words.v[3], "c d", "an escaped blank");
		is_str(cc->words.v[4], "", "an empty word");
		is_str(commands.list.v[1].words.v[1], "a~b#c", "harmless inside a word");
		rk_commands_deinit(&commands);
	}
	const char *const bad[] = {"cc 'a",	"cc \"a",   "cc `x`", "cc $x",
				   "cc \"$x\"", "cc a | b", "cc > x", "cc *.c"};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		is_err_like(rk_commands_parse(&arena, bad[i], &commands), RK_ERR_FORMAT,
			    "cannot read the command", bad[i]);
	rk_arena_deinit(&arena);
}

/* genksyms reads the preprocessed unit: the fix's, when it is asked in the view. */
static void test_crcs(void)
{
	struct rk_view *view = view_of("--- a/net/mod1.c\n+++ b/net/mod1.c\n@@ -1,1 +1,1 @@\n"
				       "-int mod1(void) { return 1; }\n"
				       "+int three(void) { return 1; }\n",
				       "view-crcs");
	struct rk_view *broken = view_of("--- a/net/mod1.c\n+++ b/net/mod1.c\n@@ -1,1 +1,1 @@\n"
					 "-int mod1(void) { return 1; }\n"
					 "+int broken(void) { return 1; }\n",
					 "view-broken-crcs");
	const struct rk_recipe *recipe = recipe_of("net/mod1.c");
	_cleanup_crcs_ struct rk_crcs old = {}, new = {}, none = {};

	no_err(rk_kbuild_crcs(kbuild, recipe, source, out, &old), "CRCs of the original");
	no_err(rk_kbuild_crcs(kbuild, recipe, view->dir, out, &new), "CRCs with the fix");
	ok(old.is_known && rk_crcs_find(&old, "a") && rk_crcs_find(&old, "a")->value == 1,
	   "one as genksyms of 6.1 prints it");
	ok(rk_crcs_find(&old, "b") && rk_crcs_find(&old, "b")->value == 1, "an earlier one's");
	ok(rk_crcs_find(&new, "b") && rk_crcs_find(&new, "b")->value == 0x13,
	   "the fix has another");
	ok(!rk_crcs_find(&old, "c"), "what isn't exported has none");
	is_err_like(rk_kbuild_crcs(kbuild, recipe, broken->dir, out, &none), RK_ERR_TOOL,
		    "CRCs of 'net/mod1.c'", "genksyms fails");
	is_err_like(rk_crcs_parse("#SYMVER x 0x123456789\n", &none), RK_ERR_FORMAT, "'x'",
		    "a CRC that is too large");
	is_err_like(rk_crcs_parse("#SYMVER x\n", &none), RK_ERR_FORMAT, "'x'", "no CRC");
	rk_view_free(view);
	rk_view_free(broken);
}

static void test_deps(void)
{
	char **deps = NULL;

	if (no_err(rk_deps_parse("x.o: ./a.c include/b.h \\\n c\\ d.h $$e.h \\\n\n\nother: f\n",
				 &deps),
		   "a list")) {
		is_str(deps[0], "a.c", "a leading ./ is dropped");
		is_str(deps[2], "c d.h", "an escaped blank");
		is_str(deps[3], "$e.h", "an escaped dollar");
	}
	rk_deps_free(deps);
	is_err(rk_deps_parse("nothing", &deps), RK_ERR_FORMAT,
	       "the compiler's list of dependencies has no rule", "no list");
}

int main(void)
{
	test_words();
	test_deps();
	make_target();
	if (!no_err(rk_kbuild_open(&target, NULL, &kbuild), "open kbuild"))
		bail_out("no kbuild");
	test_recipes();
	test_reasons();
	test_users();
	test_users_of_c();
	test_is_unit();
	test_kept();
	test_preprocess();
	test_compile();
	test_stale();
	test_errors();
	test_notes();
	test_crcs();
	rk_kbuild_close(kbuild);
	test_user_source();
	test_interrupt();
	free(out);
	rk_kbuild_close(NULL);
	return done_testing();
}
