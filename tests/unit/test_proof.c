// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The proof on a small kernel and a module: what is the same matches, and each kind of difference
 * is found, in the right function, and named. Originals are compiled from the shipped source or
 * from one in which one thing is changed.
 */
#include <string.h>

#include "lib/base/str.h"
#include "lib/target/proof.h"
#include "tests/unit/kernelmake.h"
#include "tests/unit/tap.h"

#define NOINLINE "__attribute__((noipa)) "

static const char unit_c[] =
	"int other(int), other2(int), shared_hook(int) __attribute__((weak));\n"
	"extern int maybe(int) __attribute__((weak));\n"
	"static int counter = 5, second = 6; static int array[4] = { 1, 2, 3, 4 };\n"
	"int percpu_value __attribute__((section(\"percpu\"))) = 4;\n"
	"static " NOINLINE "int near(int x) { return x * 11; }\n"
	"static " NOINLINE "int near2(int x) { return x * 13; }\n"
	"int tail(int x) { return near(x); }\n"
	"int loop(int n) { int s = 0; for (int i = 0; i < n; i++) { s += near2(i); "
	"if (s > 77) return near(s); } return s; }\n"
	"int calls(int x) { return other(x) + 1; }\n"
	"int data(int x) { return counter += x; }\n"
	"void set(int x) { second = x; } int get(void) { return counter; }\n"
	"int *end(void) { return array + 4; }\n"
	"int *before(int i) { return &array[i - 100]; }\n"
	"const char *text(void) { return \"one text\"; }\n"
	"int constant(int x) { return x + 0x1234; }\n"
	"int branch(int x) { if (x > 3) counter = 1; return x; }\n"
	"int read_percpu(void) { return percpu_value; }\n"
	"int optional(int x) { return maybe ? maybe(x) : x; }\n"
	"void *pointer(void) { return near2; }\n"
	"long literal(long x) { asm volatile(\"movq $near2, %0\" : \"=r\"(x)); return x; }\n"
	"double number(void);\n"
	"__attribute__((weak)) int hook(int x) { return x; }\n"
	"int shared_hook(int x) { return x; }\n"
	"int both(int x) { return near(x) + near2(x) + second; }\n";

static const char util_c[] = "int shared_hook(int) __attribute__((weak));\n"
			     "static int near(int x) { return x * 17; }\n"
			     "int other(int x) { return x * 3; }\n"
			     "int other2(int x) { return x * 5; }\n"
			     "int last(int x) { return near(x) * 2; }\n"
			     "int hook(int x) { return x * 9 + 5; }\n";
/* in front of unit.c: its shared_hook() is taken, though both are weak */
static const char first_c[] = "int shared_hook(int) __attribute__((weak));\n"
			      "static " NOINLINE "int mine(int x) { return x * 21; }\n"
			      "int shared_hook(int x) { return mine(x) - 8; }\n";

static struct rk_target target;
static struct rk_symbols *symbols;
static const char *dir;

static void build(void)
{
	dir = tap_tmpdir();
	_cleanup_free_ char *first =
		kernelmake_compile(dir, "first.c", first_c, KERNELMAKE_SHIPPED, NULL);
	_cleanup_free_ char *unit =
		kernelmake_compile(dir, "unit.c", unit_c, KERNELMAKE_SHIPPED, NULL);
	_cleanup_free_ char *util =
		kernelmake_compile(dir, "util.c", util_c, KERNELMAKE_SHIPPED, NULL);
	const char *const objects[] = {first, unit, util, NULL};
	free(kernelmake_link(dir, objects));
	const char *const module[] = {first, unit, NULL};
	kernelmake_module(dir, "small.ko", module);
	kernelmake_target(dir, "", &target);
	if (!no_err(rk_symbols_open(&target, &symbols), "opens"))
		bail_out("no symbols");
}

/* Compiles source as the original of unit.c and proves it against object. */
static struct rk_proof *prove(const char *object, const char *source, const char *option,
			      struct rk_elf **ret_original)
{
	struct rk_proof *proof = NULL;
	struct rk_owner owner;
	_cleanup_free_ char *path =
		kernelmake_compile(dir, "o/unit.c", source, KERNELMAKE_ORIGINAL, option);
	if (!no_err(rk_elf_open(path, RK_ELF_LOAD_ALL, ret_original), "original") ||
	    !no_err(rk_symbols_owner(symbols, object, *ret_original, &owner), "owner") ||
	    !no_err(rk_proof_run("unit.c", &owner, *ret_original, &proof), "proof"))
		bail_out("no proof");
	return proof;
}

