// SPDX-License-Identifier: GPL-2.0-or-later
/* Cutting objects into spans and references: small assembly sources, in each of which one rule decides. */
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/process.h"
#include "lib/diff/span.h"
#include "tests/unit/tap.h"

/* One assembled source, cut. */
struct made {
	struct rk_elf *elf;
	struct rk_spans *spans;
};

static struct rk_elf *assemble(const char *source)
{
	static unsigned int number;
	_cleanup_free_ char *name = rk_asprintf("%u.s", number++);
	_cleanup_free_ char *path = rk_path_join(tap_tmpdir(), name);
	_cleanup_free_ char *object = rk_asprintf("%s.o", path);
	const char *const argv[] = {"as", path, "-o", object, NULL};
	struct rk_process_spec spec = {.argv = argv, .timeout_ms = 60000};
	_cleanup_process_result_ struct rk_process_result res = {};
	struct rk_elf *elf = NULL;

	if (!no_err(rk_fs_write(path, source, strlen(source), 0666), "source") ||
	    !no_err(rk_process_check(&spec, &res), "assembles") ||
	    !no_err(rk_elf_open(object, RK_ELF_LOAD_ALL, &elf), "opens"))
		bail_out("no object");
	return elf;
}

static struct made make(const char *source)
{
	struct made made = {.elf = assemble(source)};
	if (!no_err(rk_spans_create(made.elf, &made.spans), "is cut"))
		bail_out("no spans");
	return made;
}

static void made_deinit(struct made *made)
{
	rk_spans_free(made->spans);
	rk_elf_close(made->elf);
}

#define _cleanup_made_ _cleanup_(made_deinit)

static struct rk_span *find(const struct made *made, const char *name)
{
	rk_spans_for_each(made->spans, span)
		if (span->name && strcmp(span->name, name) == 0)
			return span;
	bail_out("no span '%s'", name);
}

/* The spans of one section as text: "name@offset+size". */
static void is_cut(const struct made *made, const char *section, const char *want)
{
	_cleanup_str_ struct rk_str out = RK_STR_INIT;
	rk_spans_for_each(made->spans, span)
		if (strcmp(span->section->name, section) == 0)
			rk_str_addf(&out, "%s%s@%llu+%llu", out.len ? " " : "",
				    span->name ? span->name : "-", (unsigned long long)span->offset,
				    (unsigned long long)span->size);
	is_str(rk_str_get(&out), want, section);
}

/* A reference as text: "offset: target+place", with "branch" behind operands of branches. */
static void is_ref(const struct rk_span *span, size_t i, const char *want)
{
	if (!ok(i < span->nr_refs, "'%s' has reference %zu", span->name, i))
		return;
	const struct rk_ref *ref = &span->refs[i];
	const char *to = !ref->target	     ? ref->symbol->name
			 : ref->target->name ? ref->target->name
					     : ref->target->section->name;
	_cleanup_free_ char *got =
		rk_asprintf("%llu: %s%+lld%s", (unsigned long long)ref->offset, to,
			    (long long)ref->place, ref->is_branch ? " branch" : "");
	is_str(got, want, want);
}

