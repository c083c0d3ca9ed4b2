// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Linking on a small kernel: what every name of new code becomes, and what can't be had. Each case compiles a unit twice,
 * diffs and links it, and holds the plan and the findings against tests/golden/link/<case>.txt (UPDATE_GOLDEN=1 renews them).
 */
#include <elf.h>
#include <errno.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/process.h"
#include "lib/patch/link.h"
#include "tests/unit/kernelmake.h"
#include "tests/unit/tap.h"

#define GOLDEN_DIR "tests/golden/link"

/* What every unit is compiled with, and what it may include. */
static const char prologue[] = "#include \"kernel.h\"\n";

/* Entries and things that the units use: exported, in a namespace, hidden. */
static const char lib_c[] = "void notrace __fentry__(void) {}\n"
			    "int state = 5; struct static_key shared_key;\n"

			    "int work(int x) { return x * state; }\n"
			    "int printk(const char *f, ...) { return *f; }\n"
			    "int spaced(int x) { return x - 1; }\n"
			    "int hidden(int x) { return x + 1; }\n"
			    "int chosen(int x) { return x + 2; }\n"
			    "int __SCT__shared(int x) { return x; } long __SCK__shared;\n";
/* a namesake of what core.c has, so that positions count */
static const char twin_c[] = "static int count = 3;\n"
			     "static noinline int helper(int x) { return work(x) - count++; }\n"
			     "int twin_entry(int x) { return helper(x) + 1; }\n";
/* the unit that most cases patch */
static const char core_c[] = "extern int state; int hidden(int x), spaced(int x), chosen(int x);\n"
			     "void *klp_shadow_alloc(void *data);\n"
			     "static int count = 3;\n"
			     "static noinline int helper(int x) { return work(x) + count++; }\n"
			     "int __weak chosen(int x) { return x; }\n"
			     "int (*handler)(int);\n"
			     "int __init noinline setup(int x) { return x; }\n"
			     "int core_entry(int x) { return helper(x) + 2; }\n"
			     "int core_second(int x) { return core_entry(x) + chosen(x); }\n";
/* functions that share a section, with unwind data by hand: places, and states of six bytes each */
static const char sched_c[] =
	"__sched noinline int first(int x) { return work(x) + 1; }\n"
	"__sched noinline int second(int x) { return first(x) * 2; }\n"
	"__sched int third(int x) { return second(x) + second(x + 1); }\n"
	"asm(TABLE(\".orc_unwind_ip\", \"a\", \".long first - .\\n.long first + 9 - .\\n\"\n"
	"	\".long second + 9 - .\\n.long third + 5 - .\")\n"
	"    TABLE(\".orc_unwind\", \"a\", \".byte 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2\\n\"\n"
	"	\".byte 3, 3, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4\"));\n";
/* a part that is split off as unlikely, and a function that can't be redirected itself */
static const char parts_c[] = "int printk(const char *f, ...); void __cold fatal(int x);\n"
			      "static notrace noinline int plain(int x) { return work(x) + 3; }\n"
			      "int parts_entry(int x) { if (unlikely(x < 0)) fatal(x + 5); "
			      "return work(x) - 6; }\n"
			      "int plain_entry(int x) { return plain(x) * 7; }\n"
			      "static void *used; void use(void *data) { used = data; }\n"
			      "void *klp_shadow_alloc(void *data) { return data; }\n";
/* modules */
static const char one_c[] =
	"static const char depends[] __used __section(\".modinfo\") = \"depends=two\";\n"
	"int two_entry(int x), one_other(int x, int y);\n"
	"struct static_key one_key; int __SCT__one(int x) { return x; } long __SCK__one;\n"
	"struct static_key __tracepoint_one; extern struct static_key shared_key;\n"
	"static int inner_state = 1;\n"
	"static noinline int inner(int x) { return two_entry(x) + inner_state++; }\n"
	"int one_entry(int x) { return inner(x) * 2; }\n"
	"int one_shared(int x) { return inner(x) - 2; }\n";
static const char one_b_c[] = "int one_shared(int x);\n"
			      "int one_other(int x, int y) { return one_shared(x) + y; }\n";
static const char two_c[] = "static const char depends[] __used __section(\".modinfo\") = "
			    "\"depends=absent,far-off\";\n"
			    "int two_entry(int x) { return work(x) / 2; }\n"
			    "int two_hidden(int x) { return x / 3; }\n";
