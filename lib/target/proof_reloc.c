// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Does a relocation of ours mean what the shipped function has at that place? Our side names a
 * symbol, which is looked up as the linker did; the shipped side is read back: from the field of a
 * linked vmlinux, from the relocation of a module or, where the assembler had resolved it, from the
 * field again. Both sides are S + A, so that what the processor adds (the rest of the instruction)
 * is the same on both and doesn't matter, except where we must know which byte of a section is
 * meant.
 */
#include <elf.h>
#include <string.h>

#include "lib/target/proof_internal.h"

/* How much of a nameless piece is compared: an instruction or constant or two. */
#define ANONYMOUS_BYTES 16

static int64_t read_field(const uint8_t *p, const struct rk_reloc_kind *kind)
{
	uint64_t v = 0;

	for (unsigned int i = 0; i < kind->size; i++)
		v |= (uint64_t)p[i] << (8 * i);
	if (kind->size == 8 || !(kind->sign_extend || kind->pc_relative))
		return (int64_t)v;
	unsigned int shift = 64 - 8 * kind->size;
	return (int64_t)(v << shift) >> shift;
}

struct rk_place rk_proof_place_of(const struct rk_elf *elf, const struct rk_symbol *sym,
				  int64_t addend)
{
	if (elf->type != ET_REL)
		return (struct rk_place){.at = sym->value + (uint64_t)addend};
	if (sym->shndx == SHN_UNDEF)
		return (struct rk_place){.undefined = sym->name, .at = (uint64_t)addend};
	return (struct rk_place){.section = sym->section, .at = sym->value + (uint64_t)addend};
}

static bool same_place(const struct rk_place *a, const struct rk_place *b)
{
	if (!a->undefined != !b->undefined || a->at != b->at)
		return false;
	if (a->undefined)
		return strcmp(a->undefined, b->undefined) == 0;
	return a->section == b->section;
}

bool rk_proof_shipped_target(const struct rk_proof_run *run, const struct rk_pair *pair,
			     uint64_t offset, const struct rk_reloc_kind *kind,
			     struct rk_place *ret)
{
	if (kind->size > pair->shipped->size || offset > pair->shipped->size - kind->size)
		return false;
	int64_t value = read_field(pair->shipped_bytes + offset, kind);
	uint64_t place = pair->shipped->value + offset;
	if (run->shipped->type != ET_REL) {
		*ret = (struct rk_place){.at = (kind->pc_relative ? place : 0) + (uint64_t)value};
		return true;
	}
	const struct rk_section *section = pair->shipped->section;
	const struct rk_reloc *reloc = rk_section_reloc_from(section, place);
	if (!reloc || reloc->offset != place) {
		*ret = (struct rk_place){.section = section, .at = place + (uint64_t)value};
		return kind->pc_relative;
	}
	const struct rk_reloc_kind *shipped_kind = run->arch->reloc_kind(reloc->type);
	if (!shipped_kind || shipped_kind->size != kind->size ||
	    shipped_kind->pc_relative != kind->pc_relative)
		return false;
	*ret = rk_proof_place_of(run->shipped, reloc->symbol, reloc->addend);
	return true;
}

/*
 * Where the linker put a symbol that ours refers to; false if the shipped object doesn't have it.
 */
static bool linked_place(const struct rk_proof_run *run, const struct rk_symbol *sym,
			 struct rk_place *ret)
{
	const struct rk_symbol *shipped = rk_owner_lookup(run->owner, sym->name);

	if (shipped) {
		*ret = rk_proof_place_of(run->shipped, shipped, 0);
		return true;
	}
	if (sym->shndx != SHN_UNDEF)
		return false;
	if (run->shipped->type == ET_REL) {
		*ret = (struct rk_place){.undefined = sym->name};
		return true;
	}
	/* nobody defined it, and it needn't be: it is 0 */
	*ret = (struct rk_place){};
	return sym->bind == STB_WEAK;
}

