/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reader on well-formed files: one made field by field, objects the compiler makes now with the kernel's
 * kind of options, a file with more sections than 16 bits can count, and this program itself.
 */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "lib/elf/elf.h"
#include "tests/unit/elfcheck.h"
#include "tests/unit/elfmake.h"
#include "tests/unit/tap.h"

static struct rk_elf *open_made(struct elfmake *e, enum rk_elf_load load)
{
	struct rk_elf *elf = NULL;

	if (!no_err(rk_elf_open_memory("made.o", e, sizeof(*e), load, &elf), "opens"))
		bail_out("nothing to look at");
	is_str(elfcheck(elf), NULL, "the graph is sound");
	return elf;
}

static void test_made(void)
{
	_cleanup_elf_ struct rk_elf *elf = NULL;
	const struct rk_section *text;
	const struct rk_symbol *sym;
	const char *id = NULL;
	struct elfmake e;

	elfmake_init(&e);
	elf = open_made(&e, RK_ELF_LOAD_ALL);
	is_int(elf->machine, EM_X86_64, "machine");
	is_int((long long)elf->nr_sections, ELFMAKE_NR_SECTIONS, "sections");
	is_int((long long)elf->nr_symbols, ELFMAKE_NR_SYMBOLS, "symbols");
	text = rk_elf_section(elf, ".text");
	if (!ok(text != NULL, "finds a section by name"))
		return;
	is_mem(text->data, text->size, e.text, sizeof(e.text), "content");
	is_int((long long)text->nr_symbols, 2, "a section has its named symbols");
	is_str(text->symbols[0]->name, "global_func", "sorted");
	is_str(text->symbols[1]->name, "local_func", "by value");
	is_int(text->section_symbol->index, ELFMAKE_SYM_SECTION, "and its section symbol");
	is_int((long long)text->nr_relocs, 2, "relocations");
	is_str(text->relocs[1].symbol->name, "elsewhere", "have a symbol");
	is_int(text->relocs[1].addend, -4, "and an addend");
	ok(rk_section_reloc_from(text, 2) == &text->relocs[1], "finds a relocation by place");
	ok(rk_section_reloc_from(text, 10) == NULL, "none behind the last");
	sym = rk_elf_symbol(elf, "local_func");
	ok(sym && sym->section == text && sym->value == 8, "finds a symbol by name");
	is_str(sym->file, "unit.c", "a local symbol has a file");
	is_int(sym->file_index, ELFMAKE_SYM_FILE, "the file has an index");
	is_str(rk_elf_symbol(elf, "global_func")->file, NULL, "a global symbol has none");
	ok(rk_elf_symbol(elf, "elsewhere") == NULL, "undefined symbols aren't found");
	ok(rk_elf_symbol(elf, "unit.c") == NULL, "nor are files");
	ok(rk_elf_section(elf, ".bss")->data == NULL, ".bss has no content");
	ok(rk_elf_section(elf, ".nothing") == NULL, "no such section");
	no_err(rk_elf_build_id(elf, &id), "reads the build-id");
	is_str(id, "deadbeef00010203", "as hexadecimal");
	is_str(rk_elf_modinfo(elf, "vermagic"), NULL, "no .modinfo");
}

static void test_order(void)
{
	_cleanup_elf_ struct rk_elf *elf = NULL;
	const struct rk_section *text;
	struct elfmake e;

	elfmake_init(&e);
	e.rela[0].r_offset = 9;
	e.rela[0].r_addend = 1;
	e.rela[1].r_offset = 9;
	e.rela[1].r_addend = 2;
	elf = open_made(&e, RK_ELF_LOAD_ALL);
	text = &elf->sections[ELFMAKE_TEXT];
	is_int(text->relocs[0].addend, 1, "relocations at one place");
	is_int(text->relocs[1].addend, 2, "keep their order");
	rk_elf_close(take_ptr(elf));
	e.rela[1].r_offset = 1;
	elf = open_made(&e, RK_ELF_LOAD_ALL);
	text = &elf->sections[ELFMAKE_TEXT];
	is_int((long long)text->relocs[0].offset, 1, "relocations are sorted");
	is_int((long long)text->relocs[1].offset, 9, "by place");
}