static const char far_c[] = "int far_entry(int x) { return work(x) / 6; }\n";
static const char three_c[] = "int three_entry(int x) { return work(x) / 4; }\n";

/* a module with an exported name of its own, and two functions of one name, of which init code goes */
static const char four_c[] = "noinline int printk(const char *f, ...) { return f[1]; }\n"
			     "static __init noinline int dup(int x) { return x * 7; }\n"
			     "int __init four_setup(int x) { return dup(x); }\n"
			     "int four_entry(int x) { return work(x) / 5; }\n";
static const char four_b_c[] = "static noinline int dup(int x) { return work(x) * 9; }\n"
			       "int four_other(int x) { return dup(x) + 1; }\n";

static const char symvers[] = "0x00000010\t__fentry__\tvmlinux\tEXPORT_SYMBOL\t\n"
			      "0x00000011\twork\tvmlinux\tEXPORT_SYMBOL\t\n"
			      "0x00000012\tprintk\tvmlinux\tEXPORT_SYMBOL\t\n"
			      "0x00000013\tspaced\tvmlinux\tEXPORT_SYMBOL_GPL\tSPACE\n"
			      "0x00000021\ttwo_entry\tlib/two\tEXPORT_SYMBOL\t\n"
			      "0x00000031\tthree_entry\tlib/three\tEXPORT_SYMBOL\t\n"
			      "0x00000041\tfar_entry\tlib/far-off\tEXPORT_SYMBOL\t\n";

static struct rk_target target;
static const char *dir;
static char *flags; /* "@file": more options than kernelmake_compile() takes */
static bool is_gcc12;

static char *compile(const char *file, const char *source, enum kernelmake_kind kind)
{
	_cleanup_free_ char *text = rk_asprintf("%s%s", prologue, source);
	return kernelmake_compile(dir, file, text, kind, flags);
}

static void write_flags(void)
{
	_cleanup_free_ char *include = rk_path_join(getenv("RK_SOURCE_ROOT"), "tests/golden");
	_cleanup_free_ char *text =
		rk_asprintf("-g -mfentry -pg -mrecord-mcount -falign-functions=16 -I%s\n", include);
	_cleanup_free_ char *path = rk_path_join(dir, "flags");
	if (!no_err(rk_fs_write(path, text, strlen(text), 0666), "flags"))
		bail_out("no flags");
	flags = rk_asprintf("@%s", path);
}

static void build_kernel(void)
{
	dir = tap_tmpdir();
	write_flags();
	_cleanup_free_ char *lib = compile("lib.c", lib_c, KERNELMAKE_SHIPPED);
	_cleanup_free_ char *twin = compile("a/core.c", twin_c, KERNELMAKE_SHIPPED);
	_cleanup_free_ char *core = compile("b/core.c", core_c, KERNELMAKE_SHIPPED);
	_cleanup_free_ char *sched = compile("sched.c", sched_c, KERNELMAKE_SHIPPED);
	_cleanup_free_ char *one = compile("one.c", one_c, KERNELMAKE_SHIPPED);
	_cleanup_free_ char *one_b = compile("one_b.c", one_b_c, KERNELMAKE_SHIPPED);
	_cleanup_free_ char *two = compile("two.c", two_c, KERNELMAKE_SHIPPED);
	_cleanup_free_ char *three = compile("three.c", three_c, KERNELMAKE_SHIPPED);
	_cleanup_free_ char *far = compile("far.c", far_c, KERNELMAKE_SHIPPED);
	_cleanup_free_ char *four = compile("four.c", four_c, KERNELMAKE_SHIPPED);
	_cleanup_free_ char *four_b = compile("four_b.c", four_b_c, KERNELMAKE_SHIPPED);
	_cleanup_free_ char *parts = compile("parts.c", parts_c, KERNELMAKE_SHIPPED);
	_cleanup_free_ char *fatal =
		compile("fatal.c", "void fatal(int x) { work(x); }\n", KERNELMAKE_SHIPPED);
	const char *const objects[] = {lib, twin, core, sched, parts, fatal, NULL};
	free(kernelmake_link(dir, objects));
	kernelmake_module(dir, "one.ko", (const char *const[]){one, one_b, NULL});
	kernelmake_module(dir, "two.ko", (const char *const[]){two, NULL});
	kernelmake_module(dir, "far-off.ko", (const char *const[]){far, NULL});
	kernelmake_module(dir, "three.ko", (const char *const[]){three, NULL});
	kernelmake_module(dir, "four.ko", (const char *const[]){four, four_b, NULL});
	kernelmake_target(dir, symvers, &target);
}