/* size bytes at a place, fewer at the end of a section (*ret_size); NULL without content. */
static const uint8_t *bytes_at(const struct rk_elf *elf, const struct rk_place *place,
			       uint64_t size, uint64_t *ret_size)
{
	const struct rk_section *section = place->section;
	uint64_t base = 0;

	if (elf->type != ET_REL && !place->undefined) {
		section = rk_elf_section_at(elf, place->at);
		base = section ? section->address : 0;
	}
	if (!section || !section->data || place->at - base >= section->size)
		return NULL;
	uint64_t left = section->size - (place->at - base);
	*ret_size = size < left ? size : left;
	return section->data + (place->at - base);
}

/* Literals have no name; the linker merges equal ones, so that only the content can be compared. */
static bool literal_agrees(const struct rk_proof_run *run, const struct rk_section *section,
			   uint64_t offset, const struct rk_place *shipped)
{
	if (offset >= section->size)
		return false;
	const uint8_t *ours = section->data + offset;
	uint64_t size = section->size - offset, shipped_size;
	if (section->flags & SHF_STRINGS) {
		const uint8_t *end = memchr(ours, '\0', size);
		if (!end)
			return false;
		size = (uint64_t)(end - ours) + 1;
	} else {
		uint64_t entry = section->entsize ? section->entsize : 1;
		uint64_t rest = entry - offset % entry;
		size = rest < size ? rest : size;
	}
	const uint8_t *theirs = bytes_at(run->shipped, shipped, size, &shipped_size);
	return theirs && shipped_size == size && memcmp(ours, theirs, size) == 0;
}

/*
 * Code or data without any symbol (.altinstr_aux): the unit's part of the section is shipped in one
 * piece, so each reference must show the same place for its start; and a few bytes are compared.
 */
static struct rk_err *anonymous_agrees(struct rk_proof_run *run, const struct rk_section *section,
				       uint64_t offset, const struct rk_place *shipped, bool *ret)
{
	struct rk_place start = *shipped;
	start.at -= offset;
	*ret = false;
	rk_vec_for_each(&run->anchors, anchor) {
		if (anchor->ours != section)
			continue;
		*ret = same_place(&anchor->shipped, &start);
		return NULL;
	}
	if (offset >= section->size || !section->data)
		return NULL;
	uint64_t size =
		section->size - offset < ANONYMOUS_BYTES ? section->size - offset : ANONYMOUS_BYTES;
	uint64_t shipped_size;
	const uint8_t *theirs = bytes_at(run->shipped, shipped, size, &shipped_size);
	if (!theirs || shipped_size < size)
		return NULL;
	const struct rk_symbol piece = {.value = offset, .section = (struct rk_section *)section};
	if (rk_first_difference(&piece, theirs, size, run->arch) != size)
		return NULL;
	*ret = true;
	struct rk_anchor anchor = {section, start};
	return rk_vec_push(&run->anchors, anchor) ? NULL : rk_err_nomem();
}

static bool symbol_agrees(const struct rk_proof_run *run, const struct rk_symbol *sym,
			  uint64_t addend, const struct rk_place *theirs)
{
	struct rk_place ours;

	if (!linked_place(run, sym, &ours))
		return false;
	ours.at += addend;
	return same_place(&ours, theirs);
}

/*
 * Which symbol "section + offset" means can be ambiguous (the end of one array is the start of the
 * next), so each that the offset touches may be it. Where none does (array[-1]) the nearest before
 * and behind.
 */
bool rk_proof_section_agrees(const struct rk_proof_run *run, const struct rk_section *section,
			     uint64_t offset, uint64_t bias, const struct rk_place *theirs,
			     const struct rk_symbol **ret_named)
{
	const struct rk_symbol *before = NULL, *behind = NULL;
	bool touched = false;

	for (size_t i = 0; i < section->nr_symbols; i++) {
		const struct rk_symbol *sym = section->symbols[i];
		if (sym->value > offset) {
			behind = sym;
			break;
		}
		before = sym;
		if (offset - sym->value > sym->size)
			continue;
		touched = true;
		*ret_named = sym;
		if (symbol_agrees(run, sym, offset - sym->value - bias, theirs))
			return true;
	}
	if (touched)
		return false;
	*ret_named = before ? before : behind;
	return (before && symbol_agrees(run, before, offset - before->value - bias, theirs)) ||
	       (behind && symbol_agrees(run, behind, offset - behind->value - bias, theirs));
}

