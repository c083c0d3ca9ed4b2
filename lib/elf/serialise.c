/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The writer's model becomes bytes: header, contents in the order they were added, .symtab, .strtab,
 * .shstrtab, section headers. Nothing depends on time, addresses or hashing, so the same calls give the same bytes.
 */
#include <assert.h>

#include "lib/base/map.h"
#include "lib/base/str.h"
#include "lib/elf/write-internal.h"

/* A string table under construction; each different string is in it once. */
struct strtab {
	struct rk_str bytes;
	struct rk_map known; /* string → its offset as a pointer */
};

static void strtab_deinit(struct strtab *tab)
{
	rk_str_deinit(&tab->bytes);
	rk_map_deinit(&tab->known);
}

static struct rk_err *strtab_add(struct strtab *tab, const char *s, uint32_t *ret)
{
	uintptr_t offset;

	if (tab->bytes.len == 0)
		rk_str_add_char(&tab->bytes, '\0');
	if (!*s) {
		*ret = 0;
		return rk_str_check(&tab->bytes);
	}
	offset = (uintptr_t)rk_map_get(&tab->known, s);
	if (!offset) {
		offset = tab->bytes.len;
		rk_str_add_bytes(&tab->bytes, s, strlen(s) + 1);
		RK_TRY(rk_str_check(&tab->bytes));
		if (tab->bytes.len > UINT32_MAX)
			return rk_err(RK_ERR_LIMIT, "names take more than 4 GiB");
		if (!rk_map_set(&tab->known, s, (void *)offset))
			return rk_err_nomem();
	}
	*ret = (uint32_t)offset;
	return NULL;
}

struct layout {
	struct strtab strings; /* symbols' names */
	struct strtab section_names;
	struct rk_out_section symtab, strtab, shstrtab;
	uint32_t first_global;
	uint64_t headers; /* file offset of the section headers */
	uint64_t size;	  /* of the file */
};

static void layout_deinit(struct layout *l)
{
	strtab_deinit(&l->strings);
	strtab_deinit(&l->section_names);
}

static void store16(uint8_t *p, uint16_t v)
{
	v = htole16(v);
	memcpy(p, &v, sizeof(v));
}

static void store32(uint8_t *p, uint32_t v)
{
	v = htole32(v);
	memcpy(p, &v, sizeof(v));
}

static void store64(uint8_t *p, uint64_t v)
{
	v = htole64(v);
	memcpy(p, &v, sizeof(v));
}

/* gABI: "all symbols with STB_LOCAL binding precede the weak and global symbols". */
static struct rk_err *number_symbols(struct rk_elf_writer *w, struct layout *l)
{
	uint32_t next = 1;

	for (int global = 0; global <= 1; global++) {
		rk_vec_for_each(&w->symbols, it) {
			struct rk_out_symbol *sym = *it;

			if ((sym->bind != STB_LOCAL) != global)
				continue;
			sym->index = next++;
			RK_TRY(strtab_add(&l->strings, sym->name, &sym->name_offset));
		}
		if (!global)
			l->first_global = next;
	}
	l->symtab.size = (uint64_t)next * sizeof(Elf64_Sym);
	return NULL;
}

static struct rk_err *place(struct layout *l, struct rk_out_section *s)
{
	uint64_t end;

	RK_TRY(strtab_add(&l->section_names, s->name, &s->name_offset));
	if (__builtin_add_overflow(l->size, s->align - 1, &s->offset))
		return rk_err(RK_ERR_LIMIT, "section '%s' doesn't fit into the file", s->name);
	s->offset &= ~(s->align - 1);
	if (__builtin_add_overflow(s->offset, s->type == SHT_NOBITS ? 0 : s->size, &end) ||
	    end > RK_ELF_MAX_FILE)
		return rk_err(RK_ERR_LIMIT, "section '%s' doesn't fit into the file", s->name);
	l->size = end;
	return NULL;
}

static struct rk_err *lay_out(struct rk_elf_writer *w, struct layout *l)
{
	uint32_t nr = (uint32_t)w->sections.nr + 1;
	uint32_t unused;

	l->symtab = (struct rk_out_section){
		.name = ".symtab",
		.index = nr,
		.type = SHT_SYMTAB,
		.align = sizeof(uint64_t),
		.entsize = sizeof(Elf64_Sym),
	};
	l->strtab = (struct rk_out_section){
		.name = ".strtab", .index = nr + 1, .type = SHT_STRTAB, .align = 1};
	l->shstrtab = (struct rk_out_section){
		.name = ".shstrtab", .index = nr + 2, .type = SHT_STRTAB, .align = 1};
	RK_TRY(strtab_add(&l->strings, "", &unused));
	RK_TRY(number_symbols(w, l));
	l->size = sizeof(Elf64_Ehdr);
	rk_vec_for_each(&w->sections, s) {
		RK_TRY(place(l, *s));
	}
	RK_TRY(place(l, &l->symtab));
	l->strtab.size = l->strings.bytes.len;
	l->strtab.data = l->strings.bytes.s;
	RK_TRY(place(l, &l->strtab));
	/* Its own name must be in it before its size is known. */
	RK_TRY(strtab_add(&l->section_names, l->shstrtab.name, &unused));
	l->shstrtab.size = l->section_names.bytes.len;
	l->shstrtab.data = l->section_names.bytes.s;
	RK_TRY(place(l, &l->shstrtab));
	l->headers = (l->size + 7) & ~7ull;
	l->size = l->headers + (nr + 3) * sizeof(Elf64_Shdr);
	return NULL;
}