/* The code and addresses of the plans are gcc 12's. */
static bool find_gcc12(void)
{
	const char *const argv[] = {"gcc", "-dumpversion", NULL};
	struct rk_process_spec spec = {.argv = argv, .timeout_ms = 10000};
	_cleanup_process_result_ struct rk_process_result res = {};
	if (!no_err(rk_process_check(&spec, &res), "gcc"))
		bail_out("no gcc");
	return rk_has_prefix(rk_str_get(&res.output), "12");
}

static void is_golden(const char *got, const char *name)
{
	_cleanup_free_ char *file = rk_asprintf("%s/%s.txt", GOLDEN_DIR, name);
	_cleanup_free_ char *path = rk_path_join(getenv("RK_SOURCE_ROOT"), file);
	_cleanup_free_ char *want = NULL;
	size_t size;

	if (!is_gcc12) {
		skip(name, "needs gcc 12, which the expected output is of");
		return;
	}
	const char *update = getenv("UPDATE_GOLDEN");
	if (update && rk_streq(update, "1"))
		no_err(rk_fs_write(path, got, strlen(got), 0666), "written");
	if (no_err(rk_fs_read(path, 1 << 20, &want, &size), file))
		is_str(got, want, name);
}

/* One unit of a case. Without an own original it is the shipped source. */
struct source {
	const char *file, *object;
	const char *original, *patched;
};

struct unit {
	struct rk_elf *orig, *patched;
	struct rk_diff *diff;
	struct rk_owner owner;
	struct rk_proof *proof;
};

static struct rk_elf *compiled(const char *file, const char *source)
{
	_cleanup_free_ char *path = compile(file, source, KERNELMAKE_ORIGINAL);
	struct rk_elf *elf = NULL;
	if (!no_err(rk_elf_open(path, RK_ELF_LOAD_ALL, &elf), file))
		bail_out("no object");
	return elf;
}

static void open_unit(struct rk_symbols *symbols, const struct source *source, struct unit *u)
{
	_cleanup_free_ char *patched = rk_asprintf("patched/%s", source->file);
	u->orig = compiled(source->file, source->original);
	u->patched = compiled(patched, source->patched);
	if (!no_err(rk_diff_create(source->file, source->object, u->orig, u->patched, &u->diff),
		    "diff") ||
	    !no_err(rk_symbols_owner(symbols, source->object, u->orig, &u->owner), "owner") ||
	    !no_err(rk_proof_run(source->file, &u->owner, u->orig, &u->proof), "proof"))
		bail_out("no unit '%s'", source->file);
}

static void close_unit(struct unit *u)
{
	rk_proof_free(u->proof);
	rk_diff_free(u->diff);
	rk_elf_close(u->orig);
	rk_elf_close(u->patched);
}

static void add_findings(struct rk_str *out, struct rk_findings *findings)
{
	rk_findings_sort(findings);
	rk_vec_for_each(&findings->list, f)
		rk_str_addf(out, "%s %s %s: %s\n", rk_severity_name(f->severity),
			    rk_finding_code_name(f->code), f->symbol ? f->symbol : "-", f->text);
}

/* What linking promises the module writer. */
static bool has_own(const struct rk_plan *plan, const char *object, const char *name)
{
	rk_vec_for_each(&plan->symbols, symbol)
		if ((*symbol)->kind == RK_PLAN_DEFINED && rk_streq((*symbol)->name, name) &&
		    rk_streq((*symbol)->section->object, object))
			return true;
	return false;
}

static bool means_own(const struct rk_plan *plan)
{
	rk_vec_for_each(&plan->sections, section)
		rk_vec_for_each(&(*section)->relocs, reloc) {
			const struct rk_plan_symbol *symbol = reloc->symbol;
			const char *object = (*section)->object;
			if (symbol->kind == RK_PLAN_DEFINED && symbol->type == STT_FUNC &&
			    ((*section)->flags & SHF_EXECINSTR) &&
			    !rk_streq(symbol->section->object, object) &&
			    has_own(plan, object, symbol->name))
				return false;
		}
	return true;
}

