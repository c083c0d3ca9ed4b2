/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is to become an ELF file, collected: sections, symbols and relocations in the order they were added,
 * each checked when it is added, so that serialise.c can't fail but for size, and no file we write is one we
 * wouldn't read.
 */
#include <assert.h>

#include "lib/elf/write-internal.h"

struct rk_err *rk_elf_writer_create(uint16_t machine, struct rk_elf_writer **ret)
{
	struct rk_elf_writer *w = calloc(1, sizeof(*w));

	if (!w)
		return rk_err_nomem();
	rk_arena_init(&w->arena);
	w->machine = machine;
	*ret = w;
	return NULL;
}

void rk_elf_writer_destroy(struct rk_elf_writer *w)
{
	if (!w)
		return;
	rk_vec_for_each(&w->sections, s) {
		rk_vec_deinit(&(*s)->relocs);
	}
	rk_vec_deinit(&w->sections);
	rk_vec_deinit(&w->symbols);
	rk_arena_deinit(&w->arena);
	free(w);
}

static struct rk_err *add_section(struct rk_elf_writer *w, const char *name,
				  struct rk_out_section **ret)
{
	struct rk_out_section *s;

	assert(!w->finished);
	if (w->sections.nr >= RK_ELF_WRITER_MAX_SECTIONS)
		return rk_err(RK_ERR_LIMIT, "more than %u sections", RK_ELF_WRITER_MAX_SECTIONS);
	s = rk_arena_new(&w->arena, struct rk_out_section);
	if (!s)
		return rk_err_nomem();
	s->writer = w;
	s->name = rk_arena_strdup(&w->arena, name);
	if (!s->name || !rk_vec_push(&w->sections, s))
		return rk_err_nomem();
	s->index = (uint32_t)w->sections.nr;
	*ret = s;
	return NULL;
}

struct rk_err *rk_elf_writer_section(struct rk_elf_writer *w, const char *name, uint32_t type,
				     uint64_t flags, uint64_t align, uint64_t entsize,
				     const void *data, uint64_t size, struct rk_out_section **ret)
{
	struct rk_out_section *s;

	if (type == SHT_NULL || type == SHT_RELA || type == SHT_REL || type == SHT_SYMTAB)
		return rk_err(RK_ERR_INVALID, "section '%s' can't be added with type %u", name,
			      type);
	if (align & (align - 1))
		return rk_err(RK_ERR_INVALID, "section '%s': alignment %llu is not a power of two",
			      name, (unsigned long long)align);
	if ((type == SHT_NOBITS) != (data == NULL) && size != 0)
		return rk_err(RK_ERR_INVALID, "section '%s': %s", name,
			      data ? "content in a section without one" : "no content is given");
	RK_TRY(add_section(w, name, &s));
	s->type = type;
	s->flags = flags;
	s->align = align ? align : 1;
	s->entsize = entsize;
	s->data = data;
	s->size = size;
	*ret = s;
	return NULL;
}

static struct rk_err *check_symbol(const char *name, const struct rk_out_section *section,
				   uint16_t shndx, uint64_t value, uint64_t size)
{
	if (!section && ((shndx != SHN_UNDEF && shndx < SHN_LORESERVE) || shndx == SHN_XINDEX))
		return rk_err(RK_ERR_INVALID, "symbol '%s': section index %u is not a reserved one",
			      name, shndx);
	if (section && (value > section->size || size > section->size - value))
		return rk_err(
			RK_ERR_INVALID,
			"symbol '%s': 0x%llx plus 0x%llx bytes lies outside of section '%s' of 0x%llx bytes",
			name, (unsigned long long)value, (unsigned long long)size, section->name,
			(unsigned long long)section->size);
	return NULL;
}

struct rk_err *rk_elf_writer_symbol(struct rk_elf_writer *w, const char *name,
				    struct rk_out_section *section, uint16_t shndx, uint64_t value,
				    uint64_t size, uint8_t bind, uint8_t type,
				    struct rk_out_symbol **ret)
{
	struct rk_out_symbol *sym;

	assert(!w->finished && (!section || section->writer == w));
	RK_TRY(check_symbol(name, section, shndx, value, size));
	if (w->symbols.nr >= RK_ELF_MAX_SYMBOLS - 1)
		return rk_err(RK_ERR_LIMIT, "more than %u symbols", RK_ELF_MAX_SYMBOLS);
	sym = rk_arena_new(&w->arena, struct rk_out_symbol);
	if (!sym)
		return rk_err_nomem();
	sym->writer = w;
	sym->name = rk_arena_strdup(&w->arena, name);
	sym->section = section;
	sym->shndx = shndx;
	sym->value = value;
	sym->size = size;
	sym->bind = bind;
	sym->type = type;
	if (!sym->name || !rk_vec_push(&w->symbols, sym))
		return rk_err_nomem();
	*ret = sym;
	return NULL;
}

struct rk_err *rk_elf_writer_section_symbol(struct rk_elf_writer *w, struct rk_out_section *section,
					    struct rk_out_symbol **ret)
{
	if (!section->symbol)
		RK_TRY(rk_elf_writer_symbol(w, "", section, 0, 0, 0, STB_LOCAL, STT_SECTION,
					    &section->symbol));
	*ret = section->symbol;
	return NULL;
}

struct rk_err *rk_elf_writer_rela(struct rk_elf_writer *w, const char *name,
				  struct rk_out_section *section, uint64_t extra_flags,
				  struct rk_out_section **ret)
{
	struct rk_out_section *s;

	assert(section->writer == w);
	if (section->type == SHT_RELA || section->type == SHT_NOBITS)
		return rk_err(RK_ERR_INVALID, "section '%s' can't have relocations", section->name);
	if (section->has_rela && !(extra_flags & RK_SHF_RELA_LIVEPATCH))
		return rk_err(RK_ERR_INVALID, "section '%s' has a relocation section already",
			      section->name);
	RK_TRY(add_section(w, name, &s));
	section->has_rela = section->has_rela || !(extra_flags & RK_SHF_RELA_LIVEPATCH);
	s->type = SHT_RELA;
	s->flags = extra_flags | SHF_INFO_LINK;
	s->align = sizeof(uint64_t);
	s->entsize = sizeof(Elf64_Rela);
	s->rela_of = section;
	*ret = s;
	return NULL;
}

struct rk_err *rk_elf_writer_reloc(struct rk_out_section *rela, uint64_t offset, uint32_t type,
				   struct rk_out_symbol *symbol, int64_t addend)
{
	struct rk_out_reloc reloc = {
		.offset = offset,
		.type = type,
		.symbol = symbol,
		.addend = addend,
	};

	assert(rela->rela_of && !rela->writer->finished);
	assert(!symbol || symbol->writer == rela->writer);
	if (offset >= rela->rela_of->size)
		return rk_err(RK_ERR_INVALID,
			      "relocation in '%s': place 0x%llx lies outside of section '%s'",
			      rela->name, (unsigned long long)offset, rela->rela_of->name);
	if (rela->relocs.nr >= RK_ELF_MAX_RELOCS)
		return rk_err(RK_ERR_LIMIT, "more than %u relocations in '%s'", RK_ELF_MAX_RELOCS,
			      rela->name);
	if (!rk_vec_push(&rela->relocs, reloc))
		return rk_err_nomem();
	rela->size += sizeof(Elf64_Rela);
	return NULL;
}
