/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Section headers (gABI "Sections"): their number and name table (with the escape for 65,280 and more),
 * and for each section that its content lies in the file and its alignment makes sense. Sections may overlap:
 * no tool of ours writes into them.
 */
#include <elf.h>

#include "lib/elf/internal.h"

const char *rk_elf_string(const struct rk_section *strtab, uint64_t offset)
{
	return offset < strtab->size ? (const char *)strtab->data + offset : NULL;
}

struct rk_err *rk_elf_check_strtab(const struct rk_elf *elf, const struct rk_section *strtab)
{
	if (strtab->type != SHT_STRTAB)
		return rk_elf_section_err(elf, strtab, RK_ERR_FORMAT,
					  "used as string table but has type %u", strtab->type);
	if (!strtab->data)
		return rk_elf_section_err(elf, strtab, RK_ERR_UNSUPPORTED,
					  "the string table is compressed");
	if (strtab->size == 0 || strtab->data[strtab->size - 1] != '\0')
		return rk_elf_section_err(elf, strtab, RK_ERR_FORMAT,
					  "the string table does not end with a NUL byte");
	return NULL;
}

static void decode_section(const uint8_t *h, struct rk_section *s)
{
	s->type = rk_load32(h + offsetof(Elf64_Shdr, sh_type));
	/* "Other members of the section header have undefined values" */
	if (s->type == SHT_NULL)
		return;
	s->flags = rk_load64(h + offsetof(Elf64_Shdr, sh_flags));
	s->address = rk_load64(h + offsetof(Elf64_Shdr, sh_addr));
	s->offset = rk_load64(h + offsetof(Elf64_Shdr, sh_offset));
	s->size = rk_load64(h + offsetof(Elf64_Shdr, sh_size));
	s->link = rk_load32(h + offsetof(Elf64_Shdr, sh_link));
	s->info = rk_load32(h + offsetof(Elf64_Shdr, sh_info));
	s->align = rk_load64(h + offsetof(Elf64_Shdr, sh_addralign));
	s->entsize = rk_load64(h + offsetof(Elf64_Shdr, sh_entsize));
}

static struct rk_err *check_section(const struct rk_elf *elf, struct rk_section *s)
{
	const uint8_t *data;
	uint64_t end;

	if (s->align == 0)
		s->align = 1;
	if (s->align & (s->align - 1))
		return rk_elf_section_err(elf, s, RK_ERR_FORMAT,
					  "alignment %llu is not a power of two",
					  (unsigned long long)s->align);
	if (__builtin_add_overflow(s->address, s->size, &end))
		return rk_elf_section_err(elf, s, RK_ERR_FORMAT,
					  "address 0x%llx plus size 0x%llx overflows",
					  (unsigned long long)s->address,
					  (unsigned long long)s->size);
	/* Users take places in relocatable files as offsets in the section. */
	if (s->address && !rk_is_linked(elf))
		return rk_elf_section_err(elf, s, RK_ERR_FORMAT,
					  "has address 0x%llx in a relocatable file",
					  (unsigned long long)s->address);
	if (s->type == SHT_NOBITS || s->type == SHT_NULL)
		return NULL;
	data = rk_image_at(elf, s->offset, s->size);
	if (!data)
		return rk_elf_section_err(
			elf, s, RK_ERR_FORMAT,
			"content at 0x%llx, 0x%llx bytes, lies outside of the file of 0x%zx bytes",
			(unsigned long long)s->offset, (unsigned long long)s->size,
			elf->image_size);
	if (!(s->flags & SHF_COMPRESSED))
		s->data = data;
	return NULL;
}

/* Number of sections and index of their name table; section 0 has what doesn't fit the header. */
static struct rk_err *section_counts(const struct rk_elf *elf, uint64_t offset, uint64_t *ret_nr,
				     uint32_t *ret_names)
{
	uint64_t nr = rk_load16(elf->image + offsetof(Elf64_Ehdr, e_shnum));
	uint32_t names = rk_load16(elf->image + offsetof(Elf64_Ehdr, e_shstrndx));

	if (offset == 0)
		return rk_elf_err(elf, RK_ERR_FORMAT, "has no section headers");
	if (nr == 0 || names == SHN_XINDEX) {
		const uint8_t *first = rk_image_at(elf, offset, sizeof(Elf64_Shdr));

		if (!first)
			return rk_elf_err(elf, RK_ERR_FORMAT,
					  "section headers at 0x%llx lie outside of the file",
					  (unsigned long long)offset);
		if (nr == 0)
			nr = rk_load64(first + offsetof(Elf64_Shdr, sh_size));
		if (names == SHN_XINDEX)
			names = rk_load32(first + offsetof(Elf64_Shdr, sh_link));
	}
	if (nr == 0)
		return rk_elf_err(elf, RK_ERR_FORMAT, "has no sections");
	if (nr > RK_ELF_MAX_SECTIONS)
		return rk_elf_err(elf, RK_ERR_LIMIT, "%llu sections, the limit is %u",
				  (unsigned long long)nr, RK_ELF_MAX_SECTIONS);
	*ret_nr = nr;
	*ret_names = names;
	return NULL;
}

static struct rk_err *name_sections(struct rk_elf *elf, const uint8_t *headers, uint32_t names)
{
	const struct rk_section *strtab;

	if (names == SHN_UNDEF || names >= elf->nr_sections)
		return rk_elf_err(elf, RK_ERR_FORMAT,
				  "section names are in section %u, but there are %zu sections",
				  names, elf->nr_sections);
	strtab = &elf->sections[names];
	RK_TRY(rk_elf_check_strtab(elf, strtab));
	rk_elf_for_each_section(elf, s) {
		uint32_t off = rk_load32(headers + s->index * sizeof(Elf64_Shdr) +
					 offsetof(Elf64_Shdr, sh_name));
		const char *name = s->type == SHT_NULL ? "" : rk_elf_string(strtab, off);

		if (!name)
			return rk_elf_err(elf, RK_ERR_FORMAT,
					  "section %u: name at %u lies outside of the name table",
					  s->index, off);
		s->name = name;
	}
	return NULL;
}

struct rk_err *rk_elf_read_sections(struct rk_elf *elf)
{
	uint64_t offset = rk_load64(elf->image + offsetof(Elf64_Ehdr, e_shoff));
	const uint8_t *headers;
	uint32_t names;
	uint64_t nr;

	RK_TRY(section_counts(elf, offset, &nr, &names));
	headers = rk_image_at(elf, offset, nr * sizeof(Elf64_Shdr));
	if (!headers)
		return rk_elf_err(elf, RK_ERR_FORMAT,
				  "%llu section headers at 0x%llx lie outside of the file",
				  (unsigned long long)nr, (unsigned long long)offset);
	elf->sections = rk_arena_calloc(&elf->arena, nr, sizeof(*elf->sections));
	if (!elf->sections)
		return rk_err_nomem();
	elf->nr_sections = nr;
	for (uint32_t i = 0; i < nr; i++) {
		elf->sections[i].index = i;
		elf->sections[i].name = "";
		elf->sections[i].align = 1;
	}
	rk_elf_for_each_section(elf, s) {
		decode_section(headers + s->index * sizeof(Elf64_Shdr), s);
	}
	/* Names first, so that what is wrong with a section can be said with its name; they need
	 * only the name table's own content. */
	if (names < nr)
		RK_TRY(check_section(elf, &elf->sections[names]));
	RK_TRY(name_sections(elf, headers, names));
	rk_elf_for_each_section(elf, s) {
		RK_TRY(check_section(elf, s));
	}
	return NULL;
}