static void check_plan(const struct rk_plan *plan, const char *name)
{
	bool placed = true, inside = true;
	rk_vec_for_each(&plan->symbols, symbol) {
		bool found = (*symbol)->kind != RK_PLAN_DEFINED;
		rk_vec_for_each(&plan->sections, section)
			found |= *section == (*symbol)->section &&
				 (*symbol)->value + (*symbol)->size <= (*section)->size;
		placed &= found;
	}
	rk_vec_for_each(&plan->sections, section)
		rk_vec_for_each(&(*section)->relocs, reloc)
			inside &= reloc->symbol && reloc->offset < (*section)->size;
	ok(means_own(plan), "%s: of two symbols of a name, code means its own object's", name);
	ok(placed, "%s: each symbol is in a section of the plan", name);
	ok(inside, "%s: each relocation is in its section and has a symbol", name);
}

#define UNITS_MAX 3

static void link_case(const char *name, const struct source *sources, size_t nr)
{
	struct rk_symbols *symbols = NULL;
	struct unit units[UNITS_MAX] = {};
	struct rk_link_unit list[UNITS_MAX] = {};
	struct rk_findings findings = {};
	struct rk_plan *plan = NULL;
	_cleanup_str_ struct rk_str out = RK_STR_INIT;
	_cleanup_free_ char *dump = NULL;

	if (!no_err(rk_symbols_open(&target, &symbols), name))
		bail_out("no symbols");
	for (size_t i = 0; i < nr; i++) {
		open_unit(symbols, &sources[i], &units[i]);
		list[i] = (struct rk_link_unit){
			.diff = units[i].diff, .owner = &units[i].owner, .proof = units[i].proof};
	}
	if (no_err(rk_link(symbols, list, nr, &findings, &plan), name)) {
		check_plan(plan, name);
		no_err(rk_plan_dump(plan, &dump), "dump");
		rk_str_add(&out, dump);
		add_findings(&out, &findings);
		is_golden(rk_str_get(&out), name);
	}
	rk_plan_free(plan);
	rk_findings_deinit(&findings);
	for (size_t i = 0; i < nr; i++)
		close_unit(&units[i]);
	rk_symbols_close(symbols);
}

/* text with each pair's first string replaced by its second, which ends with NULL. */
static char *edit(const char *text, const char *const *pairs)
{
	char *now = strdup(text);
	for (; pairs[0]; pairs += 2) {
		char *at = strstr(now, pairs[0]);
		if (!at)
			bail_out("no '%s' to edit", pairs[0]);
		*at = '\0';
		char *next = rk_asprintf("%s%s%s", now, pairs[1], at + strlen(pairs[0]));
		free(now);
		now = next;
	}
	return now;
}

#define EDITS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* A unit of the kernel and how it is patched: pairs as edit() takes them. */
struct patched_unit {
	const char *file, *object, *original;
	const char *const *pairs;
};

#define CORE(...)                                                 \
	{                                                         \
		"b/core.c", "vmlinux", core_c, EDITS(__VA_ARGS__) \
	}
#define SCHED(...)                                                \
	{                                                         \
		"sched.c", "vmlinux", sched_c, EDITS(__VA_ARGS__) \
	}
#define ONE(...)                                          \
	{                                                 \
		"one.c", "one", one_c, EDITS(__VA_ARGS__) \
	}
#define TWO(...)                                          \
	{                                                 \
		"two.c", "two", two_c, EDITS(__VA_ARGS__) \
	}
#define ONE_B(...)                                            \
	{                                                     \
		"one_b.c", "one", one_b_c, EDITS(__VA_ARGS__) \
	}

static void patch_units(const char *name, const struct patched_unit *units, size_t nr)
{
	struct source sources[UNITS_MAX];
	char *patched[UNITS_MAX];

	for (size_t i = 0; i < nr; i++) {
		patched[i] = edit(units[i].original, units[i].pairs);
		sources[i] = (struct source){units[i].file, units[i].object, units[i].original,
					     patched[i]};
	}
	link_case(name, sources, nr);
	for (size_t i = 0; i < nr; i++)
		free(patched[i]);
}

#define PATCH(name, ...)                                                 \
	patch_units(name, (const struct patched_unit[]){__VA_ARGS__},    \
		    sizeof((const struct patched_unit[]){__VA_ARGS__}) / \
			    sizeof(struct patched_unit))

