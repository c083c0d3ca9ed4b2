/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Malformed ELF files, built field by field: each case is the valid object of elfmake.h with the named fields
 * set to the named values, and the error, word for word, that must come of it. Then files cut off at every
 * byte, every byte changed, and oddities that must be tolerated.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/elf/elf.h"
#include "tests/unit/elfcheck.h"
#include "tests/unit/elfmake.h"
#include "tests/unit/tap.h"

struct edit {
	size_t offset;
	size_t size; /* 0 ends a list */
	uint64_t value;
};

#define SET(field, value)                                                                      \
	{                                                                                      \
		offsetof(struct elfmake, field), sizeof(((struct elfmake *)0)->field), (value) \
	}

struct malformed {
	const char *name;
	struct edit edits[5];
	enum rk_err_code code;
	const char *message;
};

#define FORMAT	    RK_ERR_FORMAT
#define UNSUPPORTED RK_ERR_UNSUPPORTED
#define LIMIT	    RK_ERR_LIMIT

/* clang-format off */
static const struct malformed headers[] = {
	{ "magic", { SET(eh.e_ident[EI_MAG1], 'e') }, FORMAT, "'bad.o': not an ELF file" },
	{ "32-bit class", { SET(eh.e_ident[EI_CLASS], ELFCLASS32) }, UNSUPPORTED,
	  "'bad.o': ELF class is 1, only 64-bit is read" },
	{ "class out of range", { SET(eh.e_ident[EI_CLASS], 9) }, UNSUPPORTED,
	  "'bad.o': ELF class is 9, only 64-bit is read" },
	{ "big-endian", { SET(eh.e_ident[EI_DATA], ELFDATA2MSB) }, UNSUPPORTED,
	  "'bad.o': byte order is 2, only little-endian is read" },
	{ "identification version", { SET(eh.e_ident[EI_VERSION], 0) }, FORMAT,
	  "'bad.o': ELF identification has version 0, not 1" },
	{ "header version", { SET(eh.e_version, 2) }, FORMAT,
	  "'bad.o': ELF header has version 2, not 1" },
	{ "type none", { SET(eh.e_type, ET_NONE) }, UNSUPPORTED,
	  "'bad.o': ELF type is 0, only objects and executables are read" },
	{ "core file", { SET(eh.e_type, ET_CORE) }, UNSUPPORTED,
	  "'bad.o': ELF type is 4, only objects and executables are read" },
	{ "size of the ELF header", { SET(eh.e_ehsize, 52) }, FORMAT,
	  "'bad.o': size of the ELF header is 52, not 64" },
	{ "size of a section header", { SET(eh.e_shentsize, 40) }, FORMAT,
	  "'bad.o': size of a section header is 40, not 64" },
	{ "no section headers", { SET(eh.e_shoff, 0) }, FORMAT,
	  "'bad.o': has no section headers" },
	{ "section headers behind the file", { SET(eh.e_shoff, 0x100000) }, FORMAT,
	  "'bad.o': 11 section headers at 0x100000 lie outside of the file" },
	{ "section headers at the end of all", { SET(eh.e_shoff, UINT64_MAX - 8) }, FORMAT,
	  "'bad.o': 11 section headers at 0xfffffffffffffff7 lie outside of the file" },
	{ "one section header too many", { SET(eh.e_shnum, 12) }, FORMAT,
	  "'bad.o': 12 section headers at 0x1e0 lie outside of the file" },
	{ "extended number of sections is 0", { SET(eh.e_shnum, 0) }, FORMAT,
	  "'bad.o': has no sections" },
	{ "extended number of sections too large",
	  { SET(eh.e_shnum, 0), SET(sh[0].sh_size, 1ull << 40) }, LIMIT,
	  "'bad.o': 1099511627776 sections, the limit is 1048576" },
	{ "extended number of sections behind the file",
	  { SET(eh.e_shnum, 0), SET(sh[0].sh_size, 70000) }, FORMAT,
	  "'bad.o': 70000 section headers at 0x1e0 lie outside of the file" },
	{ "extended number of sections can't be read",
	  { SET(eh.e_shnum, 0), SET(eh.e_shoff, sizeof(struct elfmake) - 8) }, FORMAT,
	  "'bad.o': section headers at 0x498 lie outside of the file" },
	{ "no section names", { SET(eh.e_shstrndx, 0) }, FORMAT,
	  "'bad.o': section names are in section 0, but there are 11 sections" },
	{ "section names out of range", { SET(eh.e_shstrndx, 11) }, FORMAT,
	  "'bad.o': section names are in section 11, but there are 11 sections" },
	{ "extended index of section names out of range",
	  { SET(eh.e_shstrndx, SHN_XINDEX), SET(sh[0].sh_link, 77777) }, FORMAT,
	  "'bad.o': section names are in section 77777, but there are 11 sections" },
	{ "section names in a section of another type", { SET(eh.e_shstrndx, ELFMAKE_DATA) }, FORMAT,
	  "'bad.o': section 3 '': used as string table but has type 1" },
};

