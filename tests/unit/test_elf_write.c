/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The writer: what is written reads back equal, binutils have nothing to say about it, the same calls give
 * the same bytes, and what the reader would refuse can't be written.
 */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "lib/elf/elf.h"
#include "lib/elf/write.h"
#include "tests/unit/elfcheck.h"
#include "tests/unit/tap.h"

static const uint8_t code[32] = {0xe8, 0, 0, 0, 0, 0xc3, 0xe8, 0, 0, 0, 0, 0xc3};

/* The calls can't fail here but for memory. */
#define MUST(call)                                                     \
	do {                                                           \
		struct rk_err *_e = (call);                            \
		if (_e)                                                \
			bail_out("%s: %s", #call, rk_err_message(_e)); \
	} while (0)

/* A small livepatch module: two relocation sections on .text, one of them for the kernel's livepatch core. */
static void *write_sample(size_t *ret_size)
{
	_cleanup_elf_writer_ struct rk_elf_writer *w = NULL;
	struct rk_out_section *text, *bss, *data, *rela, *klp;
	struct rk_out_symbol *global, *local, *file, *text_symbol, *again, *printk, *klp_symbol,
		*abs;
	void *image = NULL;

	MUST(rk_elf_writer_create(EM_X86_64, &w));
	MUST(rk_elf_writer_section(w, ".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, 16, 0, code,
				   sizeof(code), &text));
	MUST(rk_elf_writer_section(w, ".bss", SHT_NOBITS, SHF_ALLOC | SHF_WRITE, 4096, 0, NULL,
				   8192, &bss));
	MUST(rk_elf_writer_section(w, ".data", SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, 0, 0, "1234567",
				   7, &data));
	MUST(rk_elf_writer_symbol(w, "patched", text, 0, 0, 6, STB_GLOBAL, STT_FUNC, &global));
	MUST(rk_elf_writer_symbol(w, "patch.c", NULL, SHN_ABS, 0, 0, STB_LOCAL, STT_FILE, &file));
	MUST(rk_elf_writer_symbol(w, "helper", text, 0, 6, 6, STB_LOCAL, STT_FUNC, &local));
	MUST(rk_elf_writer_symbol(w, "_printk", NULL, SHN_UNDEF, 0, 0, STB_GLOBAL, STT_NOTYPE,
				  &printk));
	MUST(rk_elf_writer_section_symbol(w, text, &text_symbol));
	MUST(rk_elf_writer_section_symbol(w, text, &again));
	ok(text_symbol == again, "a section has one section symbol");
	MUST(rk_elf_writer_symbol(w, ".klp.sym.vmlinux.helper,2", NULL, RK_SHN_LIVEPATCH, 0, 0,
				  STB_GLOBAL, STT_FUNC, &klp_symbol));
	MUST(rk_elf_writer_symbol(w, "helper", NULL, SHN_ABS, 0x1234, 0, STB_LOCAL, STT_NOTYPE,
				  &abs));
	MUST(rk_elf_writer_rela(w, ".rela.text", text, 0, &rela));
	MUST(rk_elf_writer_reloc(rela, 7, R_X86_64_PLT32, printk, -4));
	MUST(rk_elf_writer_reloc(rela, 16, R_X86_64_64, text_symbol, INT64_MIN));
	MUST(rk_elf_writer_reloc(rela, 24, R_X86_64_NONE, NULL, 0));
	MUST(rk_elf_writer_rela(w, ".klp.rela.vmlinux..text", text,
				SHF_ALLOC | RK_SHF_RELA_LIVEPATCH, &klp));
	MUST(rk_elf_writer_reloc(klp, 1, R_X86_64_PC32, klp_symbol, -4));
	MUST(rk_elf_writer_finish(w, &image, ret_size));
	return image;
}

static void check_symbols(const struct rk_elf *elf)
{
	static const struct {
		const char *name;
		uint8_t bind, type;
		uint32_t shndx;
		uint64_t value, size;
	} want[] = {
		{"", 0, 0, 0, 0, 0},
		{"patch.c", STB_LOCAL, STT_FILE, SHN_ABS, 0, 0},
		{"helper", STB_LOCAL, STT_FUNC, 1, 6, 6},
		{"", STB_LOCAL, STT_SECTION, 1, 0, 0},
		{"helper", STB_LOCAL, STT_NOTYPE, SHN_ABS, 0x1234, 0},
		{"patched", STB_GLOBAL, STT_FUNC, 1, 0, 6},
		{"_printk", STB_GLOBAL, STT_NOTYPE, SHN_UNDEF, 0, 0},
		{".klp.sym.vmlinux.helper,2", STB_GLOBAL, STT_FUNC, RK_SHN_LIVEPATCH, 0, 0},
	};

	if (!ok(elf->nr_symbols == ARRAY_SIZE(want), "all symbols are there"))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		const struct rk_symbol *sym = &elf->symbols[i];

		is_str(sym->name, want[i].name, "locals first, else in order");
		ok(sym->bind == want[i].bind && sym->type == want[i].type &&
			   sym->shndx == want[i].shndx && sym->value == want[i].value &&
			   sym->size == want[i].size,
		   "symbol %zu is as it was added", i);
	}
	is_int(rk_elf_section(elf, ".symtab")->info, 5, "the first global symbol is told");
}