static void test_lazy(void)
{
	struct rk_elf *elf = NULL;
	struct rk_section *text;
	struct elfmake e;

	elfmake_init(&e);
	if (!no_err(rk_elf_open_memory("made.o", &e, sizeof(e), RK_ELF_LOAD_NO_RELOCS, &elf),
		    "opens without relocations"))
		return;
	text = &elf->sections[ELFMAKE_TEXT];
	ok(text->relocs == NULL && text->nr_relocs == 0, "none are there");
	ok(rk_section_reloc_from(text, 0) == NULL, "none are found");
	no_err(rk_elf_load_relocs(elf, text), "until they are asked for");
	is_int((long long)text->nr_relocs, 2, "then all are there");
	no_err(rk_elf_load_relocs(elf, text), "asking again");
	is_int((long long)text->nr_relocs, 2, "changes nothing");
	no_err(rk_elf_load_relocs(elf, &elf->sections[ELFMAKE_DATA]), "a section without any");
	ok(elf->sections[ELFMAKE_DATA].relocs == NULL, "stays without");
	rk_elf_close(elf);
}

static void test_livepatch(void)
{
	_cleanup_elf_ struct rk_elf *elf = NULL;
	struct elfmake e;

	elfmake_init(&e);
	e.sh[ELFMAKE_RELA].sh_flags |= SHF_ALLOC | RK_SHF_RELA_LIVEPATCH;
	e.sym[ELFMAKE_SYM_UNDEF].st_shndx = RK_SHN_LIVEPATCH;
	elf = open_made(&e, RK_ELF_LOAD_ALL);
	ok(elf->sections[ELFMAKE_TEXT].rela == NULL, "livepatch relocations aren't the section's");
	is_int((long long)elf->sections[ELFMAKE_RELA].nr_relocs, 2, "but their table's");
	is_int(elf->symbols[ELFMAKE_SYM_UNDEF].shndx, RK_SHN_LIVEPATCH, "a livepatch symbol");
	ok(elf->symbols[ELFMAKE_SYM_UNDEF].section == NULL, "has no section");
}

static void test_extended_index(void)
{
	_cleanup_elf_ struct rk_elf *elf = NULL;
	struct elfmake e;

	elfmake_init(&e);
	e.sym[ELFMAKE_SYM_GLOBAL].st_shndx = SHN_XINDEX;
	e.shndx[ELFMAKE_SYM_GLOBAL] = ELFMAKE_DATA;
	elf = open_made(&e, RK_ELF_LOAD_ALL);
	is_int(elf->symbols[ELFMAKE_SYM_GLOBAL].shndx, ELFMAKE_DATA, "extended section index");
	ok(elf->symbols[ELFMAKE_SYM_GLOBAL].section == &elf->sections[ELFMAKE_DATA],
	   "and its section");
}

static void test_linked(void)
{
	_cleanup_elf_ struct rk_elf *elf = NULL;
	struct rk_section *text;
	struct elfmake e;

	elfmake_init(&e);
	e.eh.e_type = ET_EXEC;
	e.sh[ELFMAKE_TEXT].sh_addr = 0x1000;
	e.sh[ELFMAKE_BSS].sh_addr = 0x2000;
	e.sym[ELFMAKE_SYM_GLOBAL].st_value = 0x99999999;
	e.rela[0].r_offset = 0x1001;
	/* As sorttable leaves .rela__ex_table. */
	memset(&e.rela[1], 0, sizeof(e.rela[1]));
	elf = open_made(&e, RK_ELF_LOAD_ALL);
	text = &elf->sections[ELFMAKE_TEXT];
	is_int((long long)text->nr_relocs, 1, "zeroed relocations of linked files don't count");
	is_int((long long)text->relocs[0].offset, 0x1001, "places are addresses");
	ok(rk_elf_section_at(elf, 0x100f) == text, "section of an address");
	ok(rk_elf_section_at(elf, 0x1010) == NULL, "of the address behind it");
	ok(rk_elf_at(elf, 0x1008, 8) == text->data + 8, "bytes at an address");
	ok(rk_elf_at(elf, 0x1008, 9) == NULL, "not beyond the section");
	ok(rk_elf_at(elf, 0x1008, UINT64_MAX) == NULL, "nor around the end of memory");
	ok(rk_elf_at(elf, 0x2000, 1) == NULL, ".bss has no bytes");
}