static const struct malformed sections[] = {
	{ "section name out of range", { SET(sh[ELFMAKE_TEXT].sh_name, 96) }, FORMAT,
	  "'bad.o': section 1: name at 96 lies outside of the name table" },
	{ "section names without NUL", { SET(shstrtab[95], 'x') }, FORMAT,
	  "'bad.o': section 9 '': the string table does not end with a NUL byte" },
	{ "section names of size 0", { SET(sh[ELFMAKE_SHSTRTAB].sh_size, 0) }, FORMAT,
	  "'bad.o': section 9 '': the string table does not end with a NUL byte" },
	{ "section names behind the file", { SET(sh[ELFMAKE_SHSTRTAB].sh_offset, 0x10000) }, FORMAT,
	  "'bad.o': section 9 '': content at 0x10000, 0x60 bytes, lies outside of the file of 0x4a0 bytes" },
	{ "section names without content", { SET(sh[ELFMAKE_SHSTRTAB].sh_type, SHT_NOBITS) }, FORMAT,
	  "'bad.o': section 9 '': used as string table but has type 8" },
	{ "section names compressed", { SET(sh[ELFMAKE_SHSTRTAB].sh_flags, SHF_COMPRESSED) }, UNSUPPORTED,
	  "'bad.o': section 9 '': the string table is compressed" },
	{ "content behind the file", { SET(sh[ELFMAKE_TEXT].sh_offset, 0x4a1) }, FORMAT,
	  "'bad.o': section 1 '.text': content at 0x4a1, 0x10 bytes, lies outside of the file of 0x4a0 bytes" },
	{ "content ends behind the file", { SET(sh[ELFMAKE_TEXT].sh_offset, 0x491) }, FORMAT,
	  "'bad.o': section 1 '.text': content at 0x491, 0x10 bytes, lies outside of the file of 0x4a0 bytes" },
	{ "offset plus size overflows", { SET(sh[ELFMAKE_TEXT].sh_offset, UINT64_MAX) }, FORMAT,
	  "'bad.o': section 1 '.text': content at 0xffffffffffffffff, 0x10 bytes, lies outside of the file of 0x4a0 bytes" },
	{ "size is huge", { SET(sh[ELFMAKE_TEXT].sh_size, UINT64_MAX) }, FORMAT,
	  "'bad.o': section 1 '.text': content at 0x40, 0xffffffffffffffff bytes, lies outside of the file of 0x4a0 bytes" },
	{ "alignment 3", { SET(sh[ELFMAKE_DATA].sh_addralign, 3) }, FORMAT,
	  "'bad.o': section 3 '.data': alignment 3 is not a power of two" },
	{ "address in an object", { SET(sh[ELFMAKE_DATA].sh_addr, 0x1000) }, FORMAT,
	  "'bad.o': section 3 '.data': has address 0x1000 in a relocatable file" },
	{ "address plus size overflows",
	  { SET(eh.e_type, ET_EXEC), SET(sh[ELFMAKE_BSS].sh_addr, UINT64_MAX - 4095) }, FORMAT,
	  "'bad.o': section 4 '.bss': address 0xfffffffffffff000 plus size 0x1000 overflows" },
	{ "control bytes in a name", { SET(shstrtab[1], 033), SET(sh[ELFMAKE_TEXT].sh_addralign, 3) }, FORMAT,
	  "'bad.o': section 1 '?text': alignment 3 is not a power of two" },
};

