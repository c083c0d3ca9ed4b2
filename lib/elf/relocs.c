/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Relocations (gABI "Relocation"): each table of type RELA is tied to the section it changes when the file
 * is opened, and decoded when it is needed. The relocations of debug sections are most of an object's (and
 * nearly all of a vmlinux's), and hardly anybody needs them: they always wait for rk_elf_load_relocs().
 */
#include <elf.h>
#include <stdlib.h>

#include "lib/elf/internal.h"

static bool is_livepatch(const struct rk_section *rela)
{
	return rela->flags & RK_SHF_RELA_LIVEPATCH;
}

/* Linked files also have tables for the dynamic linker, against .dynsym or nothing. */
static bool uses_symtab(const struct rk_elf *elf, const struct rk_section *rela)
{
	return rela->link < elf->nr_sections && elf->sections[rela->link].type == SHT_SYMTAB;
}

static struct rk_err *check_rela(const struct rk_elf *elf, const struct rk_section *rela)
{
	if (rela->entsize != sizeof(Elf64_Rela))
		return rk_elf_section_err(elf, rela, RK_ERR_FORMAT,
					  "size of an entry is %llu, not %zu",
					  (unsigned long long)rela->entsize, sizeof(Elf64_Rela));
	if (rela->size % sizeof(Elf64_Rela))
		return rk_elf_section_err(elf, rela, RK_ERR_FORMAT,
					  "size %llu is not a multiple of %zu",
					  (unsigned long long)rela->size, sizeof(Elf64_Rela));
	if (rela->size / sizeof(Elf64_Rela) > RK_ELF_MAX_RELOCS)
		return rk_elf_section_err(elf, rela, RK_ERR_LIMIT,
					  "%llu relocations, the limit is %u",
					  (unsigned long long)(rela->size / sizeof(Elf64_Rela)),
					  RK_ELF_MAX_RELOCS);
	if (rela->info == SHN_UNDEF || rela->info >= elf->nr_sections)
		return rk_elf_section_err(
			elf, rela, RK_ERR_FORMAT,
			"its relocations apply to section %u, but there are %zu sections",
			rela->info, elf->nr_sections);
	return NULL;
}

static struct rk_err *connect(struct rk_elf *elf, struct rk_section *rela)
{
	struct rk_section *base;

	if (!uses_symtab(elf, rela) && rk_is_linked(elf))
		return NULL;
	if (!uses_symtab(elf, rela))
		return rk_elf_section_err(
			elf, rela, RK_ERR_FORMAT,
			"its relocations use section %u, which is no symbol table", rela->link);
	RK_TRY(check_rela(elf, rela));
	base = &elf->sections[rela->info];
	if (base->type == SHT_RELA || (!base->data && !(base->flags & SHF_COMPRESSED)))
		return rk_elf_section_err(
			elf, rela, RK_ERR_FORMAT,
			"its relocations apply to section '%s', which can't have any",
			rk_elf_quote(base->name).s);
	if (is_livepatch(rela))
		return NULL;
	if (base->rela)
		return rk_elf_section_err(
			elf, rela, RK_ERR_FORMAT,
			"its relocations apply to section '%s', as those of section %u do",
			rk_elf_quote(base->name).s, base->rela->index);
	base->rela = rela;
	return NULL;
}

struct rk_err *rk_elf_connect_relocs(struct rk_elf *elf)
{
	rk_elf_for_each_section(elf, s) {
		if (s->type == SHT_RELA)
			RK_TRY(connect(elf, s));
		else if (s->type == SHT_REL && !rk_is_linked(elf))
			return rk_elf_section_err(elf, s, RK_ERR_UNSUPPORTED,
						  "relocations without addends are not read");
	}
	return NULL;
}

/* Stable, since the order of relocations at one place matters. Most tables come sorted. */
static struct rk_err *sort_relocs(struct rk_reloc *relocs, size_t nr)
{
	_cleanup_free_ struct rk_reloc *other = NULL;
	struct rk_reloc *from = relocs, *to;