static void test_vmlinux(void)
{
	/* an export, one with a namespace, a hidden global, locals that have namesakes, new data, a literal used twice */
	PATCH("symbols", CORE("return helper(x) + 2",
			      "static int calls; calls++; printk(\"one\\n\"); printk(\"two\\n\"); "
			      "return helper(x) + hidden(x) + spaced(x) + count + state"));
	PATCH("replaced-pointer",
	      CORE("(*handler)(int)", "(*handler)(int), core_second(int x)", "return helper(x) + 2",
		   "handler = core_second; return core_second(x)", "core_entry(x) + chosen",
		   "core_entry(x) - chosen"));
	PATCH("unresolved", CORE("int hidden", "int nowhere(int x), three_entry(int x), hidden",
				 "return helper(x) + 2", "return nowhere(x) + three_entry(x) + 2"));
	/* the strong one of lib.c is what runs: it is called, not a copy of the weak one */
	PATCH("overridden-weak",
	      CORE("return x; }\nint (*handler)", "return x + 3; }\nint (*handler)",
		   "core_entry(x) + chosen", "core_entry(x) - chosen"));
	PATCH("init", CORE("return helper(x) + 2", "return setup(helper(x))"));
	PATCH("empty-key", CORE("return helper(x) + 2",
				"static struct { } __key; printk(&__key); return helper(x)"));
	PATCH("static-key-and-call",
	      CORE("int hidden", "extern struct static_key shared_key; int hidden",
		   "return helper(x) + 2",
		   "if (static_branch(&shared_key)) static_call(shared); return helper(x)"));
}

static void test_mismatch(void)
{
	_cleanup_free_ char *original =
		edit(core_c, EDITS("work(x) + count++", "work(x) * count++"));
	_cleanup_free_ char *patched =
		edit(original, EDITS("return helper(x) + 2", "return helper(x) + 4"));
	const struct source used = {"b/core.c", "vmlinux", original, patched};
	link_case("mismatch-used", &used, 1);
	_cleanup_free_ char *changed =
		edit(original, EDITS("work(x) * count++", "work(x) ^ count++"));
	const struct source replaced = {"b/core.c", "vmlinux", original, changed};
	link_case("mismatch-replaced", &replaced, 1);
	_cleanup_free_ char *more =
		edit(core_c, EDITS("int core_entry",
				   "int gone(int x) { return work(x); }\nint core_entry"));
	_cleanup_free_ char *absent =
		edit(more, EDITS("return work(x); }", "return work(x) + 1; }"));
	const struct source missing = {"b/core.c", "vmlinux", more, absent};
	link_case("absent", &missing, 1);
}

/* What goes with a replaced function must be what the kernel runs as well. */
static void test_mismatch_beside(void)
{
	_cleanup_free_ char *cold = edit(parts_c, EDITS("x + 5", "x + 9"));
	_cleanup_free_ char *warm = edit(cold, EDITS("work(x) - 6", "work(x) - 8"));
	const struct source part = {"parts.c", "vmlinux", cold, warm};
	link_case("mismatch-cold", &part, 1);
	_cleanup_free_ char *plain = edit(parts_c, EDITS("work(x) + 3", "work(x) + 4"));
	_cleanup_free_ char *fixed = edit(plain, EDITS("work(x) + 4", "work(x) + 12"));
	const struct source carried = {"parts.c", "vmlinux", plain, fixed};
	link_case("mismatch-carried", &carried, 1);
}

static void test_module(void)
{
	PATCH("module",
	      ONE("int two_entry",
		  "int hidden(int x), far_entry(int x); extern int state; int two_entry",
		  "return inner(x) * 2",
		  "static int calls = 1; calls++; printk(\"calls\\n\"); "
		  "return inner(x) + hidden(x) + work(x) + two_entry(x) + far_entry(x) + one_other(x, state)"));
	PATCH("module-other-module",
	      ONE("int two_entry", "int two_hidden(int x), three_entry(int x), two_entry",
		  "return inner(x) * 2", "return three_entry(x) + two_hidden(x)"));
	PATCH("module-static-key",
	      ONE("return inner(x) * 2",
		  "return static_branch(&one_key) ? inner(x) : static_branch(&shared_key)"));
	PATCH("module-static-call",
	      ONE("return inner(x) * 2", "static_call(one); static_call(shared); return inner(x)"));
	PATCH("module-tracepoint",
	      ONE("return inner(x) * 2", "return static_branch(&__tracepoint_one) ? inner(x) : 1"));
}