static const struct malformed symbols[] = {
	{ "symbol entry size", { SET(sh[ELFMAKE_SYMTAB].sh_entsize, 23) }, FORMAT,
	  "'bad.o': section 6 '.symtab': size of an entry is 23, not 24" },
	{ "symbol entry size 0", { SET(sh[ELFMAKE_SYMTAB].sh_entsize, 0) }, FORMAT,
	  "'bad.o': section 6 '.symtab': size of an entry is 0, not 24" },
	{ "symbol table of size 0", { SET(sh[ELFMAKE_SYMTAB].sh_size, 0) }, FORMAT,
	  "'bad.o': section 6 '.symtab': size 0 is not a positive multiple of 24" },
	{ "half a symbol", { SET(sh[ELFMAKE_SYMTAB].sh_size, 60) }, FORMAT,
	  "'bad.o': section 6 '.symtab': size 60 is not a positive multiple of 24" },
	{ "symbol table compressed", { SET(sh[ELFMAKE_SYMTAB].sh_flags, SHF_COMPRESSED) }, UNSUPPORTED,
	  "'bad.o': section 6 '.symtab': the symbol table is compressed" },
	{ "two symbol tables", { SET(sh[ELFMAKE_DATA].sh_type, SHT_SYMTAB) }, FORMAT,
	  "'bad.o': section 6 '.symtab': a second symbol table beside section 3" },
	{ "first global behind the table", { SET(sh[ELFMAKE_SYMTAB].sh_info, 7) }, FORMAT,
	  "'bad.o': section 6 '.symtab': first global symbol is said to be 7, but there are 6 symbols" },
	{ "first global too late", { SET(sh[ELFMAKE_SYMTAB].sh_info, 5) }, FORMAT,
	  "'bad.o': symbol 4 'global_func': global symbol before the first global one, symbol 5" },
	{ "first global too early", { SET(sh[ELFMAKE_SYMTAB].sh_info, 3) }, FORMAT,
	  "'bad.o': symbol 3 'local_func': local symbol behind the first global one, symbol 3" },
	{ "no string table", { SET(sh[ELFMAKE_SYMTAB].sh_link, 0) }, FORMAT,
	  "'bad.o': section 6 '.symtab': linked string table is section 0, but there are 11 sections" },
	{ "string table out of range", { SET(sh[ELFMAKE_SYMTAB].sh_link, 0xffffffff) }, FORMAT,
	  "'bad.o': section 6 '.symtab': linked string table is section 4294967295, but there are 11 sections" },
	{ "string table is the symbol table", { SET(sh[ELFMAKE_SYMTAB].sh_link, ELFMAKE_SYMTAB) }, FORMAT,
	  "'bad.o': section 6 '.symtab': used as string table but has type 2" },
	{ "string table without NUL", { SET(strtab[47], 'x') }, FORMAT,
	  "'bad.o': section 8 '.strtab': the string table does not end with a NUL byte" },
	{ "string table of size 0", { SET(sh[ELFMAKE_STRTAB].sh_size, 0) }, FORMAT,
	  "'bad.o': section 8 '.strtab': the string table does not end with a NUL byte" },
	{ "symbol name out of range", { SET(sym[ELFMAKE_SYM_GLOBAL].st_name, 48) }, FORMAT,
	  "'bad.o': symbol 4 '': name at 48 lies outside of the string table" },
	{ "symbol name far out of range", { SET(sym[ELFMAKE_SYM_GLOBAL].st_name, 0xffffffff) }, FORMAT,
	  "'bad.o': symbol 4 '': name at 4294967295 lies outside of the string table" },
	{ "symbol's section out of range", { SET(sym[ELFMAKE_SYM_GLOBAL].st_shndx, 11) }, FORMAT,
	  "'bad.o': symbol 4 'global_func': it is in section 11, but there are 11 sections" },
	{ "extended section index out of range",
	  { SET(sym[ELFMAKE_SYM_GLOBAL].st_shndx, SHN_XINDEX), SET(shndx[ELFMAKE_SYM_GLOBAL], 70000) }, FORMAT,
	  "'bad.o': symbol 4 'global_func': it is in section 70000, but there are 11 sections" },
	{ "extended section index is 0", { SET(sym[ELFMAKE_SYM_GLOBAL].st_shndx, SHN_XINDEX) }, FORMAT,
	  "'bad.o': symbol 4 'global_func': it is in section 0, but there are 11 sections" },
	{ "no table of extended section indices",
	  { SET(sym[ELFMAKE_SYM_GLOBAL].st_shndx, SHN_XINDEX), SET(sh[ELFMAKE_SHNDX].sh_link, 0) }, FORMAT,
	  "'bad.o': symbol 4 'global_func': its section index is extended, but there is no table of them" },
	{ "table of extended section indices too short", { SET(sh[ELFMAKE_SHNDX].sh_size, 20) }, FORMAT,
	  "'bad.o': section 7 '.symtab_shndx': 20 bytes are too few for 6 symbols" },
	{ "table of extended section indices without content", { SET(sh[ELFMAKE_SHNDX].sh_flags, SHF_COMPRESSED) },
	  FORMAT, "'bad.o': section 7 '.symtab_shndx': has no content" },
	{ "symbol behind its section", { SET(sym[ELFMAKE_SYM_GLOBAL].st_value, 17) }, FORMAT,
	  "'bad.o': symbol 4 'global_func': 0x11 plus 0x8 bytes lies outside of section '.text' of 0x10 bytes" },
	{ "symbol ends behind its section", { SET(sym[ELFMAKE_SYM_LOCAL].st_size, 9) }, FORMAT,
	  "'bad.o': symbol 3 'local_func': 0x8 plus 0x9 bytes lies outside of section '.text' of 0x10 bytes" },
	{ "symbol's value plus size overflows", { SET(sym[ELFMAKE_SYM_LOCAL].st_size, UINT64_MAX) }, FORMAT,
	  "'bad.o': symbol 3 'local_func': 0x8 plus 0xffffffffffffffff bytes lies outside of section '.text' of 0x10 bytes" },
	{ "symbol in a section without a table entry", { SET(sym[ELFMAKE_SYM_LOCAL].st_shndx, ELFMAKE_SPARE) }, FORMAT,
	  "'bad.o': symbol 3 'local_func': 0x8 plus 0x8 bytes lies outside of section '' of 0x0 bytes" },
};