int64_t rk_proof_bias(const struct rk_proof_run *run, const struct rk_section *section,
		      const struct rk_reloc *reloc)
{
	int64_t bias = 0;
	_cleanup_err_ struct rk_err *err = run->arch->pc_bias(section, reloc, &bias);
	/* data among code: no processor reads the field, so that it counts from its own place */
	return err ? 0 : bias;
}

struct rk_err *rk_proof_reloc_agrees(struct rk_proof_run *run, const struct rk_section *section,
				     const struct rk_reloc *reloc, const struct rk_place *theirs,
				     const struct rk_symbol **ret_named, bool *ret)
{
	const struct rk_symbol *sym = reloc->symbol;
	bool is_literal = sym->section && (sym->section->flags & SHF_MERGE) && sym->section->data;

	*ret_named = sym->name[0] ? sym : NULL;
	if (sym->type != STT_SECTION && !is_literal) {
		*ret = symbol_agrees(run, sym, (uint64_t)reloc->addend, theirs);
		return NULL;
	}
	int64_t bias = rk_proof_bias(run, section, reloc);
	uint64_t offset = sym->value + (uint64_t)reloc->addend + (uint64_t)bias;
	struct rk_place target = *theirs;
	target.at += (uint64_t)bias;
	if (is_literal) {
		*ret = literal_agrees(run, sym->section, offset, &target);
		return NULL;
	}
	if (!sym->section)
		return rk_err(RK_ERR_FORMAT, "'%s': a section symbol without a section",
			      run->original->path);
	*ret = rk_proof_section_agrees(run, sym->section, offset, (uint64_t)bias, theirs,
				       ret_named);
	if (*ret_named)
		return NULL;
	return anonymous_agrees(run, sym->section, offset, &target, ret);
}

struct rk_err *rk_proof_relocs(struct rk_proof_run *run, const struct rk_pair *pair,
			       uint32_t *ret_nr, const struct rk_reloc **ret_reloc,
			       const char **ret_ours, const char **ret_theirs)
{
	const struct rk_section *section = pair->ours->section;
	const struct rk_reloc *reloc = rk_section_reloc_from(section, pair->ours->value);
	const struct rk_reloc *end = section->relocs + section->nr_relocs;

	*ret_reloc = NULL;
	*ret_nr = 0;
	for (; reloc && reloc < end && reloc->offset - pair->ours->value < pair->size; reloc++) {
		const struct rk_reloc_kind *kind = run->arch->reloc_kind(reloc->type);
		if (kind && !kind->size)
			continue;
		struct rk_place theirs;
		const struct rk_symbol *named = NULL;
		bool agrees = false;
		bool is_there = kind && rk_proof_shipped_target(run, pair,
								reloc->offset - pair->ours->value,
								kind, &theirs);
		if (is_there)
			RK_TRY(rk_proof_reloc_agrees(run, section, reloc, &theirs, &named,
						     &agrees));
		(*ret_nr)++;
		if (agrees)
			continue;
		*ret_reloc = reloc;
		return rk_proof_reloc_names(run, section, reloc, named, is_there ? &theirs : NULL,
					    ret_ours, ret_theirs);
	}
	return NULL;
}

uint64_t rk_proof_extra_reloc(const struct rk_proof_run *run, const struct rk_pair *pair)
{
	const struct rk_section *theirs = pair->shipped->section, *ours = pair->ours->section;

	if (run->shipped->type != ET_REL)
		return pair->size;
	const struct rk_reloc *end = theirs->relocs + theirs->nr_relocs;
	for (const struct rk_reloc *r = rk_section_reloc_from(theirs, pair->shipped->value);
	     r && r < end && r->offset - pair->shipped->value < pair->size; r++) {
		const struct rk_reloc_kind *kind = run->arch->reloc_kind(r->type);
		if (kind && !kind->size)
			continue;
		uint64_t offset = r->offset - pair->shipped->value;
		const struct rk_reloc *own =
			rk_section_reloc_from(ours, pair->ours->value + offset);
		if (!own || own->offset != pair->ours->value + offset)
			return offset;
	}
	return pair->size;
}