/* Both units are in the plan, so that a new global of one can be used by the other. */
static void test_two_units(void)
{
	PATCH("two-units",
	      CORE("int core_entry", "int fresh(int x) { return work(x) + 7; }\nint core_entry"),
	      ONE("int two_entry", "int fresh(int x), two_entry", "return inner(x) * 2",
		  "return inner(x) * 2 + fresh(x)"));
}

/* vmlinux and a module get a global of one name: code of the module means its own. */
static void test_two_globals(void)
{
	PATCH("two-globals",
	      ONE("int two_entry", "int fresh(int x), two_entry", "return inner(x) * 2",
		  "return inner(x) * 2 + fresh(x)"),
	      ONE_B("int one_other", "int fresh(int x) { return x * 11; }\nint one_other"),
	      CORE("int core_entry", "int fresh(int x) { return work(x) + 7; }\nint core_entry"));
}

/* A static that the fix makes global for another unit; twin.c has one of the same name. */
static void test_widened(void)
{
	PATCH("widened", CORE("static noinline int helper", "int helper(int); noinline int helper"),
	      SCHED("__sched noinline int first(int x) { return work(x) + 1",
		    "int helper(int);\n"
		    "__sched noinline int first(int x) { return helper(x)"));
}

/* Callers outside the patch go on calling the old one, which must lead to the new one. */
static void test_moves(void)
{
	PATCH("moved", CORE("int core_second(int x) { return core_entry(x) + chosen(x); }\n", ""),
	      SCHED("asm(TABLE(\".orc_unwind_ip\"",
		    "int core_second(int x) { return work(x) - 1; }\n"
		    "asm(TABLE(\".orc_unwind_ip\""));
	PATCH("moved-data", CORE("int (*handler)(int);\n", ""),
	      SCHED("__sched noinline int first(int x) { return work(x) + 1",
		    "int (*handler)(int);\n"
		    "__sched noinline int first(int x) { return handler(x)"));
}

static void test_own_names(void)
{
	/* the module's own printk(), not the kernel's, which it hides */
	_cleanup_free_ char *four =
		edit(four_c, EDITS("work(x) / 5", "work(x) / 5 + printk(\"x\")"));
	const struct source own = {"four.c", "four", four_c, four};
	link_case("module-own-export", &own, 1);
	/* which of two it is changes when the init code goes */
	_cleanup_free_ char *other = edit(four_b_c, EDITS("dup(x) + 1", "dup(x) + 2"));
	const struct source ambiguous = {"four_b.c", "four", four_b_c, other};
	link_case("ambiguous", &ambiguous, 1);
	/* a local function that this kernel doesn't have isn't the other file's global of that name */
	_cleanup_free_ char *original = edit(
		four_b_c, EDITS("int four_other", "static noinline int hidden(int x) "
						  "{ return work(x) + 8; }\nint four_two(int x) "
						  "{ return hidden(x); }\nint four_other"));
	_cleanup_free_ char *patched = edit(original, EDITS("dup(x) + 1", "hidden(x) + 1"));
	const struct source local = {"four_b.c", "four", original, patched};
	link_case("local-not-shipped", &local, 1);
}

/* Nothing of the module is redirected; new code for it needs its symbols, and is used by code of others that depend on it, or don't. */
static void test_only_new(void)
{
	PATCH("module-needed",
	      ONE("return inner(x) * 2", "int two_new(int x); return inner(x) * 2 + two_new(x)"),
	      TWO("int two_hidden", "int two_new(int x) { return two_hidden(x) + 1; }\n"
				    "int two_hidden"));
	PATCH("module-absent",
	      TWO("return work(x) / 2", "int one_new(int x); return work(x) / 2 + one_new(x)"),
	      ONE("int one_shared", "int one_new(int x) { return inner(x) + 1; }\nint one_shared"));
	PATCH("module-absent-unneeded",
	      TWO("return work(x) / 2", "int one_new(int x); return work(x) / 2 + one_new(x)"),
	      ONE("int one_shared", "int one_new(int x) { return work(x) + 1; }\nint one_shared"));
	PATCH("module-only-new", CORE("return helper(x) + 2", "return helper(x) + 3"),
	      ONE("int one_shared", "int one_new(int x) { return inner(x) + 1; }\nint one_shared"));
}