static const struct malformed relocs[] = {
	{ "relocation entry size", { SET(sh[ELFMAKE_RELA].sh_entsize, 16) }, FORMAT,
	  "'bad.o': section 2 '.rela.text': size of an entry is 16, not 24" },
	{ "half a relocation", { SET(sh[ELFMAKE_RELA].sh_size, 36) }, FORMAT,
	  "'bad.o': section 2 '.rela.text': size 36 is not a multiple of 24" },
	{ "relocations against no table", { SET(sh[ELFMAKE_RELA].sh_link, 0) }, FORMAT,
	  "'bad.o': section 2 '.rela.text': its relocations use section 0, which is no symbol table" },
	{ "relocations against another table", { SET(sh[ELFMAKE_RELA].sh_link, ELFMAKE_STRTAB) }, FORMAT,
	  "'bad.o': section 2 '.rela.text': its relocations use section 8, which is no symbol table" },
	{ "relocations' table out of range", { SET(sh[ELFMAKE_RELA].sh_link, 0x80000000) }, FORMAT,
	  "'bad.o': section 2 '.rela.text': its relocations use section 2147483648, which is no symbol table" },
	{ "relocations of no section", { SET(sh[ELFMAKE_RELA].sh_info, 0) }, FORMAT,
	  "'bad.o': section 2 '.rela.text': its relocations apply to section 0, but there are 11 sections" },
	{ "relocated section out of range", { SET(sh[ELFMAKE_RELA].sh_info, 11) }, FORMAT,
	  "'bad.o': section 2 '.rela.text': its relocations apply to section 11, but there are 11 sections" },
	{ "relocations of themselves", { SET(sh[ELFMAKE_RELA].sh_info, ELFMAKE_RELA) }, FORMAT,
	  "'bad.o': section 2 '.rela.text': its relocations apply to section '.rela.text', which can't have any" },
	{ "relocations of .bss", { SET(sh[ELFMAKE_RELA].sh_info, ELFMAKE_BSS) }, FORMAT,
	  "'bad.o': section 2 '.rela.text': its relocations apply to section '.bss', which can't have any" },
	{ "relocations of an inactive section", { SET(sh[ELFMAKE_RELA].sh_info, ELFMAKE_SPARE) }, FORMAT,
	  "'bad.o': section 2 '.rela.text': its relocations apply to section '', which can't have any" },
	{ "two relocation sections",
	  { SET(sh[ELFMAKE_SPARE].sh_type, SHT_RELA), SET(sh[ELFMAKE_SPARE].sh_link, ELFMAKE_SYMTAB),
	    SET(sh[ELFMAKE_SPARE].sh_info, ELFMAKE_TEXT), SET(sh[ELFMAKE_SPARE].sh_entsize, 24) }, FORMAT,
	  "'bad.o': section 10 '': its relocations apply to section '.text', as those of section 2 do" },
	{ "relocations without addends", { SET(sh[ELFMAKE_RELA].sh_type, SHT_REL) }, UNSUPPORTED,
	  "'bad.o': section 2 '.rela.text': relocations without addends are not read" },
	{ "relocation's symbol out of range", { SET(rela[1].r_info, ELF64_R_INFO(6ull, R_X86_64_PC32)) }, FORMAT,
	  "'bad.o': section 2 '.rela.text': relocation 1: symbol 6, but there are 6 symbols" },
	{ "relocation behind its section", { SET(rela[0].r_offset, 16) }, FORMAT,
	  "'bad.o': section 2 '.rela.text': relocation 0: place 0x10 lies outside of section '.text'" },
	{ "relocation far behind its section", { SET(rela[1].r_offset, UINT64_MAX) }, FORMAT,
	  "'bad.o': section 2 '.rela.text': relocation 1: place 0xffffffffffffffff lies outside of section '.text'" },
	{ "relocation before its section",
	  { SET(eh.e_type, ET_EXEC), SET(sh[ELFMAKE_TEXT].sh_addr, 0x1000) }, FORMAT,
	  "'bad.o': section 2 '.rela.text': relocation 0: place 0x1 lies outside of section '.text'" },
	{ "relocation of an empty section",
	  { SET(sh[ELFMAKE_RELA].sh_info, ELFMAKE_DATA), SET(sh[ELFMAKE_DATA].sh_size, 0) }, FORMAT,
	  "'bad.o': section 2 '.rela.text': relocation 0: place 0x1 lies outside of section '.data'" },
};

