/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The symbol table (gABI "Symbol Table"): every name, section index and, in relocatable files, every extent
 * is checked here once, so that users can follow them blindly. Each section gets its own sorted list.
 */
#include <elf.h>
#include <stdlib.h>

#include "lib/elf/internal.h"

struct symtab {
	const struct rk_section *section;
	const struct rk_section *strtab;
	const uint8_t *shndx; /* content of the SHT_SYMTAB_SHNDX that goes with it, or NULL */
	size_t nr;
};

static struct rk_err *symbol_err(const struct rk_elf *elf, const struct rk_symbol *sym,
				 const char *fmt, ...) __must_use __printf(3, 4);

static struct rk_err *symbol_err(const struct rk_elf *elf, const struct rk_symbol *sym,
				 const char *fmt, ...)
{
	struct rk_err *err;
	va_list ap;

	va_start(ap, fmt);
	err = rk_verr(RK_ERR_FORMAT, fmt, ap);
	va_end(ap);
	err = rk_err_wrap(err, "symbol %u '%s'", sym->index, rk_elf_quote(sym->name).s);
	return rk_err_wrap(err, "'%s'", elf->path);
}

static struct rk_err *find_shndx(const struct rk_elf *elf, struct symtab *tab)
{
	rk_elf_for_each_section(elf, s) {
		if (s->type != SHT_SYMTAB_SHNDX || s->link != tab->section->index)
			continue;
		if (!s->data)
			return rk_elf_section_err(elf, s, RK_ERR_FORMAT, "has no content");
		if (s->size / sizeof(uint32_t) < tab->nr)
			return rk_elf_section_err(elf, s, RK_ERR_FORMAT,
						  "%llu bytes are too few for %zu symbols",
						  (unsigned long long)s->size, tab->nr);
		tab->shndx = s->data;
	}
	return NULL;
}

/* tab->section stays NULL when there is no symbol table. */
static struct rk_err *find_symtab(const struct rk_elf *elf, struct symtab *tab)
{
	const struct rk_section *found = NULL;

	rk_elf_for_each_section(elf, s) {
		if (s->type != SHT_SYMTAB)
			continue;
		if (found)
			return rk_elf_section_err(elf, s, RK_ERR_FORMAT,
						  "a second symbol table beside section %u",
						  found->index);
		found = s;
	}
	if (!found)
		return NULL;
	if (!found->data)
		return rk_elf_section_err(elf, found, RK_ERR_UNSUPPORTED,
					  "the symbol table is compressed");
	if (found->entsize != sizeof(Elf64_Sym))
		return rk_elf_section_err(elf, found, RK_ERR_FORMAT,
					  "size of an entry is %llu, not %zu",
					  (unsigned long long)found->entsize, sizeof(Elf64_Sym));
	if (found->size % sizeof(Elf64_Sym) || found->size == 0)
		return rk_elf_section_err(elf, found, RK_ERR_FORMAT,
					  "size %llu is not a positive multiple of %zu",
					  (unsigned long long)found->size, sizeof(Elf64_Sym));
	tab->nr = found->size / sizeof(Elf64_Sym);
	if (tab->nr > RK_ELF_MAX_SYMBOLS)
		return rk_elf_section_err(elf, found, RK_ERR_LIMIT, "%zu symbols, the limit is %u",
					  tab->nr, RK_ELF_MAX_SYMBOLS);
	if (found->info > tab->nr)
		return rk_elf_section_err(
			elf, found, RK_ERR_FORMAT,
			"first global symbol is said to be %u, but there are %zu symbols",
			found->info, tab->nr);
	if (found->link == SHN_UNDEF || found->link >= elf->nr_sections)
		return rk_elf_section_err(
			elf, found, RK_ERR_FORMAT,
			"linked string table is section %u, but there are %zu sections",
			found->link, elf->nr_sections);
	tab->strtab = &elf->sections[found->link];
	RK_TRY(rk_elf_check_strtab(elf, tab->strtab));
	tab->section = found;
	return find_shndx(elf, tab);
}

static struct rk_err *resolve_section(struct rk_elf *elf, const struct symtab *tab, uint16_t shndx,
				      struct rk_symbol *sym)
{
	sym->shndx = shndx;
	if (shndx == SHN_XINDEX) {
		if (!tab->shndx)
			return symbol_err(
				elf, sym,
				"its section index is extended, but there is no table of them");
		sym->shndx = rk_load32(tab->shndx + sym->index * sizeof(uint32_t));
	} else if (shndx == SHN_UNDEF || shndx >= SHN_LORESERVE) {
		return NULL;
	}
	if (sym->shndx == SHN_UNDEF || sym->shndx >= elf->nr_sections)
		return symbol_err(elf, sym, "it is in section %u, but there are %zu sections",
				  sym->shndx, elf->nr_sections);
	sym->section = &elf->sections[sym->shndx];
	return NULL;
}