static void test_cutting(void)
{
	_cleanup_made_ struct made made = make(
		/* padding isn't a span; bytes that no symbol names are; a symbol without a size ends at the next */
		".section .data.a, \"aw\"\n"
		"first: .long 1, 2\n.type first, @object\n.size first, 8\n"
		".zero 8\n"
		"second: .long 3\n.type second, @object\n.size second, 4\n"
		".long 7\n"
		"third: .long 4, 5\n"
		"fourth: .long 6\n.type fourth, @object\n.size fourth, 4\n"
		/* a bigger one with a smaller one inside, and two of one place: the global one gives the name */
		".section .data.b, \"aw\"\n"
		".globl outer\nalias: outer: .long 1\ninside: .long 2\n"
		".type outer, @object\n.size outer, 8\n.type alias, @object\n.size alias, 4\n"
		".type inside, @object\n.size inside, 4\n"
		".section .rodata.str1.1, \"aMS\", @progbits, 1\n.asciz \"ab\"\n.asciz \"\"\n.ascii \"c\"\n"
		".section .rodata.cst8, \"aM\", @progbits, 8\n.quad 1, 2\n"
		".section __bug_table, \"aw\"\n.zero 24\n"
		".section .data.key, \"aw\"\nkey: .type key, @object\n.size key, 0\n"
		".section .note, \"\"\nnoted: .long 1\n");
	is_cut(&made, ".data.a", "first@0+8 second@16+4 -@20+4 third@24+8 fourth@32+4");
	is_cut(&made, ".data.b", "outer@0+8");
	is_cut(&made, ".rodata.str1.1", "-@0+3 -@3+1 -@4+1");
	is_cut(&made, ".rodata.cst8", "-@0+8 -@8+8");
	is_cut(&made, "__bug_table", "-@0+12 -@12+12");
	is_cut(&made, ".data.key", "key@0+0");
	is_cut(&made, ".note", "");
	const struct rk_section *section = rk_elf_section(made.elf, ".data.a");
	is_str(rk_spans_at(made.spans, section, 7)->name, "first", "a place inside");
	is_str(rk_spans_at(made.spans, section, 36)->name, "fourth", "the very end");
	ok(!rk_spans_at(made.spans, rk_elf_section(made.elf, ".note"), 0), "nothing there");
}

static void test_references(void)
{
	_cleanup_made_ struct made made = make(
		".section .data.t, \"aw\"\n"
		"table: .zero 16\n.type table, @object\n.size table, 16\n"
		"next: .zero 4\n.type next, @object\n.size next, 4\n"
		".section .text.f, \"ax\"\n"
		".globl f\nf: .type f, @function\n"
		"movl $5, table+8(%rip)\n"  /* 4 bytes of immediate follow the field */
		"movb $5, table(%rip)\n"    /* one */
		"incl table+4(%rip)\n"	    /* none */
		"movq $table+12, %rax\n"    /* not relative */
		"leaq f(%rip), %rax\n"	    /* its own address */
		"call g\njmp external+16\n" /* branches */
		".size f, .-f\n"
		".section .text.g, \"ax\"\n"
		"g: .type g, @function\nret\n.size g, .-g\n"
		".data\npointer: .quad g, external\n.type pointer, @object\n.size pointer, 16\n");
	const struct rk_span *f = find(&made, "f");
	is_ref(f, 0, "2: table+8");
	is_ref(f, 1, "12: table+0");
	is_ref(f, 2, "19: table+4");
	is_ref(f, 3, "26: table+12");
	is_ref(f, 4, "33: f+0");
	is_ref(f, 5, "38: g+0 branch");
	is_ref(f, 6, "43: external+16 branch");
	is_ref(find(&made, "pointer"), 0, "0: g+0");
	is_ref(find(&made, "pointer"), 1, "8: external+0");
	const struct rk_span *g = find(&made, "g");
	if (is_int((long long)g->nr_users, 2, "users of g")) {
		is_str(g->users[0]->name, "pointer", "who has its address");
		is_str(g->users[1]->name, "f", "its caller");
	}
	is_int((long long)find(&made, "table")->nr_users, 1, "a user counts once");
}

/* An alternative of no bytes points to where the next function's begins; it must not drag that along. */
static void test_empty_alternative(void)
{
	_cleanup_made_ struct made made =
		make(".section .text.a, \"ax\"\n.type a, @function\na: nop\nret\n.size a, . - a\n"
		     ".section .text.b, \"ax\"\n.type b, @function\nb: nop\nret\n.size b, . - b\n"
		     ".section .altinstructions, \"a\"\n"
		     ".long a - .\n.long 0f - .\n.word 1\n.byte 1\n.byte 0\n"
		     ".long b - .\n.long 0f - .\n.word 1\n.byte 1\n.byte 5\n"
		     ".section .altinstr_replacement, \"ax\"\n0: jmp b + 1\n");
	size_t nr = 0;

	rk_spans_for_each(made.spans, span) {
		if (span->kind != RK_SPAN_ENTRY)
			continue;
		is_str(span->code ? span->code->name : NULL, nr ? "b" : "a", "whose it is");
		is_int((int)span->nr_refs, nr ? 2 : 1, "what it names");
		nr++;
	}
	is_int((int)nr, 2, "two entries");
}