static void test_sample(void)
{
	_cleanup_elf_ struct rk_elf *elf = NULL;
	_cleanup_free_ void *image = NULL;
	const struct rk_section *text, *klp;
	size_t size = 0;

	image = write_sample(&size);
	if (!no_err(rk_elf_open_memory("sample.ko", image, size, RK_ELF_LOAD_ALL, &elf),
		    "reads back"))
		return;
	is_str(elfcheck(elf), NULL, "the graph is sound");
	is_int((long long)elf->nr_sections, 9, "sections");
	is_str(elf->sections[6].name, ".symtab", "ours come last");
	check_symbols(elf);
	text = &elf->sections[1];
	klp = &elf->sections[5];
	is_mem(text->data, text->size, code, sizeof(code), "content");
	is_int((long long)text->offset % 16, 0, "is aligned");
	is_int((long long)elf->sections[2].size, 8192, ".bss has its size");
	is_int((long long)(elf->sections[3].offset - elf->sections[2].offset), 0, "but no bytes");
	is_int(elf->sections[3].align, 1, "no alignment is 1");
	is_int((long long)text->nr_relocs, 3, "relocations");
	is_str(text->relocs[0].symbol->name, "_printk", "with their symbols");
	ok(text->relocs[1].addend == INT64_MIN, "and addends");
	is_int(text->relocs[2].symbol->index, 0, "or with none");
	is_int(klp->flags, SHF_ALLOC | SHF_INFO_LINK | RK_SHF_RELA_LIVEPATCH, "livepatch flags");
	is_int(klp->info, 1, "livepatch relocations are on .text too");
	is_int((long long)klp->nr_relocs, 1, "and apart from the others");
}

static void test_same_bytes(void)
{
	_cleanup_free_ void *a = NULL, *b = NULL;
	size_t a_size = 0, b_size = 0;

	a = write_sample(&a_size);
	b = write_sample(&b_size);
	is_mem(a, a_size, b, b_size, "the same calls, the same bytes");
}

/* binutils' reader says "Warning:" or "Error:" about what it finds odd. */
static void test_readelf(void)
{
	_cleanup_free_ char *path = rk_asprintf("%s/sample.ko", tap_tmpdir());
	_cleanup_process_result_ struct rk_process_result res = {};
	const char *argv[] = {"readelf", "-aW", path, NULL};
	const char *env[] = {"LC_ALL=C", "PATH=/usr/bin:/bin", NULL};
	struct rk_process_spec spec = {.argv = argv, .env = env};
	_cleanup_free_ void *image = NULL;
	size_t size = 0;

	image = write_sample(&size);
	if (!no_err(rk_fs_write(path, image, size, 0644), "sample") ||
	    !no_err(rk_process_check(&spec, &res), "readelf"))
		return;
	ok(!strstr(rk_str_get(&res.output), "arning") && !strstr(rk_str_get(&res.output), "rror:"),
	   "readelf has nothing to say");
	ok(strstr(rk_str_get(&res.output), "Relocation section '.klp.rela.vmlinux..text'") != NULL,
	   "and sees the livepatch relocations");
}