/* What is odd but not wrong. */
static const struct malformed tolerated[] = {
	{ "unchanged", {}, 0, NULL },
	{ "program headers", { SET(eh.e_phoff, 1), SET(eh.e_phnum, 9) }, 0, NULL },
	{ "overlapping sections", { SET(sh[ELFMAKE_DATA].sh_offset, offsetof(struct elfmake, text)) }, 0, NULL },
	{ "empty section", { SET(sh[ELFMAKE_DATA].sh_size, 0) }, 0, NULL },
	{ "empty section at the end of the file",
	  { SET(sh[ELFMAKE_DATA].sh_size, 0), SET(sh[ELFMAKE_DATA].sh_offset, sizeof(struct elfmake)) }, 0, NULL },
	{ "empty relocation section", { SET(sh[ELFMAKE_RELA].sh_size, 0) }, 0, NULL },
	{ "nonsense in an inactive section",
	  { SET(sh[ELFMAKE_SPARE].sh_offset, UINT64_MAX), SET(sh[ELFMAKE_SPARE].sh_size, UINT64_MAX),
	    SET(sh[ELFMAKE_SPARE].sh_addralign, 3), SET(sh[ELFMAKE_SPARE].sh_name, 0xffff) }, 0, NULL },
	{ ".bss of 8 EiB", { SET(sh[ELFMAKE_BSS].sh_size, 1ull << 63) }, 0, NULL },
	{ "alignment 0", { SET(sh[ELFMAKE_DATA].sh_addralign, 0) }, 0, NULL },
	{ "unknown machine", { SET(eh.e_machine, 0xbeef) }, 0, NULL },
	{ "unknown relocation type", { SET(rela[0].r_info, ELF64_R_INFO((uint64_t)ELFMAKE_SYM_UNDEF, 250)) }, 0, NULL },
	{ "unknown reserved section index", { SET(sym[ELFMAKE_SYM_UNDEF].st_shndx, 0xff77) }, 0, NULL },
	{ "relocation against nothing", { SET(rela[0].r_info, 0) }, 0, NULL },
	{ "extended number of sections", { SET(eh.e_shnum, 0), SET(sh[0].sh_size, ELFMAKE_NR_SECTIONS) }, 0, NULL },
	{ "extended index of section names",
	  { SET(eh.e_shstrndx, SHN_XINDEX), SET(sh[0].sh_link, ELFMAKE_SHSTRTAB) }, 0, NULL },
};
/* clang-format on */

