/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x86_64: what each relocation type says, instructions byte by byte, where a PC-relative field counts from,
 * and what a traceable function looks like, on code assembled now by gcc as the kernel's is.
 */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "lib/arch/arch.h"
#include "lib/base/fs.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "tests/unit/tap.h"

static const struct rk_arch *arch;

static void test_kinds(void)
{
	static const struct {
		uint32_t type;
		const char *name;
		uint8_t size;
		bool pc_relative, in_kernel;
	} want[] = {
		{R_X86_64_NONE, "R_X86_64_NONE", 0, false, true},
		{R_X86_64_64, "R_X86_64_64", 8, false, true},
		{R_X86_64_PC32, "R_X86_64_PC32", 4, true, true},
		{R_X86_64_PLT32, "R_X86_64_PLT32", 4, true, true},
		{R_X86_64_32, "R_X86_64_32", 4, false, true},
		{R_X86_64_32S, "R_X86_64_32S", 4, false, true},
		{R_X86_64_PC64, "R_X86_64_PC64", 8, true, true},
		{R_X86_64_PC16, "R_X86_64_PC16", 2, true, false},
		{R_X86_64_8, "R_X86_64_8", 1, false, false},
		{R_X86_64_GOTPCREL, "R_X86_64_GOTPCREL", 4, true, false},
		{R_X86_64_REX_GOTPCRELX, "R_X86_64_REX_GOTPCRELX", 4, true, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		const struct rk_reloc_kind *kind = arch->reloc_kind(want[i].type);

		if (!ok(kind != NULL, "%s is known", want[i].name))
			continue;
		is_str(kind->name, want[i].name, "name");
		is_int(kind->size, want[i].size, "size");
		is_int(kind->pc_relative, want[i].pc_relative, "PC-relative");
		is_int(kind->in_kernel, want[i].in_kernel, "known to the module loader");
	}
	ok(!arch->reloc_kind(R_X86_64_COPY), "types of the dynamic linker aren't known");
	ok(!arch->reloc_kind(39) && !arch->reloc_kind(43) && !arch->reloc_kind(UINT32_MAX),
	   "nor are types nobody has defined");
	ok(arch->reloc_kind(R_X86_64_32S)->sign_extend &&
		   !arch->reloc_kind(R_X86_64_32)->sign_extend,
	   "32S is signed, 32 isn't");
}

struct insn_case {
	const char *text;
	uint8_t bytes[15];
	uint8_t length;
	bool is_branch, is_call, is_rip;
	uint8_t disp_offset, disp_size;
	int64_t target; /* decoded at 0x100 */
};

/* clang-format off */
static const struct insn_case insns[] = {
	{"call 0x115", {0xe8, 0x10, 0, 0, 0}, 5, true, true, false, 1, 4, 0x115},
	{"jmp 0x100", {0xe9, 0xfb, 0xff, 0xff, 0xff}, 5, true, false, false, 1, 4, 0x100},
	{"jmp 0x104", {0xeb, 0x02}, 2, true, false, false, 1, 1, 0x104},
	{"jnz 0x106", {0x0f, 0x85, 0, 0, 0, 0}, 6, true, false, false, 2, 4, 0x106},
	{"jz 0x92", {0x74, 0x90}, 2, true, false, false, 1, 1, 0x92},
	{"nop", {0x90}, 1, false, false, false, 0, 0, 0},
	{"ret", {0xc3}, 1, false, false, false, 0, 0, 0},
	{"call rax", {0xff, 0xd0}, 2, false, false, false, 0, 0, 0},
	{"mov rax, qword ptr [rip+0x20]", {0x48, 0x8b, 0x05, 0x20, 0, 0, 0}, 7, false, false, true, 3, 4, 0x127},
	{"mov dword ptr [rip], 0x5", {0xc7, 0x05, 0, 0, 0, 0, 5, 0, 0, 0}, 10, false, false, true, 2, 4, 0x10a},
	{"cmp byte ptr [rip], 0x1", {0x80, 0x3d, 0, 0, 0, 0, 1}, 7, false, false, true, 2, 4, 0x107},
	{"call qword ptr [rip]", {0xff, 0x15, 0, 0, 0, 0}, 6, false, false, true, 2, 4, 0x106},
	{"mov rax, qword ptr [rbp+0x20]", {0x48, 0x8b, 0x45, 0x20}, 4, false, false, false, 0, 0, 0},
	{"ud2", {0x0f, 0x0b}, 2, false, false, false, 0, 0, 0},
	{"stac", {0x0f, 0x01, 0xcb}, 3, false, false, false, 0, 0, 0},
	{"endbr64", {0xf3, 0x0f, 0x1e, 0xfa}, 4, false, false, false, 0, 0, 0},
};
/* clang-format on */

static void test_decode(void)
{
	char text[RK_INSN_TEXT_SIZE] = "untouched";
	struct rk_insn insn = {.length = 77};

	for (size_t i = 0; i < ARRAY_SIZE(insns); i++) {
		const struct insn_case *c = &insns[i];

		if (!no_err(arch->decode(c->bytes, sizeof(c->bytes), 0x100, &insn), c->text))
			continue;
		is_int(insn.length, c->length, "length");
		ok(insn.is_branch == c->is_branch && insn.is_call == c->is_call &&
			   insn.is_rip_relative == c->is_rip,
		   "what it is");
		ok(insn.disp_offset == c->disp_offset && insn.disp_size == c->disp_size,
		   "where its field is");
		is_int(insn.target, c->target, "where it leads to");
		no_err(arch->disassemble(c->bytes, c->length, 0x100, text, sizeof(text)), "text");
		is_str(text, c->text, "in Intel syntax");
	}
	insn.length = 77;
	is_err(arch->decode((const uint8_t *)"\xe8\0\0\0", 4, 0x10, &insn), RK_ERR_FORMAT,
	       "the bytes at 0x10 are no instruction", "a call that is cut off");
	is_err(arch->decode((const uint8_t *)"\x06", 1, 0x10, &insn), RK_ERR_FORMAT,
	       "the bytes at 0x10 are no instruction", "an opcode that isn't one");
	is_err(arch->decode((const uint8_t *)"", 0, 0x10, &insn), RK_ERR_FORMAT,
	       "the bytes at 0x10 are no instruction", "nothing");
	is_int(insn.length, 77, "the result is untouched on failure");
	is_err(arch->disassemble((const uint8_t *)"\x06", 1, 0x10, text, sizeof(text)),
	       RK_ERR_FORMAT, "the bytes at 0x10 are no instruction", "text of what isn't one");
}

static struct rk_elf *assemble(const char *name, const char *code)
{
	_cleanup_free_ char *source = rk_asprintf("%s/%s.s", tap_tmpdir(), name);
	_cleanup_free_ char *object = rk_asprintf("%s/%s.o", tap_tmpdir(), name);
	_cleanup_process_result_ struct rk_process_result res = {};
	const char *argv[] = {"gcc", "-c", source, "-o", object, NULL};
	struct rk_process_spec spec = {.argv = argv};
	struct rk_elf *elf = NULL;

	if (!source || !object ||
	    !no_err(rk_fs_write(source, code, strlen(code), 0644), "source") ||
	    !no_err(rk_process_check(&spec, &res), "assembles") ||
	    !no_err(rk_elf_open(object, RK_ELF_LOAD_ALL, &elf), "opens"))
		bail_out("no object to look at");
	return elf;
}

/* In the order of their places; the target of each is the symbol itself: addend + bias = 0. */
static const struct {
	const char *text;
	int64_t bias;
	bool is_branch;
} places[] = {
	{"call", 4, true},
	{"jmp", 4, true},
	{"jne", 4, true},
	{"mov from memory", 4, false},
	{"lea", 4, false},
	{"mov of 32 bits to memory", 8, false},
	{"mov of 16 bits to memory", 6, false},
	{"cmp with a byte", 5, false},
	{"the same, after nothing but instructions without relocation", 5, false},
	{"call through memory", 4, false},
	{"mov whose immediate looks like a call", 8, false},
};

static const char places_code[] =
	"	.text\n	.globl f\n	.type f, @function\n"
	"f:	call x\n"
	"	jmp x\n"
	"	jne x\n"
	"	movq x(%rip), %rax\n"
	"	leaq x(%rip), %rbx\n"
	"	movl $5, x(%rip)\n"
	"	movw $5, x(%rip)\n"
	"	cmpb $1, x(%rip)\n"
	"	push %rbp\n	movq %rsp, %rbp\n	subl $0x1234, %eax\n"
	"	cmpb $1, x(%rip)\n"
	"	call *x(%rip)\n"
	"	movl $0xe8e8e8e8, x(%rip)\n"
	"	ret\n"
	"	.size f, . - f\n"
	"	.data\n	.long x - .\n	.quad x\n";

static void test_places(void)
{
	_cleanup_elf_ struct rk_elf *elf = assemble("places", places_code);
	const struct rk_section *text = rk_elf_section(elf, ".text");
	const struct rk_section *data = rk_elf_section(elf, ".data");
	int64_t bias = -1;

	if (!ok(text && data && text->nr_relocs == ARRAY_SIZE(places), "all relocations are there"))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		const struct rk_reloc *r = &text->relocs[i];

		bias = -1;
		no_err(arch->pc_bias(text, r, &bias), places[i].text);
		is_int(bias, places[i].bias, "distance to the instruction's end");
		is_int(r->addend + bias, 0, "which is what the assembler thinks");
		is_int(arch->is_branch_reloc(text, r), places[i].is_branch, "branch or not");
	}
	for (size_t i = 0; i < data->nr_relocs; i++) {
		no_err(arch->pc_bias(data, &data->relocs[i], &bias), "in data");
		is_int(bias, 0, "a field counts from itself");
		ok(!arch->is_branch_reloc(data, &data->relocs[i]), "and isn't a branch");
	}
}

