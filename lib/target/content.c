// SPDX-License-Identifier: GPL-2.0-or-later
/* Content of symbols: where their bytes are, and whether two agree outside relocated fields. */
#include <elf.h>
#include <string.h>

#include "lib/target/symbols_internal.h"

const uint8_t *rk_symbol_bytes(const struct rk_elf *elf, const struct rk_symbol *sym, uint64_t size)
{
	if (elf->type != ET_REL)
		return rk_elf_at(elf, sym->value, size);
	const struct rk_section *section = sym->section;
	if (!section || !section->data || sym->value > section->size ||
	    size > section->size - sym->value)
		return NULL;
	return section->data + sym->value;
}

uint64_t rk_first_difference(const struct rk_symbol *ours, const uint8_t *shipped, uint64_t size,
			     const struct rk_arch *arch)
{
	const struct rk_section *section = ours->section;
	const uint8_t *bytes = section->data + ours->value;
	const struct rk_reloc *end = section->relocs + section->nr_relocs;
	uint64_t at = 0;

	/*
	 * a relocation in front of the symbol doesn't reach into it: fields belong to one
	 * instruction
	 */
	for (const struct rk_reloc *r = rk_section_reloc_from(section, ours->value); at < size;
	     r++) {
		uint64_t stop = size, field = 0;
		if (r && r < end && r->offset - ours->value < size) {
			const struct rk_reloc_kind *kind = arch->reloc_kind(r->type);
			stop = r->offset - ours->value;
			field = kind ? kind->size : 0;
		}
		for (; at < stop; at++)
			if (bytes[at] != shipped[at])
				return at;
		at = at < stop + field ? stop + field : at;
		if (stop == size)
			break;
	}
	return size;
}
