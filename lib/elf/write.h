/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing a relocatable ELF file: the caller adds sections, symbols and relocations in the order it
 * wants them; the result is laid out deterministically (same calls, same bytes). Local symbols are
 * moved before global ones as the gABI demands, otherwise order is kept.
 */
#ifndef RK_ELF_WRITE_H
#define RK_ELF_WRITE_H

#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"

struct rk_elf_writer;
struct rk_out_section; /* handles, valid as long as the writer */
struct rk_out_symbol;

struct rk_err *rk_elf_writer_create(uint16_t machine, struct rk_elf_writer **ret) __must_use;
void rk_elf_writer_destroy(struct rk_elf_writer *w); /* NULL is allowed */

/* Adds a section; data is borrowed until rk_elf_writer_finish (NULL with SHT_NOBITS). Errors of
 * this and the following: RK_ERR_INVALID for what rk_elf_open() would refuse, RK_ERR_LIMIT. */
struct rk_err *rk_elf_writer_section(struct rk_elf_writer *w, const char *name, uint32_t type,
				     uint64_t flags, uint64_t align, uint64_t entsize,
				     const void *data, uint64_t size, struct rk_out_section **ret)
	__must_use;
/* Adds a symbol; section NULL means shndx is taken as given (SHN_UNDEF, SHN_ABS,
 * RK_SHN_LIVEPATCH). */
struct rk_err *rk_elf_writer_symbol(struct rk_elf_writer *w, const char *name,
				    struct rk_out_section *section, uint16_t shndx, uint64_t value,
				    uint64_t size, uint8_t bind, uint8_t type,
				    struct rk_out_symbol **ret) __must_use;
/* The section's STT_SECTION symbol, made at the first call. */
struct rk_err *rk_elf_writer_section_symbol(struct rk_elf_writer *w, struct rk_out_section *section,
					    struct rk_out_symbol **ret) __must_use;
/* Adds a RELA section named name that applies to section; extra_flags besides SHF_INFO_LINK (for
 * example SHF_ALLOC | SHF_RELA_LIVEPATCH). Several may apply to one section (kernel:
 * Documentation/livepatch/module-elf-format.rst). */
struct rk_err *rk_elf_writer_rela(struct rk_elf_writer *w, const char *name,
				  struct rk_out_section *section, uint64_t extra_flags,
				  struct rk_out_section **ret) __must_use;
/* Relocations stay in the order they are added; symbol NULL is the null symbol. */
struct rk_err *rk_elf_writer_reloc(struct rk_out_section *rela, uint64_t offset, uint32_t type,
				   struct rk_out_symbol *symbol, int64_t addend) __must_use;
/* Lays out and serialises; *ret is malloc'ed. The writer can only be destroyed afterwards. */
struct rk_err *rk_elf_writer_finish(struct rk_elf_writer *w, void **ret, size_t *ret_size)
	__must_use;

static inline void rk_cleanup_elf_writer(struct rk_elf_writer **w)
{
	rk_elf_writer_destroy(*w);
}
#define _cleanup_elf_writer_ _cleanup_(rk_cleanup_elf_writer)

#endif
