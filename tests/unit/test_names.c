// SPDX-License-Identifier: GPL-2.0-or-later
/* What names tell the diff: numbers of the compiler, macro-made statics, and what the kernel does with a section. */
#include <elf.h>

#include "lib/diff/span.h"
#include "tests/unit/tap.h"

static struct rk_arena arena;

static void is_base(const char *name, const char *base, bool numbered)
{
	bool got = !numbered;
	is_str(rk_name_base(&arena, name, &got), base, name);
	ok(got == numbered, "%s is %snumbered", name, numbered ? "" : "not ");
}

static void test_bases(void)
{
	is_base("tcp_ack", "tcp_ack", false);
	is_base("count.12", "count", true);
	is_base("foo.constprop.0", "foo.constprop", true);
	is_base("foo.isra.0.cold", "foo.isra.cold", true);
	is_base("foo.constprop.0.isra.3", "foo.constprop.isra", true);
	is_base("foo.cold", "foo.cold", false);
	is_base("v1.2x", "v1.2x", false);
	is_base("v.1.2", "v", true);
	is_base(".12", ".12", false);
	is_base("foo.", "foo.", false);
	is_base("", "", false);
	is_base("__UNIQUE_ID_ddebug123.4", "__UNIQUE_ID_ddebug", true);
	is_base("__UNIQUE_ID_license7", "__UNIQUE_ID_license", true);
	is_base("__UNIQUE_ID_12", "__UNIQUE_ID_", true);
	is_base("__BTF_ID__struct__sock__31", "__BTF_ID__struct__sock__", true);
}

static void test_own_copies(void)
{
	static const struct rk_section rodata = {.name = ".rodata.x", .flags = SHF_ALLOC};
	static const struct rk_section data = {.name = ".data.x", .flags = SHF_ALLOC | SHF_WRITE};
	static const struct rk_section dyndbg = {.name = "__dyndbg",
						 .flags = SHF_ALLOC | SHF_WRITE};
	static const struct {
		const char *base;
		const struct rk_section *section;
		bool is_own;
	} cases[] = {
		{"__func__", &rodata, true},
		{"__func__", &data, false},
		{"CSWTCH", &rodata, true},
		{"CSWTCH", &data, false},
		{"C", &rodata, true},
		{"C", &data, false},
		{"__msg", &rodata, true},
		{"__msg", &data, false},
		{"__already_done", &data, true},
		{"__warned", &data, true},
		{"__key", &data, true},
		{"_rs", &data, true},
		{"descriptor", &dyndbg, true},
		{"descriptor", &data, false},
		{"__UNIQUE_ID_ddebug", &dyndbg, true},
		{"__UNIQUE_ID_ddebug", &rodata, false},
		{"", &rodata, false},
		{"__func", &rodata, false},
		{"count", &data, false},
		{"_rs_", &data, false},
		{"key", &data, false},
		{"__UNIQUE_ID_", &data, false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		ok(rk_name_is_own_copy(cases[i].base, cases[i].section) == cases[i].is_own,
		   "'%s' in '%s' is %s", cases[i].base, cases[i].section->name,
		   cases[i].is_own ? "each function's own" : "shared");
}

static void test_classes(void)
{
	static const struct {
		const char *name;
		uint64_t flags;
		enum rk_section_class class;
	} cases[] = {
		{".text.tcp_ack", SHF_ALLOC | SHF_EXECINSTR, RK_SECTION_TEXT},
		{".sched.text", SHF_ALLOC | SHF_EXECINSTR, RK_SECTION_TEXT},
		{".init.text", SHF_ALLOC | SHF_EXECINSTR, RK_SECTION_INIT},
		{".init.data", SHF_ALLOC | SHF_WRITE, RK_SECTION_INIT},
		{".exit.text", SHF_ALLOC | SHF_EXECINSTR, RK_SECTION_EXIT},
		{".init.setup", SHF_ALLOC, RK_SECTION_REGISTRATION},
		{".initcall6.init", SHF_ALLOC, RK_SECTION_REGISTRATION},
		{".exitcall.exit", SHF_ALLOC, RK_SECTION_REGISTRATION},
		{"___ksymtab_gpl+tcp_ack", SHF_ALLOC, RK_SECTION_REGISTRATION},
		{"__ksymtab_strings", SHF_ALLOC, RK_SECTION_IGNORED},
		{"__param", SHF_ALLOC, RK_SECTION_REGISTRATION},
		{"__tracepoints", SHF_ALLOC | SHF_WRITE, RK_SECTION_REGISTRATION},
		{"__tracepoints_strings", SHF_ALLOC, RK_SECTION_IGNORED},
		{"__jump_table", SHF_ALLOC | SHF_WRITE, RK_SECTION_SPECIAL},
		{".orc_unwind", SHF_ALLOC, RK_SECTION_SPECIAL},
		{".rodata.names", SHF_ALLOC, RK_SECTION_RODATA},
		{".data..read_mostly", SHF_ALLOC | SHF_WRITE, RK_SECTION_DATA},
		{".bss.state", SHF_ALLOC | SHF_WRITE, RK_SECTION_DATA},
		{".BTF_ids", SHF_ALLOC, RK_SECTION_RODATA},
		{".discard.addressable", SHF_ALLOC | SHF_WRITE, RK_SECTION_IGNORED},
		{".modinfo", SHF_ALLOC, RK_SECTION_IGNORED},
		{".debug_info", 0, RK_SECTION_IGNORED},
		{".text.not_loaded", SHF_EXECINSTR, RK_SECTION_IGNORED},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rk_section section = {.name = cases[i].name, .flags = cases[i].flags};
		is_int(rk_section_classify(rk_arch_for(EM_X86_64), &section), cases[i].class,
		       cases[i].name);
	}
}

static void test_descriptions(void)
{
	struct rk_section section = {.name = ".rodata.str1.1"};
	struct rk_span span = {.kind = RK_SPAN_STRING,
			       .section = &section,
			       .data = (const uint8_t *)"a\nb",
			       .size = 4};
	is_str(rk_span_describe(&arena, &span), "\"a.b\"", "a literal, on one line");
	span.data = (const uint8_t *)"0123456789012345678901234567890123456789";
	span.size = 41;
	is_str(rk_span_describe(&arena, &span), "\"01234567890123456789012345678901\"...",
	       "a long one");
	span.size = 0;
	is_str(rk_span_describe(&arena, &span), "\"\"", "an empty one");
	span = (struct rk_span){.kind = RK_SPAN_ANON, .section = &section, .offset = 0x20};
	is_str(rk_span_describe(&arena, &span), ".rodata.str1.1+0x20", "bytes without a name");
	span.name = "table";
	is_str(rk_span_describe(&arena, &span), "table", "a name");
}

int main(void)
{
	rk_arena_init(&arena);
	test_bases();
	test_own_copies();
	test_classes();
	test_descriptions();
	rk_arena_deinit(&arena);
	return done_testing();
}