static void test_empty(void)
{
	_cleanup_elf_writer_ struct rk_elf_writer *w = NULL;
	_cleanup_elf_ struct rk_elf *elf = NULL;
	_cleanup_free_ void *image = NULL;
	size_t size = 0;

	MUST(rk_elf_writer_create(EM_X86_64, &w));
	no_err(rk_elf_writer_finish(w, &image, &size), "a file with nothing in it");
	if (no_err(rk_elf_open_memory("empty.o", image, size, RK_ELF_LOAD_ALL, &elf),
		   "reads back")) {
		is_int((long long)elf->nr_sections, 4, "has our sections");
		is_int((long long)elf->nr_symbols, 1, "and the null symbol");
	}
}

static void test_refused(void)
{
	_cleanup_elf_writer_ struct rk_elf_writer *w = NULL;
	struct rk_out_section *text, *bss, *rela = NULL, *s = NULL;
	struct rk_out_symbol *sym = NULL;

	MUST(rk_elf_writer_create(EM_X86_64, &w));
	MUST(rk_elf_writer_section(w, ".text", SHT_PROGBITS, SHF_ALLOC, 1, 0, code, 8, &text));
	MUST(rk_elf_writer_section(w, ".bss", SHT_NOBITS, SHF_ALLOC, 1, 0, NULL, 8, &bss));
	is_err(rk_elf_writer_section(w, ".a", SHT_PROGBITS, 0, 3, 0, code, 8, &s), RK_ERR_INVALID,
	       "section '.a': alignment 3 is not a power of two", "alignment");
	is_err(rk_elf_writer_section(w, ".b", SHT_RELA, 0, 1, 0, code, 8, &s), RK_ERR_INVALID,
	       "section '.b' can't be added with type 4", "type");
	is_err(rk_elf_writer_section(w, ".c", SHT_PROGBITS, 0, 1, 0, NULL, 8, &s), RK_ERR_INVALID,
	       "section '.c': no content is given", "no content");
	is_err(rk_elf_writer_section(w, ".d", SHT_NOBITS, 0, 1, 0, code, 8, &s), RK_ERR_INVALID,
	       "section '.d': content in a section without one", "content of .bss");
	is_err(rk_elf_writer_symbol(w, "e", NULL, 5, 0, 0, STB_LOCAL, STT_FUNC, &sym),
	       RK_ERR_INVALID, "symbol 'e': section index 5 is not a reserved one", "index");
	is_err(rk_elf_writer_symbol(w, "f", NULL, SHN_XINDEX, 0, 0, STB_LOCAL, STT_FUNC, &sym),
	       RK_ERR_INVALID, "symbol 'f': section index 65535 is not a reserved one", "escape");
	is_err(rk_elf_writer_symbol(w, "g", text, 0, 4, 5, STB_LOCAL, STT_FUNC, &sym),
	       RK_ERR_INVALID,
	       "symbol 'g': 0x4 plus 0x5 bytes lies outside of section '.text' of 0x8 bytes",
	       "symbol outside");
	is_err(rk_elf_writer_rela(w, ".rela.bss", bss, 0, &s), RK_ERR_INVALID,
	       "section '.bss' can't have relocations", "relocations of .bss");
	MUST(rk_elf_writer_rela(w, ".rela.text", text, 0, &rela));
	is_err(rk_elf_writer_rela(w, ".rela.text", text, 0, &s), RK_ERR_INVALID,
	       "section '.text' has a relocation section already", "a second one");
	is_err(rk_elf_writer_reloc(rela, 8, R_X86_64_64, NULL, 0), RK_ERR_INVALID,
	       "relocation in '.rela.text': place 0x8 lies outside of section '.text'",
	       "place outside");
	ok(!s && !sym, "results are untouched on failure");
}

