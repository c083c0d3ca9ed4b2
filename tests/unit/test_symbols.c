// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Names of a small kernel: exports, positions as livepatch counts them in vmlinux and in modules,
 * and which of several files of one name a compiled object is.
 */
#include <string.h>

#include "lib/target/symbols_internal.h"
#include "tests/unit/kernelmake.h"
#include "tests/unit/tap.h"

/*
 * Two files 'core.c' with a static function and datum of the same name, one with another set of
 * names.
 */
static const char core_a[] =
	"static int state = 3; static int only_a;\n"
	"__attribute__((noinline)) static int helper(int x) { return x * state++; }\n"
	"int a_entry(int x) { only_a += x; return helper(x) + 1; }\n"
	"int __attribute__((section(\"percpu\"))) first_percpu = 1;\n"
	"int __attribute__((section(\"percpu\"))) second_percpu = 2;\n";
static const char core_b[] =
	"static int state = 3;\n"
	"__attribute__((noinline)) static int helper(int x) { return x + state++; }\n"
	"int b_entry(int x) { return helper(x) + 1; }\n";
/* the same names as core_b, other code */
static const char core_c[] =
	"static int state = 3;\n"
	"__attribute__((noinline)) static int helper(int x) { return x - state++; }\n"
	"int c_entry(int x) { return helper(x) + 1; }\n";
/* the same names and code as core_c: only its place tells it apart */
static const char core_d[] =
	"static int state = 3;\n"
	"__attribute__((noinline)) static int helper(int x) { return x - state++; }\n"
	"int d_entry(int x) { return helper(x) + 1; }\n";
/* nothing tells these two apart: there is no global function, and the code is the same */
static const char same[] = "static int twins;\n"
			   "static __attribute__((used, noinline)) int same(int x)\n"
			   "{ return x * 5 + twins++; }\n";
/* a global 'helper' among the local ones, and no local symbols at all */
static const char plain[] = "int helper(int x) { return x / 7; }\n";

static const char symvers[] = "0x00000001\ta_entry\tvmlinux\tEXPORT_SYMBOL\t\n"
			      "0xdeadbeef\tb_entry\tvmlinux\tEXPORT_SYMBOL_GPL\tINTERNAL\n"
			      "0x12345678\tmod_entry\tnet/key/one-two\tEXPORT_SYMBOL\t\n";

static struct rk_target target;
static const char *dir;

static void build_kernel(void)
{
	dir = tap_tmpdir();
	_cleanup_free_ char *a =
		kernelmake_compile(dir, "a/core.c", core_a, KERNELMAKE_SHIPPED, NULL);
	_cleanup_free_ char *b =
		kernelmake_compile(dir, "b/core.c", core_b, KERNELMAKE_SHIPPED, NULL);
	_cleanup_free_ char *p =
		kernelmake_compile(dir, "plain.c", plain, KERNELMAKE_SHIPPED, NULL);
	_cleanup_free_ char *c =
		kernelmake_compile(dir, "c/core.c", core_c, KERNELMAKE_SHIPPED, NULL);
	_cleanup_free_ char *d =
		kernelmake_compile(dir, "d/core.c", core_d, KERNELMAKE_SHIPPED, NULL);
	_cleanup_free_ char *e =
		kernelmake_compile(dir, "e/same.c", same, KERNELMAKE_SHIPPED, NULL);
	_cleanup_free_ char *f =
		kernelmake_compile(dir, "f/same.c", same, KERNELMAKE_SHIPPED, NULL);
	const char *const objects[] = {a, b, p, c, d, e, f, NULL};
	free(kernelmake_link(dir, objects));
	kernelmake_target(dir, symvers, &target);
}

static struct rk_symbols *open_symbols(void)
{
	struct rk_symbols *symbols = NULL;
	if (!no_err(rk_symbols_open(&target, &symbols), "opens"))
		bail_out("no symbols");
	return symbols;
}

