/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An ELF file (gABI, ELF64, little-endian) as a graph: sections, symbols, relocations, connected by
 * pointers, every offset, index and string checked against the file when it was read. Used for
 * relocatable objects (.o, .ko) and for vmlinux. No libelf type is visible here.
 */
#ifndef RK_ELF_ELF_H
#define RK_ELF_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"

/* Kernel: Documentation/livepatch/module-elf-format.rst. */
#define RK_SHF_RELA_LIVEPATCH 0x00100000
#define RK_SHN_LIVEPATCH      0xff20

struct rk_symbol;

/* One relocation (gABI "Relocation", RELA). */
struct rk_reloc {
	uint64_t offset; /* in relocatable files: from the start of the section; else: an address */
	uint32_t type;	 /* R_X86_64_… */
	int64_t addend;
	struct rk_symbol *symbol; /* never NULL; the null symbol (index 0) for none */
};

struct rk_section {
	uint32_t index; /* section header index */
	const char *name;
	uint32_t type;	  /* SHT_… */
	uint64_t flags;	  /* SHF_… */
	uint64_t address; /* sh_addr; 0 in relocatable files */
	uint64_t offset;  /* file offset of the content */
	uint64_t size;	  /* bytes */
	uint64_t align;	  /* at least 1 */
	uint64_t entsize;
	uint32_t link;
	uint32_t info;
	const uint8_t *data; /* size bytes; NULL for SHT_NULL, SHT_NOBITS and SHF_COMPRESSED */
	struct rk_symbol *section_symbol; /* its STT_SECTION symbol, or NULL */
	struct rk_reloc *relocs; /* sorted by offset; NULL until loaded, see rk_elf_load_relocs */
	size_t nr_relocs;
	/* The SHT_RELA section that applies to this one, or NULL. Those with SHF_RELA_LIVEPATCH
	 * don't count, since there may be several: their relocations are in their own relocs. */
	struct rk_section *rela;
	struct rk_symbol **symbols; /* named, defined here; sorted by value, size, index */
	size_t nr_symbols;
};

struct rk_symbol {
	uint32_t index;	  /* in the symbol table */
	const char *name; /* "" for section symbols and the null symbol */
	uint64_t value;	  /* st_value: offset in relocatable files, else an address */
	uint64_t size;
	uint8_t bind;  /* STB_… */
	uint8_t type;  /* STT_… */
	uint8_t other; /* st_other */
	/* Real index (SHN_XINDEX resolved); if section is NULL: SHN_UNDEF, SHN_ABS, SHN_COMMON,
	 * RK_SHN_LIVEPATCH. */
	uint32_t shndx;
	struct rk_section *section; /* NULL for SHN_UNDEF, SHN_ABS and other reserved indices */
	const char *file; /* name of the STT_FILE symbol before it, for local symbols; else NULL */
	uint32_t file_index; /* symbol index of that STT_FILE symbol, 0 if none */
};

struct rk_elf {
	struct rk_arena arena;
	const char *path; /* for messages */
	uint16_t type;	  /* ET_REL, ET_EXEC, ET_DYN */
	uint16_t machine; /* EM_… */
	uint32_t flags;
	struct rk_section *sections; /* [0] is the null section */
	size_t nr_sections;
	struct rk_symbol *symbols; /* [0] is the null symbol; in table order */
	size_t nr_symbols;
	const uint8_t *image; /* the whole file, mapped or borrowed */
	size_t image_size;
	void *map; /* what to unmap; NULL when the image is borrowed */
};

/* How much to read at open. RK_ELF_LOAD_ALL reads the relocations of SHF_ALLOC sections and the
 * SHF_RELA_LIVEPATCH tables; those of other sections (.debug_*), by far the most, always wait for
 * rk_elf_load_relocs(). With RK_ELF_LOAD_NO_RELOCS all wait: vmlinux has 26 million. */
enum rk_elf_load {
	RK_ELF_LOAD_ALL,
	RK_ELF_LOAD_NO_RELOCS
};