static void test_branches(void)
{
	_cleanup_made_ struct made made = make(
		".section .sched.text, \"ax\"\n"
		"near: .type near, @function\nret\n.size near, .-near\n"
		"short: .type short, @function\njmp near\n.size short, .-short\n"
		"inside: .type inside, @function\n1: nop\njmp 1b\n.size inside, .-inside\n"
		"gap: .type gap, @function\n.skip 200, 0x90\n.size gap, .-gap\n"
		"far: .type far, @function\ncall near\njz near\nleaq near(%rip), %rax\nret\n.size far, .-far\n");
	ok(find(&made, "short")->is_fixed, "a branch of two bytes can't lead elsewhere");
	ok(!find(&made, "inside")->is_fixed, "one that stays inside can move along");
	is_int((long long)find(&made, "inside")->nr_refs, 0, "and refers to nothing");
	const struct rk_span *far = find(&made, "far");
	ok(!far->is_fixed, "a branch of four bytes can");
	is_ref(far, 0, "1: near+0 branch");
	is_ref(far, 1, "7: near+0 branch");
	is_ref(far, 2, "14: near+0");
	const uint8_t zeros[4] = {};
	is_mem(far->data + 1, 4, zeros, 4, "its field is cleared");
}

static void test_families(void)
{
	_cleanup_made_ struct made made = make(
		".section .text.f, \"ax\"\n"
		"f: .type f, @function\n2: call __fentry__\n1: nop\nret\n.size f, .-f\n"
		".section .text.unlikely.f, \"ax\"\n"
		"f.cold: .type f.cold, @function\nnop\n.size f.cold, .-f.cold\n"
		"g.cold: .type g.cold, @function\nnop\n.size g.cold, .-g.cold\n"
		"f.coldly: .type f.coldly, @function\nnop\n.size f.coldly, .-f.coldly\n"
		".section __bug_table, \"aw\"\n.long 1b - .\n.long 0\n.long 0\n"
		".section .data.once, \"aw\"\nflag: .byte 0\n.type flag, @object\n.size flag, 1\n"
		".section .rodata.t, \"a\"\n"
		"labels.1: .quad 1b\n.type labels.1, @object\n.size labels.1, 8\n"
		"ops: .quad 2b\n.type ops, @object\n.size ops, 8\n");
	struct rk_span *f = find(&made, "f");
	ok(f->has_fentry, "can be traced");
	ok(!find(&made, "f.cold")->has_fentry, "cannot");
	is_int((long long)f->nr_children, 1, "one cold part");
	ok(find(&made, "f.cold")->parent == f, "it belongs to f");
	ok(!find(&made, "g.cold")->parent, "the cold part of nothing");
	ok(!find(&made, "f.coldly")->parent, "another function");
	if (is_int((long long)f->nr_entries, 1, "entries"))
		ok(f->entries[0]->code == f, "the entry is about f");
	ok(find(&made, "flag")->is_own_copy, "a flag of a place");
	ok(find(&made, "labels.1")->is_own_copy, "places inside a function");
	ok(!find(&made, "ops")->is_own_copy, "the address of a function");
}

static void refuses(const char *source, enum rk_err_code code, const char *message)
{
	_cleanup_elf_ struct rk_elf *elf = assemble(source);
	struct rk_spans *spans = NULL;
	is_err_like(rk_spans_create(elf, &spans), code, message, message);
	ok(!spans, "untouched on failure");
}

static void test_refused(void)
{
	refuses(".section __bug_table, \"aw\"\n.zero 13\n", RK_ERR_FORMAT,
		"size of '__bug_table' (13) is no multiple of its entries (12)");
	refuses(".data\na: .long b\n.type a, @object\n.size a, 2\n", RK_ERR_FORMAT,
		"relocation at '.data'+0x0 reaches beyond 'a'");
}

int main(void)
{
	test_cutting();
	test_references();
	test_empty_alternative();
	test_branches();
	test_families();
	test_refused();
	return done_testing();
}