static void apply(struct elfmake *e, const struct edit *edits)
{
	for (size_t i = 0; i < 5 && edits[i].size; i++)
		memcpy((char *)e + edits[i].offset, &edits[i].value, edits[i].size);
}

/* From a copy that ends where the file does, so that the sanitizer sees reads behind it. */
static struct rk_err *open_copy(const void *image, size_t size, struct rk_elf **ret,
				void **ret_copy)
{
	void *copy = malloc(size ? size : 1);

	if (!copy)
		bail_out("out of memory");
	memcpy(copy, image, size);
	*ret_copy = copy;
	return rk_elf_open_memory("bad.o", copy, size, RK_ELF_LOAD_ALL, ret);
}

static void test_refused(const struct malformed *cases, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		_cleanup_free_ void *copy = NULL;
		_cleanup_elf_ struct rk_elf *elf = NULL;
		struct elfmake e;

		elfmake_init(&e);
		apply(&e, cases[i].edits);
		is_err(open_copy(&e, sizeof(e), &elf, &copy), cases[i].code, cases[i].message,
		       cases[i].name);
		if (elf)
			diag("%s: the result was touched", cases[i].name);
	}
}

static void test_tolerated(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(tolerated); i++) {
		_cleanup_free_ void *copy = NULL;
		_cleanup_elf_ struct rk_elf *elf = NULL;
		struct elfmake e;

		elfmake_init(&e);
		apply(&e, tolerated[i].edits);
		if (no_err(open_copy(&e, sizeof(e), &elf, &copy), tolerated[i].name))
			is_str(elfcheck(elf), NULL, tolerated[i].name);
	}
}