/* In linked files symbols of the linker script lie where they like (_end, __per_cpu_end …). */
static struct rk_err *check_extent(const struct rk_elf *elf, const struct rk_symbol *sym)
{
	const struct rk_section *s = sym->section;

	if (!s || rk_is_linked(elf))
		return NULL;
	if (sym->value > s->size || sym->size > s->size - sym->value)
		return symbol_err(
			elf, sym,
			"0x%llx plus 0x%llx bytes lies outside of section '%s' of 0x%llx bytes",
			(unsigned long long)sym->value, (unsigned long long)sym->size,
			rk_elf_quote(s->name).s, (unsigned long long)s->size);
	return NULL;
}

static struct rk_err *read_symbol(struct rk_elf *elf, const struct symtab *tab,
				  struct rk_symbol *sym)
{
	const uint8_t *p = tab->section->data + sym->index * sizeof(Elf64_Sym);
	uint32_t name = rk_load32(p + offsetof(Elf64_Sym, st_name));
	uint8_t info = p[offsetof(Elf64_Sym, st_info)];
	bool local;

	sym->bind = ELF64_ST_BIND(info);
	sym->type = ELF64_ST_TYPE(info);
	sym->other = p[offsetof(Elf64_Sym, st_other)];
	sym->value = rk_load64(p + offsetof(Elf64_Sym, st_value));
	sym->size = rk_load64(p + offsetof(Elf64_Sym, st_size));
	sym->name = sym->type == STT_SECTION ? "" : rk_elf_string(tab->strtab, name);
	if (!sym->name) {
		sym->name = "";
		return symbol_err(elf, sym, "name at %u lies outside of the string table", name);
	}
	local = sym->bind == STB_LOCAL;
	if (local != (sym->index < tab->section->info))
		return symbol_err(elf, sym, "%s symbol %s the first global one, symbol %u",
				  local ? "local" : "global", local ? "behind" : "before",
				  tab->section->info);
	RK_TRY(resolve_section(elf, tab, rk_load16(p + offsetof(Elf64_Sym, st_shndx)), sym));
	return check_extent(elf, sym);
}

static bool is_listed(const struct rk_symbol *sym)
{
	return sym->section && sym->name[0] && sym->type != STT_SECTION && sym->type != STT_FILE;
}

static int compare_symbols(const void *pa, const void *pb)
{
	const struct rk_symbol *a = *(struct rk_symbol *const *)pa;
	const struct rk_symbol *b = *(struct rk_symbol *const *)pb;

	if (a->value != b->value)
		return a->value < b->value ? -1 : 1;
	if (a->size != b->size)
		return a->size < b->size ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

static struct rk_err *list_by_section(struct rk_elf *elf)
{
	struct rk_symbol **lists;
	size_t total = 0;

	rk_elf_for_each_symbol(elf, sym) {
		if (is_listed(sym)) {
			sym->section->nr_symbols++;
			total++;
		}
	}
	lists = rk_arena_calloc(&elf->arena, total, sizeof(struct rk_symbol *));
	if (!lists)
		return rk_err_nomem();
	rk_elf_for_each_section(elf, s) {
		s->symbols = lists;
		lists += s->nr_symbols;
		s->nr_symbols = 0;
	}
	rk_elf_for_each_symbol(elf, sym) {
		if (is_listed(sym))
			sym->section->symbols[sym->section->nr_symbols++] = sym;
	}
	rk_elf_for_each_section(elf, s) {
		if (s->nr_symbols > 1)
			qsort(s->symbols, s->nr_symbols, sizeof(struct rk_symbol *),
			      compare_symbols);
	}
	return NULL;
}

struct rk_err *rk_elf_read_symbols(struct rk_elf *elf)
{
	const struct rk_symbol *file = NULL;
	struct symtab tab = {};

	RK_TRY(find_symtab(elf, &tab));
	/* Without a table there still is the null symbol, which relocations may name. */
	elf->nr_symbols = tab.section ? tab.nr : 1;
	elf->symbols = rk_arena_calloc(&elf->arena, elf->nr_symbols, sizeof(*elf->symbols));
	if (!elf->symbols)
		return rk_err_nomem();
	elf->symbols[0].name = "";
	rk_elf_for_each_symbol(elf, sym) {
		sym->index = (uint32_t)(sym - elf->symbols);
		RK_TRY(read_symbol(elf, &tab, sym));
		if (sym->type == STT_FILE) {
			file = sym;
		} else if (file && sym->bind == STB_LOCAL) {
			sym->file = file->name;
			sym->file_index = file->index;
		}
		if (sym->type == STT_SECTION && sym->section && !sym->section->section_symbol)
			sym->section->section_symbol = sym;
	}
	return list_by_section(elf);
}
