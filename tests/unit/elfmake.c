/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The valid object every malformed one is made from. */
#include "tests/unit/elfmake.h"

#include <stddef.h>
#include <string.h>

static const char strtab[] = "\0unit.c\0local_func\0global_func\0elsewhere";
static const char shstrtab[] =
	"\0.text\0.rela.text\0.data\0.bss\0.note.gnu.build-id\0.symtab\0.symtab_shndx\0.strtab\0.shstrtab";

_Static_assert(sizeof(strtab) <= sizeof(((struct elfmake *)0)->strtab), "strtab is too small");

/* Where s is in a table of strings, which it must be. */
static uint32_t string_at(const char *table, size_t size, const char *s)
{
	for (size_t i = 0; i + strlen(s) < size; i++) {
		if (memcmp(table + i, s, strlen(s) + 1) == 0)
			return (uint32_t)i;
	}
	return UINT32_MAX;
}

static void set_section(struct elfmake *e, int index, const char *name, uint32_t type,
			uint64_t flags, size_t offset, size_t size, uint64_t entsize)
{
	Elf64_Shdr *sh = &e->sh[index];

	sh->sh_name = string_at(e->shstrtab, sizeof(e->shstrtab), name);
	sh->sh_type = type;
	sh->sh_flags = flags;
	sh->sh_offset = offset;
	sh->sh_size = size;
	sh->sh_addralign = 1;
	sh->sh_entsize = entsize;
}

static void set_symbol(struct elfmake *e, int index, const char *name, int bind, int type,
		       uint16_t shndx, uint64_t value, uint64_t size)
{
	Elf64_Sym *sym = &e->sym[index];

	sym->st_name = string_at(e->strtab, sizeof(e->strtab), name);
	sym->st_info = (uint8_t)ELF64_ST_INFO(bind, type);
	sym->st_shndx = shndx;
	sym->st_value = value;
	sym->st_size = size;
}

static void set_header(struct elfmake *e)
{
	memcpy(e->eh.e_ident, ELFMAG, SELFMAG);
	e->eh.e_ident[EI_CLASS] = ELFCLASS64;
	e->eh.e_ident[EI_DATA] = ELFDATA2LSB;
	e->eh.e_ident[EI_VERSION] = EV_CURRENT;
	e->eh.e_type = ET_REL;
	e->eh.e_machine = EM_X86_64;
	e->eh.e_version = EV_CURRENT;
	e->eh.e_shoff = offsetof(struct elfmake, sh);
	e->eh.e_ehsize = sizeof(Elf64_Ehdr);
	e->eh.e_shentsize = sizeof(Elf64_Shdr);
	e->eh.e_shnum = ELFMAKE_NR_SECTIONS;
	e->eh.e_shstrndx = ELFMAKE_SHSTRTAB;
}

static void set_symbols(struct elfmake *e)
{
	set_symbol(e, ELFMAKE_SYM_FILE, "unit.c", STB_LOCAL, STT_FILE, SHN_ABS, 0, 0);
	set_symbol(e, ELFMAKE_SYM_SECTION, "", STB_LOCAL, STT_SECTION, ELFMAKE_TEXT, 0, 0);
	set_symbol(e, ELFMAKE_SYM_LOCAL, "local_func", STB_LOCAL, STT_FUNC, ELFMAKE_TEXT, 8, 8);
	set_symbol(e, ELFMAKE_SYM_GLOBAL, "global_func", STB_GLOBAL, STT_FUNC, ELFMAKE_TEXT, 0, 8);
	set_symbol(e, ELFMAKE_SYM_UNDEF, "elsewhere", STB_GLOBAL, STT_NOTYPE, SHN_UNDEF, 0, 0);
}

#define CONTENT(field) offsetof(struct elfmake, field), sizeof(((struct elfmake *)0)->field)

void elfmake_init(struct elfmake *e)
{
	static const uint8_t text[16] = {0xe8, 0, 0, 0, 0, 0xc3, 0x90, 0x90,
					 0xe9, 0, 0, 0, 0, 0x90, 0x90, 0x90};

	memset(e, 0, sizeof(*e));
	memcpy(e->strtab, strtab, sizeof(strtab));
	_Static_assert(sizeof(shstrtab) <= sizeof(e->shstrtab), "shstrtab is too small");
	memcpy(e->shstrtab, shstrtab, sizeof(shstrtab));
	set_header(e);
	memcpy(e->text, text, sizeof(text));
	e->rela[0] = (Elf64_Rela){1, ELF64_R_INFO(ELFMAKE_SYM_UNDEF, R_X86_64_PLT32), -4};
	e->rela[1] = (Elf64_Rela){9, ELF64_R_INFO(ELFMAKE_SYM_UNDEF, R_X86_64_PLT32), -4};
	memcpy(e->data, "\1\2\3\4\5\6\7\10", sizeof(e->data));
	e->note.nh = (Elf64_Nhdr){sizeof(e->note.name), sizeof(e->note.desc), NT_GNU_BUILD_ID};
	memcpy(e->note.name, "GNU", 4);
	memcpy(e->note.desc, "\xde\xad\xbe\xef\0\1\2\3", sizeof(e->note.desc));
	set_symbols(e);

	set_section(e, ELFMAKE_TEXT, ".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR,
		    CONTENT(text), 0);
	set_section(e, ELFMAKE_RELA, ".rela.text", SHT_RELA, SHF_INFO_LINK, CONTENT(rela),
		    sizeof(Elf64_Rela));
	e->sh[ELFMAKE_RELA].sh_link = ELFMAKE_SYMTAB;
	e->sh[ELFMAKE_RELA].sh_info = ELFMAKE_TEXT;
	set_section(e, ELFMAKE_DATA, ".data", SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, CONTENT(data),
		    0);
	set_section(e, ELFMAKE_BSS, ".bss", SHT_NOBITS, SHF_ALLOC | SHF_WRITE,
		    offsetof(struct elfmake, note), 4096, 0);
	set_section(e, ELFMAKE_NOTE, ".note.gnu.build-id", SHT_NOTE, SHF_ALLOC, CONTENT(note), 0);
	e->sh[ELFMAKE_NOTE].sh_addralign = 4;
	set_section(e, ELFMAKE_SYMTAB, ".symtab", SHT_SYMTAB, 0, CONTENT(sym), sizeof(Elf64_Sym));
	e->sh[ELFMAKE_SYMTAB].sh_link = ELFMAKE_STRTAB;
	e->sh[ELFMAKE_SYMTAB].sh_info = ELFMAKE_SYM_GLOBAL;
	set_section(e, ELFMAKE_SHNDX, ".symtab_shndx", SHT_SYMTAB_SHNDX, 0, CONTENT(shndx),
		    sizeof(uint32_t));
	e->sh[ELFMAKE_SHNDX].sh_link = ELFMAKE_SYMTAB;
	set_section(e, ELFMAKE_STRTAB, ".strtab", SHT_STRTAB, 0, CONTENT(strtab), 0);
	set_section(e, ELFMAKE_SHSTRTAB, ".shstrtab", SHT_STRTAB, 0, CONTENT(shstrtab), 0);
}