/* Section headers come last, so nothing shorter than the whole can be read. */
static void test_cut_off(void)
{
	struct elfmake e;
	size_t wrong = 0;

	elfmake_init(&e);
	for (size_t size = 0; size < sizeof(e); size++) {
		_cleanup_free_ void *copy = NULL;
		_cleanup_elf_ struct rk_elf *elf = NULL;
		_cleanup_err_ struct rk_err *err = open_copy(&e, size, &elf, &copy);
		const char *part = size < SELFMAG ? "not an ELF file"
				   : size < sizeof(Elf64_Ehdr)
					   ? "ELF header is cut off: "
					   : "11 section headers at 0x1e0 lie outside";

		if (!err || rk_err_code(err) != RK_ERR_FORMAT ||
		    !strstr(rk_err_message(err), part)) {
			if (wrong++ < 10)
				diag("%zu bytes: %s", size, err ? rk_err_message(err) : "no error");
		}
	}
	is_int((long long)wrong, 0, "cut off at every byte");
	for (size_t size = 1; size < 64; size++) {
		_cleanup_free_ void *copy = NULL;
		_cleanup_elf_ struct rk_elf *elf = NULL;
		char message[80];

		if (size < 4)
			continue;
		snprintf(message, sizeof(message),
			 "'bad.o': ELF header is cut off: %zu bytes of 64 are there", size);
		is_err(open_copy(&e, size, &elf, &copy), RK_ERR_FORMAT, message,
		       "cut off in the header");
		size += 19;
	}
}

/* Whatever one byte says: an error that names the file, or a graph that keeps its promises. */
static void test_every_byte(void)
{
	static const uint8_t values[] = {0x00, 0x01, 0x08, 0x7f, 0x80, 0xfe, 0xff};
	size_t wrong = 0, refused = 0;

	for (size_t i = 0; i < sizeof(struct elfmake) * ARRAY_SIZE(values); i++) {
		_cleanup_free_ void *copy = NULL;
		_cleanup_elf_ struct rk_elf *elf = NULL;
		_cleanup_err_ struct rk_err *err = NULL;
		const char *broken = NULL;
		struct elfmake e;

		elfmake_init(&e);
		((uint8_t *)&e)[i / ARRAY_SIZE(values)] = values[i % ARRAY_SIZE(values)];
		err = open_copy(&e, sizeof(e), &elf, &copy);
		if (err && strncmp(rk_err_message(err), "'bad.o': ", 9) != 0)
			broken = rk_err_message(err);
		else if (!err)
			broken = elfcheck(elf);
		refused += err != NULL;
		if (broken) {
			if (wrong++ < 10)
				diag("byte 0x%zx set to 0x%x: %s", i / ARRAY_SIZE(values),
				     values[i % ARRAY_SIZE(values)], broken);
		}
	}
	is_int((long long)wrong, 0, "every byte changed");
	ok(refused > 500, "%zu changes of one byte were noticed", refused);
}

/* A module's signature follows the ELF file. */
static void test_appended(void)
{
	static const char signature[] = "~Module signature appended~\n";
	_cleanup_elf_ struct rk_elf *elf = NULL;
	_cleanup_free_ void *copy = NULL;
	uint8_t image[sizeof(struct elfmake) + sizeof(signature)];
	struct elfmake e;

	elfmake_init(&e);
	memcpy(image, &e, sizeof(e));
	memcpy(image + sizeof(e), signature, sizeof(signature));
	if (no_err(open_copy(image, sizeof(image), &elf, &copy), "an appended signature"))
		is_int((long long)elf->nr_symbols, ELFMAKE_NR_SYMBOLS, "is not in the way");
}

static struct rk_section *open_edited(const struct edit *edits, int index, struct rk_elf **ret,
				      void **ret_copy)
{
	struct elfmake e;

	elfmake_init(&e);
	apply(&e, edits);
	if (!no_err(open_copy(&e, sizeof(e), ret, ret_copy), "opens"))
		bail_out("the valid object can't be opened");
	return &(*ret)->sections[index];
}