static void test_exports(void)
{
	struct rk_symbols *symbols = open_symbols();
	const struct rk_export *e = rk_symbols_export(symbols, "b_entry");
	if (ok(e != NULL, "an export")) {
		is_str(e->object, "vmlinux", "its object");
		is_int(e->crc, 0xdeadbeef, "its CRC");
		ok(e->gpl, "is for GPL modules");
		is_str(e->ns, "INTERNAL", "its namespace");
	}
	e = rk_symbols_export(symbols, "mod_entry");
	if (ok(e != NULL, "an export of a module")) {
		is_str(e->object, "one_two", "the module's name has no '-'");
		ok(!e->gpl, "is for all modules");
		is_str(e->ns, "", "no namespace");
	}
	ok(!rk_symbols_export(symbols, "helper"), "not exported");
	rk_symbols_close(symbols);
}

static void refuses(const char *text, const char *message)
{
	struct rk_exports *exports = NULL;
	is_err(rk_exports_parse("M", text, strlen(text), &exports), RK_ERR_FORMAT, message,
	       message);
}

static void test_bad_exports(void)
{
	refuses("0x1\tname\n", "'M' line 1: not five fields with tabs between them");
	refuses("0x1\ta\tvmlinux\tEXPORT_SYMBOL\t\tmore\n",
		"'M' line 1: not five fields with tabs between them");
	refuses("0x1\ta\tvmlinux\tEXPORT_SYMBOL\t\n12\tb\tvmlinux\tEXPORT_SYMBOL\t\n",
		"'M' line 2: '12' is not a CRC");
	refuses("0x\ta\tvmlinux\tEXPORT_SYMBOL\t\n", "'M' line 1: '0x' is not a CRC");
	refuses("0x123456789\ta\tvmlinux\tEXPORT_SYMBOL\t\n",
		"'M' line 1: '0x123456789' is not a CRC");
	refuses("0x1\t\tvmlinux\tEXPORT_SYMBOL\t\n", "'M' line 1: symbol or object is empty");
	refuses("0x1\ta\tvmlinux\tIMPORT\t\n", "'M' line 1: unknown kind of export 'IMPORT'");
	refuses("0x1\ta\tvmlinux\tEXPORT_SYMBOL\t\n0x2\ta\tb/c\tEXPORT_SYMBOL\t\n",
		"'M' line 2: 'a' is exported twice");
	struct rk_exports *exports = NULL;
	is_err(rk_exports_parse("M", "0x1\0", 4, &exports), RK_ERR_FORMAT, "'M' is not a text file",
	       "a NUL");
	if (no_err(rk_exports_parse("M", "", 0, &exports), "an empty file has no exports"))
		is_int((long long)exports->nr, 0, "none");
	rk_exports_free(exports);
}

/* The local symbol `name` of the nth file of this name. */
static struct rk_symbol *local(struct rk_klp_object *object, const char *name, unsigned int nth)
{
	rk_elf_for_each_symbol(object->elf, sym)
		if (strcmp(sym->name, name) == 0 && sym->bind == 0 && nth-- == 0)
			return sym;
	bail_out("no '%s'", name);
}

static struct rk_sympos position(struct rk_symbols *symbols, struct rk_klp_object *object,
				 const struct rk_symbol *sym)
{
	struct rk_sympos pos = {};
	if (!sym || !no_err(rk_symbols_sympos(symbols, object, sym, &pos), "a position"))
		bail_out("no position");
	return pos;
}

static void test_vmlinux_sympos(void)
{
	struct rk_symbols *symbols = open_symbols();
	struct rk_klp_object *vmlinux = NULL;
	if (!no_err(rk_symbols_object(symbols, "vmlinux", &vmlinux), "vmlinux"))
		bail_out("no vmlinux");
	struct rk_sympos pos = position(symbols, vmlinux, rk_elf_symbol(vmlinux->elf, "a_entry"));
	is_int(pos.sympos, 1, "a unique name is asked for with 1");
	is_int(pos.matches, 1, "is there once");
	ok(pos.in_kallsyms && !pos.unstable, "and found");
	/* addresses: a, b, the global one of plain.c, c, d; binding doesn't matter */
	static const unsigned int ranks[] = {1, 2, 4, 5};
	for (unsigned int i = 0; i < ARRAY_SIZE(ranks); i++) {
		pos = position(symbols, vmlinux, local(vmlinux, "helper", i));
		is_int(pos.sympos, ranks[i], "rank of a local function");
		is_int(pos.matches, 5, "among all of its name");
	}
	pos = position(symbols, vmlinux, rk_elf_symbol(vmlinux->elf, "helper"));
	is_int(pos.sympos, 3, "rank of the global one");
	/* which of the two comes first is the compiler's choice */
	const struct rk_symbol *first = rk_elf_symbol(vmlinux->elf, "first_percpu");
	const struct rk_symbol *second = rk_elf_symbol(vmlinux->elf, "second_percpu");
	pos = position(symbols, vmlinux, first->value ? first : second);
	ok(pos.in_kallsyms && pos.sympos == 1, "a per-cpu variable is found");
	pos = position(symbols, vmlinux, first->value ? second : first);
	ok(!pos.in_kallsyms && pos.matches == 1, "address 0 can't be looked up");
	pos = position(symbols, vmlinux, rk_elf_symbol(vmlinux->elf, "kallsyms_names"));
	ok(!pos.in_kallsyms && pos.matches == 0, "not in the table");
	rk_symbols_close(symbols);
}