static void test_bad_places(void)
{
	static const char code[] =
		"	.text\n	.type f, @function\n"
		"f:	movl $(x - .), %eax\n"
		"	ret\n"
		"	.size f, . - f\n"
		"	.section .other, \"ax\"\n"
		"	.byte 0x06, 0x06\n	.long x - .\n	.byte 0xe8\n	.long x - . - 4\n";
	_cleanup_elf_ struct rk_elf *elf = assemble("bad", code);
	struct rk_section *text = rk_elf_section(elf, ".text");
	struct rk_section *other = rk_elf_section(elf, ".other");
	int64_t bias = -1;

	if (!ok(text && other && text->nr_relocs == 1 && other->nr_relocs == 2, "relocations"))
		return;
	is_err(arch->pc_bias(text, text->relocs, &bias), RK_ERR_FORMAT,
	       "the relocation at '.text'+0x1 is no operand",
	       "an immediate that counts from itself");
	is_err(arch->pc_bias(other, other->relocs, &bias), RK_ERR_FORMAT,
	       "'.other': the bytes at 0x0 are no instruction", "what can't be decoded");
	ok(arch->is_branch_reloc(other, &other->relocs[1]), "then the opcode decides");
	text->relocs[0].offset = text->size - 3;
	is_err(arch->pc_bias(text, text->relocs, &bias), RK_ERR_FORMAT,
	       "the relocation at '.text'+0x3 ends behind the section", "a field that is cut off");
	ok(!arch->is_branch_reloc(text, text->relocs), "isn't a branch");
	is_int(bias, -1, "the result is untouched on failure");
}

