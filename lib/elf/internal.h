/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of lib/elf share and nobody else sees: the one bounds-checked way from a file offset to
 * bytes, little-endian loads that need no alignment, the limits, and errors that name file and section.
 */
#ifndef RK_ELF_INTERNAL_H
#define RK_ELF_INTERNAL_H

#include <elf.h>
#include <endian.h>
#include <string.h>

#include "lib/elf/elf.h"

/* A vmlinux of an all-yes configuration with debug info stays below 4 GiB. */
#define RK_ELF_MAX_FILE (8ull << 30)
/* -ffunction-sections gives two or three sections a function; the largest units have 10,000. */
#define RK_ELF_MAX_SECTIONS (1u << 20)
/* A distribution's vmlinux has 120,000, one with every option about a million. */
#define RK_ELF_MAX_SYMBOLS (1u << 24)
/* .rela.debug_info of a distribution's vmlinux has 11 million. */
#define RK_ELF_MAX_RELOCS (1u << 26)
/* Longer names are cut in messages. */
#define RK_ELF_QUOTE_MAX 80

/* size bytes at a file offset; NULL if one of them lies outside of the file. */
static inline const uint8_t *rk_image_at(const struct rk_elf *elf, uint64_t offset, uint64_t size)
{
	if (offset > elf->image_size || size > elf->image_size - offset)
		return NULL;
	return elf->image + offset;
}

static inline uint16_t rk_load16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return le16toh(v);
}

static inline uint32_t rk_load32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

static inline uint64_t rk_load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

static inline bool rk_is_linked(const struct rk_elf *elf)
{
	return elf->type != ET_REL;
}

/* A name from the file made fit for a message: no control bytes, at most RK_ELF_QUOTE_MAX bytes. */
struct rk_elf_quoted {
	char s[RK_ELF_QUOTE_MAX + 4];
};
struct rk_elf_quoted rk_elf_quote(const char *name);

/* "'<path>': <text>" */
struct rk_err *rk_elf_err(const struct rk_elf *elf, enum rk_err_code code, const char *fmt, ...)
	__must_use __printf(3, 4) __attribute__((returns_nonnull));
/* "'<path>': section <n> '<name>': <text>" */
struct rk_err *rk_elf_section_err(const struct rk_elf *elf, const struct rk_section *section,
				  enum rk_err_code code, const char *fmt, ...)
	__must_use __printf(4, 5);

/* A string of a string table section; NULL if offset is outside of it. Needs rk_elf_check_strtab. */
const char *rk_elf_string(const struct rk_section *strtab, uint64_t offset);
/* section is an SHT_STRTAB whose last byte is NUL; user says whose it is. */
struct rk_err *rk_elf_check_strtab(const struct rk_elf *elf, const struct rk_section *strtab)
	__must_use;

/* The phases of opening, in this order; each relies on what the one before has checked. */
struct rk_err *rk_elf_read_sections(struct rk_elf *elf) __must_use;
struct rk_err *rk_elf_read_symbols(struct rk_elf *elf) __must_use;
struct rk_err *rk_elf_connect_relocs(struct rk_elf *elf) __must_use;
struct rk_err *rk_elf_load_alloc_relocs(struct rk_elf *elf) __must_use;

#endif