static void put_header(const struct rk_elf_writer *w, const struct layout *l, uint8_t *image)
{
	memcpy(image, ELFMAG, SELFMAG);
	image[EI_CLASS] = ELFCLASS64;
	image[EI_DATA] = ELFDATA2LSB;
	image[EI_VERSION] = EV_CURRENT;
	store16(image + offsetof(Elf64_Ehdr, e_type), ET_REL);
	store16(image + offsetof(Elf64_Ehdr, e_machine), w->machine);
	store32(image + offsetof(Elf64_Ehdr, e_version), EV_CURRENT);
	store64(image + offsetof(Elf64_Ehdr, e_shoff), l->headers);
	store16(image + offsetof(Elf64_Ehdr, e_ehsize), sizeof(Elf64_Ehdr));
	store16(image + offsetof(Elf64_Ehdr, e_shentsize), sizeof(Elf64_Shdr));
	store16(image + offsetof(Elf64_Ehdr, e_shnum), (uint16_t)(l->shstrtab.index + 1));
	store16(image + offsetof(Elf64_Ehdr, e_shstrndx), (uint16_t)l->shstrtab.index);
}

static void put_section_header(const struct layout *l, const struct rk_out_section *s,
			       uint8_t *image)
{
	uint8_t *p = image + l->headers + s->index * sizeof(Elf64_Shdr);
	uint32_t link = 0, info = 0;

	if (s->type == SHT_RELA) {
		link = l->symtab.index;
		info = s->rela_of->index;
	} else if (s == &l->symtab) {
		link = l->strtab.index;
		info = l->first_global;
	}
	store32(p + offsetof(Elf64_Shdr, sh_name), s->name_offset);
	store32(p + offsetof(Elf64_Shdr, sh_type), s->type);
	store64(p + offsetof(Elf64_Shdr, sh_flags), s->flags);
	store64(p + offsetof(Elf64_Shdr, sh_offset), s->offset);
	store64(p + offsetof(Elf64_Shdr, sh_size), s->size);
	store32(p + offsetof(Elf64_Shdr, sh_link), link);
	store32(p + offsetof(Elf64_Shdr, sh_info), info);
	store64(p + offsetof(Elf64_Shdr, sh_addralign), s->align);
	store64(p + offsetof(Elf64_Shdr, sh_entsize), s->entsize);
}

static void put_relocs(const struct rk_out_section *s, uint8_t *p)
{
	rk_vec_for_each(&s->relocs, r) {
		uint64_t symbol = r->symbol ? r->symbol->index : 0;

		store64(p + offsetof(Elf64_Rela, r_offset), r->offset);
		store64(p + offsetof(Elf64_Rela, r_info), ELF64_R_INFO(symbol, r->type));
		store64(p + offsetof(Elf64_Rela, r_addend), (uint64_t)r->addend);
		p += sizeof(Elf64_Rela);
	}
}

static void put_symbol(const struct rk_out_symbol *sym, uint8_t *symtab)
{
	uint8_t *p = symtab + sym->index * sizeof(Elf64_Sym);
	uint16_t shndx = sym->section ? (uint16_t)sym->section->index : sym->shndx;

	store32(p + offsetof(Elf64_Sym, st_name), sym->name_offset);
	p[offsetof(Elf64_Sym, st_info)] = (uint8_t)ELF64_ST_INFO(sym->bind, sym->type);
	store16(p + offsetof(Elf64_Sym, st_shndx), shndx);
	store64(p + offsetof(Elf64_Sym, st_value), sym->value);
	store64(p + offsetof(Elf64_Sym, st_size), sym->size);
}

static void put_section(const struct layout *l, const struct rk_out_section *s, uint8_t *image)
{
	put_section_header(l, s, image);
	if (s->type == SHT_RELA)
		put_relocs(s, image + s->offset);
	else if (s->data && s->size)
		memcpy(image + s->offset, s->data, s->size);
}

struct rk_err *rk_elf_writer_finish(struct rk_elf_writer *w, void **ret, size_t *ret_size)
{
	__attribute__((cleanup(layout_deinit))) struct layout l = {};
	uint8_t *image;

	assert(!w->finished);
	w->finished = true;
	RK_TRY(lay_out(w, &l));
	image = calloc(1, l.size);
	if (!image)
		return rk_err_nomem();
	put_header(w, &l, image);
	rk_vec_for_each(&w->sections, s) {
		put_section(&l, *s, image);
	}
	put_section(&l, &l.symtab, image);
	put_section(&l, &l.strtab, image);
	put_section(&l, &l.shstrtab, image);
	rk_vec_for_each(&w->symbols, sym) {
		put_symbol(*sym, image + l.symtab.offset);
	}
	*ret = image;
	*ret_size = l.size;
	return NULL;
}
