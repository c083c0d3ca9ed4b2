/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The promises of lib/elf/elf.h, checked by following every pointer: used on well-formed, malformed and
 * fuzzed input alike, with the sanitizers watching what is touched.
 */
#include "tests/unit/elfcheck.h"

#include <elf.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/elf/write.h"

/* Reads every byte, for the sanitizers; the result keeps the compiler from leaving it out. */
static unsigned int touch(const void *data, size_t size)
{
	const uint8_t *p = data;
	unsigned int sum = 0;

	for (size_t i = 0; i < size; i++)
		sum += p[i];
	return sum;
}

static bool is_inside(const struct rk_elf *elf, const uint8_t *p, uint64_t size)
{
	return p >= elf->image && size <= elf->image_size &&
	       p + size <= elf->image + elf->image_size;
}

static const char *check_section(const struct rk_elf *elf, const struct rk_section *s)
{
	volatile unsigned int sum;

	if (s != &elf->sections[s->index])
		return "a section's index is its place";
	if (s->align == 0 || s->align & (s->align - 1))
		return "alignments are powers of two";
	if (s->data && !is_inside(elf, s->data, s->size))
		return "content lies in the image";
	if (s->data) {
		sum = touch(s->data, s->size);
		(void)sum;
	}
	if (strlen(s->name) > elf->image_size)
		return "section names are strings of the image";
	if (s->rela && (s->rela->type != SHT_RELA || &elf->sections[s->rela->info] != s))
		return "rela is the section that applies to this one";
	if (s->section_symbol &&
	    (s->section_symbol->type != STT_SECTION || s->section_symbol->section != s))
		return "section_symbol is the section's";
	for (size_t i = 0; i < s->nr_symbols; i++) {
		const struct rk_symbol *sym = s->symbols[i];

		if (sym->section != s || !sym->name[0])
			return "a section lists its own, named symbols";
		if (i && s->symbols[i - 1]->value > sym->value)
			return "a section's symbols are sorted";
	}
	return NULL;
}

static const char *check_symbol(const struct rk_elf *elf, const struct rk_symbol *sym)
{
	const struct rk_section *s = sym->section;

	if (sym != &elf->symbols[sym->index])
		return "a symbol's index is its place";
	if (strlen(sym->name) > elf->image_size)
		return "symbol names are strings of the image";
	if (s && s != &elf->sections[sym->shndx])
		return "shndx is the index of the symbol's section";
	if (s && elf->type == ET_REL && (sym->value > s->size || sym->size > s->size - sym->value))
		return "symbols lie inside of their sections";
	if (!sym->file != !sym->file_index)
		return "file and file_index go together";
	if (sym->file && (elf->symbols[sym->file_index].type != STT_FILE ||
			  elf->symbols[sym->file_index].name != sym->file))
		return "file_index is the file's symbol";
	return NULL;
}

static const char *check_relocs(const struct rk_elf *elf, const struct rk_section *s)
{
	const struct rk_section *base = s->type == SHT_RELA ? &elf->sections[s->info] : s;

	rk_elf_for_each_reloc(s, r) {
		if (r->symbol < elf->symbols || r->symbol >= elf->symbols + elf->nr_symbols)
			return "relocations have a symbol of the table";
		if (r->offset - base->address >= base->size)
			return "relocations lie inside of their section";
		if (r > s->relocs && r[-1].offset > r->offset)
			return "relocations are sorted";
		if (rk_section_reloc_from(s, r->offset) > r)
			return "rk_section_reloc_from() finds the first one";
	}
	return NULL;
}

/* What may fail here is checked elsewhere; here nothing may be touched that isn't ours. */
static void ask(struct rk_elf *elf)
{
	volatile size_t sum;
	const char *id = NULL;
	const char *value;

	rk_err_free(rk_elf_build_id(elf, &id));
	if (id)
		sum = strlen(id);
	value = rk_elf_modinfo(elf, "vermagic");
	if (value)
		sum = strlen(value);
	rk_elf_for_each_section(elf, s) {
		const uint8_t *p = rk_elf_at(elf, s->address + s->size / 2, 1);

		if (p)
			sum = *p;
	}
	/* Not for each section: there are files with 66,000. */
	(void)rk_elf_section(elf, elf->sections[elf->nr_sections - 1].name);
	sum = rk_elf_symbol(elf, "no such symbol") != NULL;
	(void)sum;
}

const char *elfcheck(struct rk_elf *elf)
{
	const char *wrong;

	if (elf->nr_sections == 0 || elf->nr_symbols == 0)
		return "there are a null section and a null symbol";
	for (size_t i = 0; i < elf->nr_symbols; i++) {
		wrong = check_symbol(elf, &elf->symbols[i]);
		if (wrong)
			return wrong;
	}
	for (size_t i = 0; i < elf->nr_sections; i++) {
		struct rk_section *s = &elf->sections[i];

		wrong = check_section(elf, s);
		if (wrong)
			return wrong;
		rk_err_free(rk_elf_load_relocs(elf, s));
		wrong = check_relocs(elf, s);
		if (wrong)
			return wrong;
	}
	ask(elf);
	return NULL;
}

/* What is copied: sections with content of their own, and the tables of relocations on them. */
static bool is_copied(const struct rk_section *s)
{
	return s->type != SHT_NULL && s->type != SHT_RELA && s->type != SHT_REL &&
	       s->type != SHT_SYMTAB && s->type != SHT_SYMTAB_SHNDX && s->type != SHT_STRTAB &&
	       (s->data || (s->type == SHT_NOBITS && !(s->flags & SHF_COMPRESSED)));
}

