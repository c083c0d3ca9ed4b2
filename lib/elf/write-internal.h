/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The writer's model of the file to be, filled by write.c and laid out by serialise.c. */
#ifndef RK_ELF_WRITE_INTERNAL_H
#define RK_ELF_WRITE_INTERNAL_H

#include "lib/base/vec.h"
#include "lib/elf/internal.h"
#include "lib/elf/write.h"

/* The kernel's module loader knows no extended section numbers; three sections are ours. */
#define RK_ELF_WRITER_MAX_SECTIONS (SHN_LORESERVE - 4u)

struct rk_out_reloc {
	uint64_t offset;
	uint32_t type;
	struct rk_out_symbol *symbol; /* NULL for the null symbol */
	int64_t addend;
};

struct rk_out_section {
	const struct rk_elf_writer *writer;
	const char *name;
	uint32_t index;
	uint32_t type;
	uint64_t flags;
	uint64_t align;
	uint64_t entsize;
	const void *data;
	uint64_t size;
	struct rk_out_section *rela_of; /* for SHT_RELA */
	bool has_rela;			/* an SHT_RELA without SHF_RELA_LIVEPATCH applies to it */
	rk_vec(struct rk_out_reloc) relocs;
	struct rk_out_symbol *symbol; /* its STT_SECTION symbol, NULL until asked for */
	uint32_t name_offset;	      /* from here on: set by serialise.c */
	uint64_t offset;
};

struct rk_out_symbol {
	const struct rk_elf_writer *writer;
	const char *name;
	struct rk_out_section *section;
	uint16_t shndx; /* when section is NULL */
	uint64_t value;
	uint64_t size;
	uint8_t bind;
	uint8_t type;
	uint32_t index; /* set by serialise.c */
	uint32_t name_offset;
};

struct rk_elf_writer {
	struct rk_arena arena;
	uint16_t machine;
	bool finished;
	rk_vec(struct rk_out_section *) sections;
	rk_vec(struct rk_out_symbol *) symbols;
};

#endif
