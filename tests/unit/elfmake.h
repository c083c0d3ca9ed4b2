/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An ELF object spelled out field by field: the image of the file is one C struct, so that a test breaks
 * exactly the field it names, e->sh[ELFMAKE_TEXT].sh_size = 17. As elfmake_init() leaves it, it is valid:
 * 16 bytes of code with two relocations, 8 bytes of data, a .bss, a note and six symbols.
 */
#ifndef RK_TESTS_UNIT_ELFMAKE_H
#define RK_TESTS_UNIT_ELFMAKE_H

#include <elf.h>
#include <stdint.h>

/* Section header indices. */
enum {
	ELFMAKE_TEXT = 1,
	ELFMAKE_RELA,
	ELFMAKE_DATA,
	ELFMAKE_BSS,
	ELFMAKE_NOTE,
	ELFMAKE_SYMTAB,
	ELFMAKE_SHNDX,
	ELFMAKE_STRTAB,
	ELFMAKE_SHSTRTAB,
	ELFMAKE_SPARE, /* SHT_NULL: a case may make a section of it */
	ELFMAKE_NR_SECTIONS,
};

/* Symbol indices; the locals come first. */
enum {
	ELFMAKE_SYM_FILE = 1, /* "unit.c" */
	ELFMAKE_SYM_SECTION,  /* .text */
	ELFMAKE_SYM_LOCAL,    /* local_func, the last 8 bytes of .text */
	ELFMAKE_SYM_GLOBAL,   /* global_func, the first 8 bytes of .text */
	ELFMAKE_SYM_UNDEF,    /* elsewhere */
	ELFMAKE_NR_SYMBOLS,
};

struct elfmake_note {
	Elf64_Nhdr nh;
	char name[4];
	uint8_t desc[8];
};

struct elfmake {
	Elf64_Ehdr eh;
	uint8_t text[16];
	Elf64_Rela rela[2];
	uint8_t data[8];
	struct elfmake_note note;
	uint32_t padding;
	Elf64_Sym sym[ELFMAKE_NR_SYMBOLS];
	uint32_t shndx[ELFMAKE_NR_SYMBOLS];
	char strtab[48];
	char shstrtab[96];
	Elf64_Shdr sh[ELFMAKE_NR_SECTIONS];
};

void elfmake_init(struct elfmake *e);

#endif