static struct rk_err *copy_symbol(struct rk_elf_writer *w, const struct rk_symbol *sym,
				  struct rk_out_section **sections, struct rk_out_symbol **symbols)
{
	struct rk_out_section *s = sym->section ? sections[sym->section->index] : NULL;
	uint16_t shndx = sym->section || sym->shndx == SHN_XINDEX ? SHN_ABS : (uint16_t)sym->shndx;

	if (sym->type == STT_SECTION && s && sym->section->section_symbol == sym)
		return rk_elf_writer_section_symbol(w, s, &symbols[sym->index]);
	return rk_elf_writer_symbol(w, sym->name, s, shndx, sym->value, sym->size, sym->bind,
				    sym->type, &symbols[sym->index]);
}

static struct rk_err *copy_relocs(struct rk_elf *elf, struct rk_elf_writer *w, struct rk_section *s,
				  struct rk_out_section **sections, struct rk_out_symbol **symbols)
{
	struct rk_section *base = &elf->sections[s->info];
	struct rk_section *table = base->rela == s ? base : s;
	struct rk_out_section *rela;

	RK_TRY(rk_elf_load_relocs(elf, table));
	RK_TRY(rk_elf_writer_rela(w, s->name, sections[base->index],
				  s->flags & ~(uint64_t)SHF_INFO_LINK, &rela));
	rk_elf_for_each_reloc(table, r) {
		RK_TRY(rk_elf_writer_reloc(rela, r->offset, r->type, symbols[r->symbol->index],
					   r->addend));
	}
	return NULL;
}

static struct rk_err *copy_all(struct rk_elf *elf, struct rk_elf_writer *w,
			       struct rk_out_section **sections, struct rk_out_symbol **symbols)
{
	rk_elf_for_each_section(elf, s) {
		if (is_copied(s))
			RK_TRY(rk_elf_writer_section(w, s->name, s->type, s->flags, s->align,
						     s->entsize, s->data, s->size,
						     &sections[s->index]));
	}
	rk_elf_for_each_symbol(elf, sym) {
		RK_TRY(copy_symbol(w, sym, sections, symbols));
	}
	rk_elf_for_each_section(elf, s) {
		if (s->type == SHT_RELA && sections[s->info])
			RK_TRY(copy_relocs(elf, w, s, sections, symbols));
	}
	return NULL;
}

struct rk_err *elfcheck_rewrite(struct rk_elf *elf, void **ret, size_t *ret_size)
{
	_cleanup_free_ struct rk_out_section **sections = calloc(elf->nr_sections, sizeof(void *));
	_cleanup_free_ struct rk_out_symbol **symbols = calloc(elf->nr_symbols, sizeof(void *));
	_cleanup_elf_writer_ struct rk_elf_writer *w = NULL;

	if (!sections || !symbols)
		return rk_err_nomem();
	RK_TRY(rk_elf_writer_create(elf->machine, &w));
	RK_TRY(copy_all(elf, w, sections, symbols));
	return rk_elf_writer_finish(w, ret, ret_size);
}

/* The n-th section that elfcheck_rewrite() copies, NULL behind the last. */
static const struct rk_section *nth_copied(const struct rk_elf *elf, size_t n)
{
	rk_elf_for_each_section(elf, s) {
		if (is_copied(s) && n-- == 0)
			return s;
	}
	return NULL;
}

static bool same_reloc(const struct rk_reloc *a, const struct rk_reloc *b)
{
	return a->offset == b->offset && a->type == b->type && a->addend == b->addend &&
	       rk_streq(a->symbol->name, b->symbol->name) && a->symbol->value == b->symbol->value;
}

static const char *compare_sections(const struct rk_section *a, const struct rk_section *b)
{
	if (!rk_streq(a->name, b->name) || a->type != b->type || a->flags != b->flags ||
	    a->size != b->size || a->align != b->align || a->entsize != b->entsize)
		return "a section's header";
	if (a->data && memcmp(a->data, b->data, a->size) != 0)
		return "a section's content";
	if (a->nr_symbols != b->nr_symbols)
		return "the number of a section's symbols";
	for (size_t i = 0; i < a->nr_relocs && i < b->nr_relocs; i++) {
		if (!same_reloc(&a->relocs[i], &b->relocs[i]))
			return "a relocation";
	}
	return a->nr_relocs == b->nr_relocs ? NULL : "the number of a section's relocations";
}

const char *elfcheck_compare(const struct rk_elf *a, const struct rk_elf *b)
{
	if (a->machine != b->machine)
		return "the machine";
	for (size_t n = 0; nth_copied(a, n); n++) {
		const struct rk_section *other = nth_copied(b, n);
		const char *wrong;

		if (!other)
			return "the number of sections";
		wrong = compare_sections(nth_copied(a, n), other);
		if (wrong)
			return wrong;
	}
	if (a->nr_symbols != b->nr_symbols)
		return "the number of symbols";
	for (size_t i = 1; i < a->nr_symbols; i++) {
		const struct rk_symbol *x = &a->symbols[i], *y = &b->symbols[i];

		if (!rk_streq(x->name, y->name) || x->value != y->value || x->size != y->size ||
		    x->bind != y->bind || x->type != y->type || !x->section != !y->section)
			return "a symbol";
	}
	return NULL;
}