	other = calloc(nr, sizeof(*other));
	if (!other)
		return rk_err_nomem();
	to = other;
	for (size_t width = 1; width < nr; width *= 2) {
		for (size_t lo = 0; lo < nr; lo += 2 * width) {
			size_t mid = lo + width < nr ? lo + width : nr;
			size_t hi = mid + width < nr ? mid + width : nr;
			size_t a = lo, b = mid;

			for (size_t k = lo; k < hi; k++) {
				bool left =
					b == hi || (a < mid && from[a].offset <= from[b].offset);

				to[k] = left ? from[a++] : from[b++];
			}
		}
		to = from;
		from = from == relocs ? other : relocs;
	}
	if (from != relocs)
		memcpy(relocs, from, nr * sizeof(*relocs));
	return NULL;
}

static struct rk_err *read_reloc(const struct rk_elf *elf, const struct rk_section *rela,
				 const struct rk_section *base, size_t i, struct rk_reloc *ret)
{
	const uint8_t *p = rela->data + i * sizeof(Elf64_Rela);
	uint64_t info = rk_load64(p + offsetof(Elf64_Rela, r_info));
	uint32_t sym = ELF64_R_SYM(info);

	ret->offset = rk_load64(p + offsetof(Elf64_Rela, r_offset));
	ret->addend = (int64_t)rk_load64(p + offsetof(Elf64_Rela, r_addend));
	ret->type = ELF64_R_TYPE(info);
	if (sym >= elf->nr_symbols)
		return rk_elf_section_err(elf, rela, RK_ERR_FORMAT,
					  "relocation %zu: symbol %u, but there are %zu symbols", i,
					  sym, elf->nr_symbols);
	/* base->address is 0 in relocatable files. */
	if (ret->offset - base->address >= base->size)
		return rk_elf_section_err(
			elf, rela, RK_ERR_FORMAT,
			"relocation %zu: place 0x%llx lies outside of section '%s'", i,
			(unsigned long long)ret->offset, rk_elf_quote(base->name).s);
	ret->symbol = &elf->symbols[sym];
	return NULL;
}

static bool is_zero(const struct rk_section *rela, size_t i)
{
	static const uint8_t zero[sizeof(Elf64_Rela)];

	return memcmp(rela->data + i * sizeof(zero), zero, sizeof(zero)) == 0;
}

struct rk_err *rk_elf_load_relocs(struct rk_elf *elf, struct rk_section *section)
{
	const struct rk_section *rela = section->type == SHT_RELA ? section : section->rela;
	const struct rk_section *base;
	struct rk_reloc *relocs;
	size_t nr, kept = 0;
	bool sorted = true;

	if (!rela || section->relocs)
		return NULL;
	/* These were not checked when the file was opened. */
	if (!uses_symtab(elf, rela))
		return rk_elf_section_err(elf, section, RK_ERR_UNSUPPORTED,
					  "dynamic relocations are not read");
	base = &elf->sections[rela->info];
	if (!rela->data || !base->data)
		return rk_elf_section_err(elf, section, RK_ERR_UNSUPPORTED,
					  "relocations of compressed sections are not read");
	nr = rela->size / sizeof(Elf64_Rela);
	relocs = rk_arena_calloc(&elf->arena, nr, sizeof(*relocs));
	if (!relocs)
		return rk_err_nomem();
	for (size_t i = 0; i < nr; i++) {
		/* The kernel's sorttable zeroes vmlinux's .rela__ex_table. */
		if (rk_is_linked(elf) && is_zero(rela, i))
			continue;
		RK_TRY(read_reloc(elf, rela, base, i, &relocs[kept]));
		sorted = sorted && (kept == 0 || relocs[kept - 1].offset <= relocs[kept].offset);
		kept++;
	}
	if (!sorted)
		RK_TRY(sort_relocs(relocs, kept));
	section->relocs = relocs;
	section->nr_relocs = kept;
	return NULL;
}

struct rk_err *rk_elf_load_alloc_relocs(struct rk_elf *elf)
{
	rk_elf_for_each_section(elf, s) {
		if ((s->rela && s->flags & SHF_ALLOC) || (s->type == SHT_RELA && is_livepatch(s)))
			RK_TRY(rk_elf_load_relocs(elf, s));
	}
	return NULL;
}