/* What is wrong only for those who ask for it. */
static void test_asked_for(void)
{
	static const struct edit compressed[5] = {SET(sh[ELFMAKE_DATA].sh_flags, SHF_COMPRESSED),
						  SET(sh[ELFMAKE_RELA].sh_info, ELFMAKE_DATA)};
	static const struct edit dynamic[5] = {SET(eh.e_type, ET_DYN),
					       SET(sh[ELFMAKE_RELA].sh_link, ELFMAKE_STRTAB)};
	static const struct edit debug[5] = {SET(sh[ELFMAKE_TEXT].sh_flags, 0),
					     SET(rela[0].r_offset, 99)};
	static const struct edit note[5] = {SET(note.nh.n_descsz, 9)};
	static const struct edit note_name[5] = {SET(note.nh.n_namesz, 0xffffffff)};
	_cleanup_elf_ struct rk_elf *a = NULL, *b = NULL, *c = NULL, *d = NULL, *f = NULL;
	_cleanup_free_ void *ac = NULL, *bc = NULL, *cc = NULL, *dc = NULL, *fc = NULL;
	const uint8_t *data = NULL;
	const char *id = NULL;
	struct rk_section *s;

	s = open_edited(compressed, ELFMAKE_DATA, &a, &ac);
	is_err(rk_elf_section_data(a, s, &data), RK_ERR_UNSUPPORTED,
	       "'bad.o': section 3 '.data': compressed sections are not read",
	       "content of a compressed section");
	is_err(rk_elf_load_relocs(a, s), RK_ERR_UNSUPPORTED,
	       "'bad.o': section 3 '.data': relocations of compressed sections are not read",
	       "relocations of a compressed section");
	is_err(rk_elf_section_data(a, &a->sections[ELFMAKE_BSS], &data), RK_ERR_FORMAT,
	       "'bad.o': section 4 '.bss': has no content", "content of .bss");
	s = open_edited(dynamic, ELFMAKE_RELA, &b, &bc);
	is_err(rk_elf_load_relocs(b, s), RK_ERR_UNSUPPORTED,
	       "'bad.o': section 2 '.rela.text': dynamic relocations are not read",
	       "dynamic relocations");
	s = open_edited(debug, ELFMAKE_TEXT, &c, &cc);
	ok(!s->relocs, "relocations of sections that aren't loaded wait");
	is_err(rk_elf_load_relocs(c, s), RK_ERR_FORMAT,
	       "'bad.o': section 2 '.rela.text': relocation 0: place 0x63 lies outside of section '.text'",
	       "and are checked when they are read");
	ok(!s->relocs && s->nr_relocs == 0, "a failure leaves the section as it was");
	(void)open_edited(note, ELFMAKE_NOTE, &d, &dc);
	is_err(rk_elf_build_id(d, &id), RK_ERR_FORMAT,
	       "'bad.o': section 5 '.note.gnu.build-id': the note at 0x0 is longer than the section",
	       "a note that is too long");
	(void)open_edited(note_name, ELFMAKE_NOTE, &f, &fc);
	is_err(rk_elf_build_id(f, &id), RK_ERR_FORMAT,
	       "'bad.o': section 5 '.note.gnu.build-id': the note at 0x0 is longer than the section",
	       "a note whose name is too long");
	is_str(id, NULL, "results are untouched on failure");
}

int main(void)
{
	test_refused(headers, ARRAY_SIZE(headers));
	test_refused(sections, ARRAY_SIZE(sections));
	test_refused(symbols, ARRAY_SIZE(symbols));
	test_refused(relocs, ARRAY_SIZE(relocs));
	test_tolerated();
	test_cut_off();
	test_every_byte();
	test_appended();
	test_asked_for();
	return done_testing();
}