static const char mod_one[] =
	"__attribute__((noinline)) static int probe(int x) { return x * 3; }\n"
	"__attribute__((section(\".init.text\"), noinline)) static int setup(int x) { return x; }\n"
	"int one(int x) { return probe(x) + setup(x); }\n";
static const char mod_two[] =
	"__attribute__((noinline)) static int probe(int x) { return x * 5; }\n"
	"__attribute__((noinline)) static int setup(int x) { return x * 9; }\n"
	"static int seen; extern int elsewhere(int); extern int probe_all(void);\n"
	"int two(int x) { seen++; return probe(x) + setup(x) + elsewhere(x); }\n";

/* hardly any local of their own, and those with counters: the content of '__func__.0' says which is which */
#define NUMBERED(function)                                                                \
	"static volatile int id __asm__(\"__UNIQUE_ID_id5.1\") = 4;\n"                    \
	"static const volatile char name[] __asm__(\"__func__.0\") = \"" function "\";\n" \
	"int " function "(int x) { id++; return name[x]; }\n"
static const char numbered_a[] = NUMBERED("alpha");
static const char numbered_b[] = NUMBERED("gamma");

static void build_module(void)
{
	_cleanup_free_ char *one =
		kernelmake_compile(dir, "m/one.c", mod_one, KERNELMAKE_SHIPPED, NULL);
	_cleanup_free_ char *two =
		kernelmake_compile(dir, "m/two.c", mod_two, KERNELMAKE_SHIPPED, NULL);
	const char *const objects[] = {one, two, NULL};
	kernelmake_module(dir, "one-two.ko", objects);
	_cleanup_free_ char *a =
		kernelmake_compile(dir, "m/a.c", numbered_a, KERNELMAKE_SHIPPED, NULL);
	_cleanup_free_ char *b =
		kernelmake_compile(dir, "m/b.c", numbered_b, KERNELMAKE_SHIPPED, NULL);
	kernelmake_module(dir, "numbered.ko", (const char *const[]){a, b, NULL});
}

static void test_module_sympos(void)
{
	struct rk_symbols *symbols = open_symbols();
	struct rk_klp_object *module = NULL;
	if (!no_err(rk_symbols_object(symbols, "one_two", &module), "a module"))
		bail_out("no module");
	ok(!module->is_vmlinux, "is no vmlinux");
	struct rk_sympos pos = position(symbols, module, local(module, "probe", 1));
	ok(pos.sympos == 2 && pos.matches == 2 && !pos.unstable, "the second 'probe'");
	pos = position(symbols, module, local(module, "setup", 1));
	ok(pos.sympos == 2 && pos.unstable, "the first 'setup' goes with the init code");
	pos = position(symbols, module, local(module, "setup", 0));
	ok(pos.sympos == 1 && pos.unstable, "and can't be found when the module is live");
	pos = position(symbols, module, rk_elf_symbol(module->elf, "two"));
	ok(pos.sympos == 1 && pos.matches == 1 && !pos.unstable, "a global function");
	struct rk_klp_object *none = NULL;
	is_err_like(rk_symbols_object(symbols, "three", &none), RK_ERR_NOT_FOUND, "'three'",
		    "an unknown module");
	rk_symbols_close(symbols);
}

/*
 * Compiles source anew as an original and looks for its owner; checks that `mark` lies where it
 * does.
 */