/* Sections of a kept name: of the kernel and a module they don't mix; what the module loader reads can't wait for the module. */
static void test_sections(void)
{
	PATCH("kept-sections",
	      CORE("int core_second",
		   "static int fresh __read_mostly = 1; int __sched noinline kept(int x) "
		   "{ return work(x) + fresh++; }\nint core_second",
		   "core_entry(x) + chosen", "kept(x) + chosen"),
	      ONE("int one_shared",
		  "static int fresh __read_mostly = 1; int __sched noinline kept_one(int x) "
		  "{ return inner(x) + fresh++; }\nint one_shared",
		  "inner(x) - 2", "kept_one(x) - 2"));
	PATCH("module-special-section",
	      ONE("return inner(x) * 2",
		  "static int *where __used __section(\"__dyndbg\") = &inner_state; "
		  "return inner(x) + *where"));
}

/* The caller in the other unit of the module isn't in the patch; that of the same unit is compiled anew. */
static void test_prototype(void)
{
	PATCH("prototype-module", ONE("int one_shared(int x) {", "int one_shared(long x) {"));
	PATCH("prototype-static", ONE("int inner(int x) {", "int inner(long x) {",
				      "two_entry(x) + inner", "two_entry(x) - inner"));
	/* the linked kernel of this test keeps no relocations, from which callers would be known */
	PATCH("prototype-no-relocations",
	      CORE("int core_second(int x) {", "int core_second(long x) {"));
}

/* The caller in the other unit was compiled with the new prototype, and its code is the same. */
static void test_prototype_compiled(void)
{
	PATCH("prototype-compiled", ONE("int one_shared(int x) {", "long one_shared(int x) {"),
	      ONE_B("int one_shared(int x);", "long one_shared(int x);"));
}

/* The state at the start of second() was written down for first(), with which it shares a section. */
static void test_orc(void)
{
	PATCH("orc", SCHED("* 2", "* 3"));
}

/* Callbacks of vmlinux and of a module of which nothing is redirected, states and ids in order; then what can't be. */
static void test_marks(void)
{
	static const char core_marks[] =
		"extern long rk_patch; static int pre(void *o) { use(&rk_patch); return 0; }\n"
		"static void post(void *o) { klp_shadow_alloc(o); }\n"
		"MARK(.kind = KPATCH_MARK_POST_PATCH, .subject = post);\n"
		"MARK(.kind = KPATCH_MARK_PRE_PATCH, .subject = pre);\n"
		"MARK(.kind = KPATCH_MARK_STATE, .id = 9, .version = 3);\n"
		"MARK(.kind = KPATCH_MARK_SHADOW_ID, .id = 77);\n"
		"int core_second";
	static const char one_marks[] = "static void undo(void *o) { inner(inner_state); }\n"
					"MARK(.kind = KPATCH_MARK_POST_UNPATCH, .subject = undo);\n"
					"MARK(.kind = KPATCH_MARK_STATE, .id = 5, .version = 1);\n"
					"MARK(.kind = KPATCH_MARK_STATE, .id = 9, .version = 3);\n"
					"MARK(.kind = KPATCH_MARK_SHADOW_ID, .id = 6);\n"
					"int one_shared";
	PATCH("callbacks", CORE("int core_second", core_marks), ONE("int one_shared", one_marks));
	PATCH("callback-twice", CORE("int core_second", core_marks),
	      SCHED("__sched noinline int first",
		    "static int other(void *o) { return 1; }\n"
		    "MARK(.kind = KPATCH_MARK_PRE_PATCH, .subject = other);\n"
		    "MARK(.kind = KPATCH_MARK_STATE, .id = 9, .version = 4);\n"
		    "__sched noinline int first"));
}

int main(void)
{
	is_gcc12 = find_gcc12();
	build_kernel();
	test_vmlinux();
	test_mismatch();
	test_mismatch_beside();
	test_module();
	test_two_units();
	test_two_globals();
	test_widened();
	test_moves();
	test_own_names();
	test_only_new();
	test_sections();
	test_prototype();
	test_prototype_compiled();
	test_orc();
	test_marks();
	free(flags);
	return done_testing();
}