static void test_limits(void)
{
	_cleanup_elf_writer_ struct rk_elf_writer *w = NULL, *big = NULL;
	_cleanup_free_ void *image = NULL;
	_cleanup_elf_ struct rk_elf *elf = NULL;
	struct rk_out_section *s;
	size_t size = 0;

	MUST(rk_elf_writer_create(EM_X86_64, &w));
	for (int i = 0; i < 65276; i++)
		MUST(rk_elf_writer_section(w, "x", SHT_PROGBITS, 0, 1, 0, "x", 1, &s));
	is_err(rk_elf_writer_section(w, "x", SHT_PROGBITS, 0, 1, 0, "x", 1, &s), RK_ERR_LIMIT,
	       "more than 65276 sections", "one section too many");
	no_err(rk_elf_writer_finish(w, &image, &size), "as many as there can be");
	if (no_err(rk_elf_open_memory("many.o", image, size, RK_ELF_LOAD_ALL, &elf), "read back"))
		is_int((long long)elf->nr_sections, 65280, "are all there");
	MUST(rk_elf_writer_create(EM_X86_64, &big));
	MUST(rk_elf_writer_section(big, ".far", SHT_PROGBITS, 0, 1ull << 62, 0, "x", 1, &s));
	free(take_ptr(image));
	is_err(rk_elf_writer_finish(big, &image, &size), RK_ERR_LIMIT,
	       "section '.far' doesn't fit into the file", "an alignment beyond all files");
}

/* An object of the compiler, read, written, read: nothing is lost, and writing again changes nothing. */
static void test_round_trip(void)
{
	static const char source[] = "extern int other(int, const char *);\n"
				     "static int counter = 4; int zeroes[99];\n"
				     "const char *const names[] = { \"a\", \"b\" };\n"
				     "static __attribute__((noinline)) int f(int x)\n"
				     "{ return other(x, names[counter++]); }\n"
				     "int g(int x) { return f(x) * zeroes[x]; }\n";
	_cleanup_free_ char *path = rk_asprintf("%s/unit.c", tap_tmpdir());
	_cleanup_free_ char *object = rk_asprintf("%s/unit.o", tap_tmpdir());
	const char *argv[] = {"gcc",
			      "-c",
			      "-O2",
			      "-g",
			      "-ffunction-sections",
			      "-pg",
			      "-mfentry",
			      "-mrecord-mcount",
			      "-fno-pie",
			      path,
			      "-o",
			      object,
			      NULL};
	_cleanup_process_result_ struct rk_process_result res = {};
	struct rk_process_spec spec = {.argv = argv};
	_cleanup_elf_ struct rk_elf *first = NULL, *second = NULL;
	_cleanup_free_ void *image = NULL, *again = NULL;
	size_t size = 0, again_size = 0;

	if (!no_err(rk_fs_write(path, source, strlen(source), 0644), "source") ||
	    !no_err(rk_process_check(&spec, &res), "compiles") ||
	    !no_err(rk_elf_open(object, RK_ELF_LOAD_ALL, &first), "opens"))
		return;
	is_str(elfcheck(first), NULL, "the graph is sound");
	if (!no_err(elfcheck_rewrite(first, &image, &size), "is written") ||
	    !no_err(rk_elf_open_memory("again.o", image, size, RK_ELF_LOAD_ALL, &second),
		    "reads back"))
		return;
	is_str(elfcheck(second), NULL, "the graph is sound");
	is_str(elfcheck_compare(first, second), NULL, "and equal");
	if (no_err(elfcheck_rewrite(second, &again, &again_size), "is written again"))
		is_mem(again, again_size, image, size, "to the same bytes");
}

int main(void)
{
	test_sample();
	test_same_bytes();
	test_readelf();
	test_empty();
	test_refused();
	test_limits();
	test_round_trip();
	return done_testing();
}