/* Opens a regular file (mapped read-only: who truncates it meanwhile kills us, so files that
 * others write are to be copied first). What follows the ELF file proper (a module's signature)
 * is ignored, as are dynamic symbols and their relocations. Errors: RK_ERR_SYS, RK_ERR_FORMAT
 * (names file, section or symbol and what is wrong), RK_ERR_UNSUPPORTED (class, byte order,
 * type, REL), RK_ERR_LIMIT. On success the caller owns *ret. */
struct rk_err *rk_elf_open(const char *path, enum rk_elf_load load, struct rk_elf **ret) __must_use;
/* The same from memory; data must outlive the result. name is for messages. */
struct rk_err *rk_elf_open_memory(const char *name, const void *data, size_t size,
				  enum rk_elf_load load, struct rk_elf **ret) __must_use;
void rk_elf_close(struct rk_elf *elf);

/* Reads the relocations of one section if they aren't yet (no-op without a rela section). Given
 * an SHT_RELA section, reads the table into that section itself. Errors: RK_ERR_FORMAT;
 * RK_ERR_UNSUPPORTED for compressed sections and dynamic relocations. On failure the section is
 * as before. */
struct rk_err *rk_elf_load_relocs(struct rk_elf *elf, struct rk_section *section) __must_use;

/* First section of that name, NULL if none. */
struct rk_section *rk_elf_section(const struct rk_elf *elf, const char *name);
/* First symbol of that name which isn't undefined, global before local; NULL if none. Linear. */
struct rk_symbol *rk_elf_symbol(const struct rk_elf *elf, const char *name);
/* Section of an address, for linked files; NULL if none. Only SHF_ALLOC sections; of sections that
 * overlap (.data..percpu of vmlinux starts at 0) the first. */
struct rk_section *rk_elf_section_at(const struct rk_elf *elf, uint64_t address);
/* Pointer to size bytes at a linked address; NULL if not wholly inside one section with content. */
const uint8_t *rk_elf_at(const struct rk_elf *elf, uint64_t address, uint64_t size);
/* The content of a section that must have one. RK_ERR_UNSUPPORTED if it is compressed,
 * RK_ERR_FORMAT if it has none (SHT_NOBITS). */
struct rk_err *rk_elf_section_data(const struct rk_elf *elf, const struct rk_section *section,
				   const uint8_t **ret) __must_use;
/* First relocation of section with offset >= off (binary search); NULL at the end. */
struct rk_reloc *rk_section_reloc_from(const struct rk_section *section, uint64_t off);

/* The build-id (GNU note NT_GNU_BUILD_ID in the first SHT_NOTE section that has one) as hexadecimal
 * in the file's arena; NULL in *ret if there is none. RK_ERR_FORMAT if a note is malformed. */
struct rk_err *rk_elf_build_id(struct rk_elf *elf, const char **ret) __must_use;
/* The value of key in .modinfo ("vermagic", "srcversion", "depends"), NULL if none. */
const char *rk_elf_modinfo(const struct rk_elf *elf, const char *key);
/* One value after the other, of a key that is there several times; *pos is 0 at first. */
const char *rk_elf_modinfo_next(const struct rk_elf *elf, const char *key, uint64_t *pos);

#define rk_elf_for_each_section(elf, s)                                                            \
	for (struct rk_section *s = (elf)->sections + 1; s < (elf)->sections + (elf)->nr_sections; \
	     s++)
#define rk_elf_for_each_symbol(elf, s) \
	for (struct rk_symbol *s = (elf)->symbols + 1; s < (elf)->symbols + (elf)->nr_symbols; s++)
#define rk_elf_for_each_reloc(section, r)            \
	for (struct rk_reloc *r = (section)->relocs; \
	     r && r < (section)->relocs + (section)->nr_relocs; r++)

static inline void rk_cleanup_elf(struct rk_elf **elf)
{
	if (*elf)
		rk_elf_close(*elf);
}
#define _cleanup_elf_ _cleanup_(rk_cleanup_elf)

#endif