static void test_modinfo(void)
{
	static const char names[] = "\0.text\0.rela.text\0.data\0.bss\0.modinfo";
	static const char info[16] = "depends=\0ver=1.0";
	_cleanup_elf_ struct rk_elf *elf = NULL;
	struct elfmake e;

	elfmake_init(&e);
	memcpy(e.shstrtab, names, sizeof(names));
	e.sh[ELFMAKE_DATA].sh_name = 29;
	e.sh[ELFMAKE_DATA].sh_offset = offsetof(struct elfmake, text);
	e.sh[ELFMAKE_DATA].sh_size = sizeof(info);
	memcpy(e.text, info, sizeof(info));
	elf = open_made(&e, RK_ELF_LOAD_ALL);
	is_str(rk_elf_modinfo(elf, "depends"), "", "an empty value");
	is_str(rk_elf_modinfo(elf, "depend"), NULL, "no key is a prefix");
	is_str(rk_elf_modinfo(elf, "ver"), NULL, "what isn't terminated isn't there");
}

static char *compile(const char *name, const char *code, const char *const *options)
{
	char *source = rk_asprintf("%s/%s.c", tap_tmpdir(), name);
	char *object = rk_asprintf("%s/%s.o", tap_tmpdir(), name);
	_cleanup_process_result_ struct rk_process_result res = {};
	const char *argv[24] = {"gcc", "-c", source, "-o", object};
	struct rk_process_spec spec = {.argv = argv};
	size_t n = 5;

	while (*options)
		argv[n++] = *options++;
	if (!source || !object ||
	    !no_err(rk_fs_write(source, code, strlen(code), 0644), "source") ||
	    !no_err(rk_process_check(&spec, &res), "compiles"))
		bail_out("no object to read");
	free(source);
	return object;
}

static void test_compiled(void)
{
	static const char code[] = "extern int other(int);\n"
				   "static int counter = 4;\n"
				   "static __attribute__((noinline)) int helper(int x)\n"
				   "{ return other(x) + counter++; }\n"
				   "int entry(int x) { return helper(x) * 2; }\n"
				   "const char *text(void) { return \"hello\"; }\n"
				   "int zeroes[1024];\n";
	static const char *const options[] = {"-O2",
					      "-g",
					      "-pg",
					      "-mfentry",
					      "-mrecord-mcount",
					      "-mcmodel=kernel",
					      "-fno-pie",
					      "-ffunction-sections",
					      "-fdata-sections",
					      NULL};
	_cleanup_free_ char *path = compile("unit", code, options);
	_cleanup_elf_ struct rk_elf *elf = NULL;
	const struct rk_section *helper;
	struct rk_section *debug;

	if (!no_err(rk_elf_open(path, RK_ELF_LOAD_ALL, &elf), "opens an object of gcc"))
		return;
	is_int(elf->type, ET_REL, "a relocatable file");
	helper = rk_elf_section(elf, ".text.helper");
	if (!ok(helper && helper->nr_symbols == 1, "a section per function"))
		return;
	is_str(helper->symbols[0]->name, "helper", "with its symbol");
	is_str(helper->symbols[0]->file, "unit.c", "whose file is known");
	ok(helper->nr_relocs >= 3, "relocations against __fentry__, other and counter");
	is_str(helper->relocs[0].symbol->name, "__fentry__", "__fentry__ first");
	debug = rk_elf_section(elf, ".debug_info");
	if (ok(debug && debug->rela, "debug info has relocations")) {
		ok(debug->relocs == NULL, "which aren't read at once");
		no_err(rk_elf_load_relocs(elf, debug), "but can be");
		ok(debug->nr_relocs > 10, "%zu of them", debug->nr_relocs);
	}
	is_str(elfcheck(elf), NULL, "the graph is sound");
}