static void show(const struct rk_proof *proof)
{
	rk_vec_for_each(&proof->functions, e)
		if (e->verdict != RK_PROOF_MATCHED)
			diag("%s %s+0x%llx: %s; %s; %s", rk_proof_verdict_name(e->verdict),
			     e->function, (unsigned long long)e->offset, e->reason,
			     e->ours ? e->ours : "-", e->theirs ? e->theirs : "-");
}

static void test_same(const char *object, size_t overridden)
{
	_cleanup_elf_ struct rk_elf *original = NULL;
	struct rk_proof *proof = prove(object, unit_c, NULL, &original);

	is_str(proof->unit, "unit.c", "names its unit");
	is_str(proof->object, object, "and its object");
	is_int((long long)proof->differing, 0, "nothing differs");
	is_int((long long)proof->absent, 0, "nothing is missing");
	is_int((long long)proof->overridden, (long long)overridden, "overridden weak functions");
	is_int((long long)(proof->matched + proof->overridden), (long long)proof->functions.nr,
	       "all others match");
	const struct rk_proof_entry *e = rk_proof_find(proof, "tail");
	ok(e && e->verdict == RK_PROOF_MATCHED && e->relaxed && e->nr_relocs == 1,
	   "a jump that is only wider matches");
	e = rk_proof_find(proof, "calls");
	ok(e && e->verdict == RK_PROOF_MATCHED && !e->relaxed && e->nr_relocs == 1,
	   "a call matches");
	ok(e && strcmp(e->shipped->name, "calls") == 0, "and shows its shipped twin");
	ok(!rk_proof_find(proof, "other"), "no function of this unit");
	show(proof);
	rk_proof_free(proof);
}

static void test_overridden(void)
{
	_cleanup_elf_ struct rk_elf *original = NULL;
	struct rk_proof *proof = prove("vmlinux", unit_c, NULL, &original);
	const struct rk_proof_entry *e = rk_proof_find(proof, "hook");

	ok(e && e->verdict == RK_PROOF_OVERRIDDEN, "a strong definition elsewhere wins");
	e = rk_proof_find(proof, "shared_hook");
	ok(e && e->verdict == RK_PROOF_OVERRIDDEN, "a weak one of a file in front wins");
	rk_proof_free(proof);
}

/* The shipped source with one piece replaced. */
static char *changed(const char *piece, const char *with)
{
	const char *at = strstr(unit_c, piece);
	if (!at)
		bail_out("'%s' isn't in the source", piece);
	return rk_asprintf("%.*s%s%s", (int)(at - unit_c), unit_c, with, at + strlen(piece));
}

/* Replaces piece; exactly function differs then, with this reason. */
static void differs(const char *object, const char *piece, const char *with, const char *function,
		    const char *reason)
{
	_cleanup_free_ char *source = changed(piece, with);
	_cleanup_elf_ struct rk_elf *original = NULL;
	struct rk_proof *proof = prove(object, source, NULL, &original);
	const struct rk_proof_entry *e = rk_proof_find(proof, function);

	is_int((long long)proof->differing, 1, "one function differs");
	if (ok(e && e->verdict == RK_PROOF_DIFFERS, "'%s' of '%s' differs", function, object)) {
		ok(rk_has_prefix(e->reason, reason), "for this reason: %s", e->reason);
		ok(e->ours && e->theirs && strcmp(e->ours, e->theirs) != 0, "%s; shipped: %s",
		   e->ours, e->theirs);
	} else {
		show(proof);
	}
	rk_proof_free(proof);
}