static void test_fentry(void)
{
	static const char code[] =
		"	.text\n"
		"	.type plain, @function\nplain:	call __fentry__\n	ret\n"
		"	.size plain, . - plain\n"
		"	.type ibt, @function\nibt:	endbr64\n	call __fentry__\n	ret\n"
		"	.size ibt, . - ibt\n"
		"	.type late, @function\nlate:	nop\n	call __fentry__\n	ret\n"
		"	.size late, . - late\n"
		"	.type other, @function\nother:	call somewhere\n	ret\n"
		"	.size other, . - other\n"
		"	.type jump, @function\njump:	jmp __fentry__\n"
		"	.size jump, . - jump\n"
		"	.type nopped, @function\nnopped:	.byte 0x0f,0x1f,0x44,0,0\n"
		"	.reloc nopped+1, R_X86_64_NONE, __fentry__\n	ret\n"
		"	.size nopped, . - nopped\n"
		"	.type empty, @function\nempty:\n	.size empty, . - empty\n";
	static const struct {
		const char *name;
		bool traced;
	} want[] = {
		{"plain", true}, {"ibt", true},	   {"late", false},  {"other", false},
		{"jump", false}, {"nopped", true}, {"empty", false},
	};
	_cleanup_elf_ struct rk_elf *elf = assemble("fentry", code);

	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		const struct rk_symbol *f = rk_elf_symbol(elf, want[i].name);

		if (ok(f != NULL, "%s", want[i].name))
			is_int(arch->has_fentry(f->section, f->value, f->size), want[i].traced,
			       "is traceable or not");
	}
	ok(!arch->has_fentry(rk_elf_section(elf, ".text"), 1u << 20, 16),
	   "none behind the section");
	ok(!arch->has_fentry(rk_elf_section(elf, ".bss"), 0, 0), "none without content");
}

static void test_specials(void)
{
	size_t nr = 0;

	for (const struct rk_special *s = arch->specials; s->name; s++) {
		nr++;
		ok(s->entry_size && s->code_offset + 4 <= s->entry_size, "%s has a sound entry",
		   s->name);
		ok(!s->parallel == !s->parallel_size, "%s: its parallel array has a size", s->name);
	}
	is_int((long long)nr, 12, "special sections");
}

int main(void)
{
	arch = rk_arch_for(EM_X86_64);
	if (!arch)
		bail_out("x86_64 isn't there");
	is_str(arch->name, "x86_64", "x86_64 is there");
	ok(!rk_arch_for(EM_SPARC), "others aren't");
	test_kinds();
	test_decode();
	test_places();
	test_bad_places();
	test_fentry();
	test_specials();
	return done_testing();
}