/* 66,000 sections: their number, the name table's index and symbols' sections need more than 16 bits. */
static void test_many_sections(void)
{
	static const char code[] =
		"__asm__(\".altmacro\\n.macro one n\\n.section .s\\\\n,\\\"a\\\"\\n"
		"sym\\\\n: .byte 1\\n.endm\\n"
		".set i,0\\n.rept 66000\\none %i\\n.set i,i+1\\n.endr\\n\");\n";
	static const char *const options[] = {"-O0", NULL};
	_cleanup_free_ char *path = compile("many", code, options);
	_cleanup_elf_ struct rk_elf *elf = NULL;
	const struct rk_symbol *last;

	if (!no_err(rk_elf_open(path, RK_ELF_LOAD_ALL, &elf), "opens 66,000 sections"))
		return;
	ok(elf->nr_sections > 66000, "%zu sections", elf->nr_sections);
	last = rk_elf_symbol(elf, "sym65999");
	if (!ok(last && last->section, "a symbol in one of the last"))
		return;
	is_str(last->section->name, ".s65999", "is in the right one");
	is_str(elfcheck(elf), NULL, "the graph is sound");
}

/* A function that surely has a symbol and an extent in this program. */
static __attribute__((noinline, used)) int landmark(int x)
{
	return x + 42;
}

static void test_self(void)
{
	_cleanup_elf_ struct rk_elf *elf = NULL;
	const struct rk_symbol *sym;
	const struct rk_section *s;

	if (!no_err(rk_elf_open("/proc/self/exe", RK_ELF_LOAD_ALL, &elf), "opens this program"))
		return;
	ok(elf->type == ET_DYN || elf->type == ET_EXEC, "a linked file");
	sym = rk_elf_symbol(elf, "landmark");
	if (!ok(sym && sym->section && sym->size, "finds a function"))
		return;
	s = rk_elf_section_at(elf, sym->value);
	ok(s == sym->section, "by its address");
	ok(rk_elf_at(elf, sym->value, sym->size) == s->data + (sym->value - s->address),
	   "and its bytes");
	is_str(sym->file, "test_elf.c", "and its file");
	is_int(landmark(0), 42, "which is the one that runs");
	is_str(elfcheck(elf), NULL, "the graph is sound");
}

static void test_open_errors(void)
{
	_cleanup_free_ char *empty = rk_asprintf("%s/empty", tap_tmpdir());
	_cleanup_free_ char *message = rk_asprintf("'%s': not an ELF file: it is empty", empty);
	struct rk_elf *elf = NULL;

	is_err(rk_elf_open("/nonexistent/x.o", RK_ELF_LOAD_ALL, &elf), RK_ERR_SYS,
	       "cannot open '/nonexistent/x.o': No such file or directory", "absent file");
	is_err(rk_elf_open("/dev/null", RK_ELF_LOAD_ALL, &elf), RK_ERR_FORMAT,
	       "'/dev/null': not a regular file", "device");
	is_err(rk_elf_open("/proc", RK_ELF_LOAD_ALL, &elf), RK_ERR_FORMAT,
	       "'/proc': not a regular file", "directory");
	if (no_err(rk_fs_write(empty, "", 0, 0644), "empty file"))
		is_err(rk_elf_open(empty, RK_ELF_LOAD_ALL, &elf), RK_ERR_FORMAT, message,
		       "empty file");
	ok(elf == NULL, "the result is untouched on failure");
}

int main(void)
{
	test_made();
	test_order();
	test_lazy();
	test_livepatch();
	test_extended_index();
	test_linked();
	test_modinfo();
	test_compiled();
	test_many_sections();
	test_self();
	test_open_errors();
	return done_testing();
}