static void test_differences(const char *object)
{
	differs(object, "other(x) + 1", "other2(x) + 1", "calls",
		"calls 'other2', shipped calls 'other'");
	differs(object, "counter += x", "second += x", "data",
		"refers to 'second', shipped refers to 'counter'");
	differs(object, "{ return array + 4", "{ return array + 3", "end",
		"refers to 'array'+12, shipped refers to '");
	differs(object, "{ return near2; }", "{ return near; }", "pointer",
		"refers to 'near', shipped refers to 'near2'");
	/* a module's field is empty, so that only its relocation shows that it means something */
	differs(object, "$near2", "$0", "literal", "other code at +0x");
	differs(object, "0x1234", "0x1235", "constant", "other code at +0x0");
	differs(object, "x > 3", "x > 4", "branch", "other code at +0x");
	differs(object, "x + 0x1234", "x * x + 0x1234", "constant", "size 10, shipped 7");
	/* the shipped jump is short, ours is wide, and they go to different places */
	differs(object, "tail(int x) { return near(x)", "tail(int x) { return near2(x)", "tail",
		"size 5, shipped 2");
}

static void test_text(const char *object)
{
	_cleanup_free_ char *source = changed("one text", "two text");
	_cleanup_elf_ struct rk_elf *original = NULL;
	struct rk_proof *proof = prove(object, source, NULL, &original);
	const struct rk_proof_entry *e = rk_proof_find(proof, "text");

	ok(e && e->verdict == RK_PROOF_DIFFERS, "a string's content counts");
	is_str(e ? e->ours : NULL, "\"two text\"", "it is shown");
	is_int((long long)proof->differing, 1, "for its function only");
	rk_proof_free(proof);
}

static void test_absent(void)
{
	_cleanup_free_ char *source = changed(
		"double number(void);",
		"__attribute__((section(\".exit.text\"))) int leave(void) { return 1; }\n" NOINLINE
		"static int fresh(int x) { return x; } int fresher(int x) { return fresh(x); }");
	_cleanup_elf_ struct rk_elf *original = NULL;
	struct rk_proof *proof = prove("vmlinux", source, NULL, &original);
	const struct rk_proof_entry *e = rk_proof_find(proof, "leave");

	ok(e && e->verdict == RK_PROOF_DISCARDED && !e->shipped, "exit code may be left out");
	e = rk_proof_find(proof, "fresh");
	ok(e && e->verdict == RK_PROOF_ABSENT && !e->shipped, "a local function isn't there");
	is_str(e ? e->reason : NULL, "not in the shipped binary", "and it is said");
	e = rk_proof_find(proof, "fresher");
	ok(e && e->verdict == RK_PROOF_ABSENT, "nor is a global one");
	is_int((long long)proof->absent, 2, "counted");
	is_int((long long)proof->discarded, 1, "apart from each other");
	rk_proof_free(proof);
}

/* "util.c" has a static near() of its own: it must not be taken for ours. */
static void test_wrong_compiler(const char *option)
{
	_cleanup_elf_ struct rk_elf *original = NULL;
	struct rk_proof *proof = prove("vmlinux", unit_c, option, &original);

	ok(proof->differing > 0, "%s is found out: %zu of %zu functions differ", option,
	   proof->differing, proof->functions.nr);
	rk_vec_for_each(&proof->functions, e)
		ok(e->verdict == RK_PROOF_MATCHED || e->reason, "'%s' has a reason or none is due",
		   e->function);
	rk_proof_free(proof);
}

static void test_names(void)
{
	is_str(rk_proof_verdict_name(RK_PROOF_MATCHED), "matched", "matched");
	is_str(rk_proof_verdict_name(RK_PROOF_DIFFERS), "differs", "differs");
	is_str(rk_proof_verdict_name(RK_PROOF_ABSENT), "absent", "absent");
	is_str(rk_proof_verdict_name(RK_PROOF_OVERRIDDEN), "overridden", "overridden");
	is_str(rk_proof_verdict_name(RK_PROOF_DISCARDED), "discarded", "discarded");
}

int main(void)
{
	build();
	test_names();
	test_same("vmlinux", 2);
	test_same("small", 1);
	test_overridden();
	test_differences("vmlinux");
	test_differences("small");
	test_text("vmlinux");
	test_text("small");
	test_absent();
	test_wrong_compiler("-O1");
	test_wrong_compiler("-fstack-protector-all");
	rk_symbols_close(symbols);
	rk_arena_deinit(&target.arena);
	return done_testing();
}