static void owned(struct rk_symbols *symbols, const char *object, const char *file,
		  const char *source, const char *name, unsigned int nth)
{
	_cleanup_free_ char *path =
		kernelmake_compile(dir, file, source, KERNELMAKE_ORIGINAL, NULL);
	_cleanup_elf_ struct rk_elf *original = NULL;
	struct rk_owner owner;
	if (!no_err(rk_elf_open(path, RK_ELF_LOAD_ALL, &original), file) ||
	    !no_err(rk_symbols_owner(symbols, object, original, &owner), "has an owner"))
		return;
	const struct rk_symbol *want = local(owner.object, name, nth);
	ok(rk_owner_lookup(&owner, name) == want, "'%s' of '%s' is the right one", name, file);
	ok(rk_owner_lookup(&owner, "nothing") == NULL, "an unknown name");
}

static void test_owner(void)
{
	struct rk_symbols *symbols = open_symbols();
	owned(symbols, "vmlinux", "o/a/core.c", core_a, "helper", 0);
	owned(symbols, "vmlinux", "o/b/core.c", core_b, "helper", 1);
	owned(symbols, "vmlinux", "o/c/core.c", core_c, "helper", 2);
	owned(symbols, "vmlinux", "o/d/core.c", core_d, "state", 3);
	owned(symbols, "one_two", "o/m/one.c", mod_one, "probe", 0);
	owned(symbols, "one_two", "o/m/two.c", mod_two, "probe", 1);
	owned(symbols, "one_two", "o/m/two.c", mod_two, "setup", 1);

	owned(symbols, "numbered", "o/m/a.c", numbered_a, "__UNIQUE_ID_id5.1", 0);
	owned(symbols, "numbered", "o/m/b.c", numbered_b, "__UNIQUE_ID_id5.1", 1);

	/* a file without local symbols means global ones */
	_cleanup_free_ char *path =
		kernelmake_compile(dir, "o/plain.c", plain, KERNELMAKE_ORIGINAL, NULL);
	_cleanup_elf_ struct rk_elf *original = NULL;
	struct rk_owner owner;
	if (no_err(rk_elf_open(path, RK_ELF_LOAD_ALL, &original), "plain.c") &&
	    no_err(rk_symbols_owner(symbols, "vmlinux", original, &owner), "has an owner"))
		ok(rk_owner_lookup(&owner, "helper") == rk_elf_symbol(owner.object->elf, "helper"),
		   "the global 'helper'");
	rk_symbols_close(symbols);
}

static void not_owned(struct rk_symbols *symbols, const char *object, const char *file,
		      const char *source, enum rk_err_code code, const char *part)
{
	_cleanup_free_ char *path =
		kernelmake_compile(dir, file, source, KERNELMAKE_ORIGINAL, NULL);
	_cleanup_elf_ struct rk_elf *original = NULL;
	struct rk_owner owner;
	if (no_err(rk_elf_open(path, RK_ELF_LOAD_ALL, &original), file))
		is_err_like(rk_symbols_owner(symbols, object, original, &owner), code, part, part);
}

static void test_no_owner(void)
{
	struct rk_symbols *symbols = open_symbols();
	not_owned(symbols, "vmlinux", "n/other.c", core_a, RK_ERR_NOT_FOUND,
		  "'vmlinux' has no symbols of a file 'other.c'");
	not_owned(symbols, "vmlinux", "n/same.c", same, RK_ERR_MISMATCH, "'same.c' is ambiguous");
	not_owned(symbols, "vmlinux", "n/core.c",
		  "static int mine, yours; int f(int x) { return mine += x + yours++; }\n",
		  RK_ERR_MISMATCH,
		  "'core.c' isn't what the shipped 'vmlinux' was made from: 2 of its 2 local "
		  "names aren't there ('");
	not_owned(symbols, "one_two", "n/three.c",
		  "__attribute__((noinline)) static int probe(int x) { return x * 2; }\n"
		  "static int mine, yours; int f(int x) { return mine += probe(x) + yours++; }\n",
		  RK_ERR_MISMATCH,
		  "'three.c' isn't what the shipped 'one_two' was made from: 2 of its 3");
	rk_symbols_close(symbols);
}

int main(void)
{
	build_kernel();
	build_module();
	test_exports();
	test_bad_exports();
	test_vmlinux_sympos();
	test_module_sympos();
	test_owner();
	test_no_owner();
	rk_arena_deinit(&target.arena);
	return done_testing();
}
