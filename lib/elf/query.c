/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions about an ELF file that is open: by name, by address, and the notes every kernel file carries. */
#include <elf.h>

#include "lib/base/str.h"
#include "lib/elf/internal.h"

struct rk_section *rk_elf_section(const struct rk_elf *elf, const char *name)
{
	rk_elf_for_each_section(elf, s) {
		if (rk_streq(s->name, name))
			return s;
	}
	return NULL;
}

struct rk_symbol *rk_elf_symbol(const struct rk_elf *elf, const char *name)
{
	struct rk_symbol *local = NULL;

	rk_elf_for_each_symbol(elf, sym) {
		if (sym->shndx == SHN_UNDEF || sym->type == STT_FILE || !rk_streq(sym->name, name))
			continue;
		if (sym->bind != STB_LOCAL)
			return sym;
		if (!local)
			local = sym;
	}
	return local;
}

struct rk_section *rk_elf_section_at(const struct rk_elf *elf, uint64_t address)
{
	rk_elf_for_each_section(elf, s) {
		/* .tbss takes no room in memory: the section behind it has the same address. */
		if (!(s->flags & SHF_ALLOC) || (s->type == SHT_NOBITS && s->flags & SHF_TLS))
			continue;
		if (address >= s->address && address - s->address < s->size)
			return s;
	}
	return NULL;
}

const uint8_t *rk_elf_at(const struct rk_elf *elf, uint64_t address, uint64_t size)
{
	const struct rk_section *s = rk_elf_section_at(elf, address);

	if (!s || !s->data || size > s->size - (address - s->address))
		return NULL;
	return s->data + (address - s->address);
}

struct rk_err *rk_elf_section_data(const struct rk_elf *elf, const struct rk_section *section,
				   const uint8_t **ret)
{
	if (section->flags & SHF_COMPRESSED)
		return rk_elf_section_err(elf, section, RK_ERR_UNSUPPORTED,
					  "compressed sections are not read");
	if (!section->data)
		return rk_elf_section_err(elf, section, RK_ERR_FORMAT, "has no content");
	*ret = section->data;
	return NULL;
}

struct rk_reloc *rk_section_reloc_from(const struct rk_section *section, uint64_t off)
{
	size_t lo = 0, hi = section->relocs ? section->nr_relocs : 0;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (section->relocs[mid].offset < off)
			lo = mid + 1;
		else
			hi = mid;
	}
	return section->relocs && lo < section->nr_relocs ? &section->relocs[lo] : NULL;
}

static const char *hex(struct rk_arena *arena, const uint8_t *data, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	char *s = rk_arena_alloc(arena, 2 * size + 1);

	for (size_t i = 0; s && i < size; i++) {
		s[2 * i] = digits[data[i] >> 4];
		s[2 * i + 1] = digits[data[i] & 15];
	}
	return s;
}

/* *ret_desc stays NULL when the section has no such note. */
static struct rk_err *find_build_id(const struct rk_elf *elf, const struct rk_section *s,
				    const uint8_t **ret_desc, uint32_t *ret_size)
{
	uint64_t pad = s->align == 8 ? 7 : 3;
	uint64_t pos = 0;

	while (s->size - pos >= sizeof(Elf64_Nhdr)) {
		const uint8_t *p = s->data + pos;
		uint32_t namesz = rk_load32(p), descsz = rk_load32(p + 4);
		uint64_t desc = (pos + sizeof(Elf64_Nhdr) + namesz + pad) & ~pad;
		uint64_t next = (desc + descsz + pad) & ~pad;

		if (desc + descsz > s->size)
			return rk_elf_section_err(elf, s, RK_ERR_FORMAT,
						  "the note at 0x%llx is longer than the section",
						  (unsigned long long)pos);
		if (rk_load32(p + 8) == NT_GNU_BUILD_ID && namesz == sizeof(ELF_NOTE_GNU) &&
		    memcmp(p + sizeof(Elf64_Nhdr), ELF_NOTE_GNU, sizeof(ELF_NOTE_GNU)) == 0) {
			*ret_desc = s->data + desc;
			*ret_size = descsz;
			return NULL;
		}
		pos = next < s->size ? next : s->size;
	}
	return NULL;
}

struct rk_err *rk_elf_build_id(struct rk_elf *elf, const char **ret)
{
	const uint8_t *desc = NULL;
	const char *id = NULL;
	uint32_t size = 0;

	rk_elf_for_each_section(elf, s) {
		if (s->type == SHT_NOTE && s->data && !desc)
			RK_TRY(find_build_id(elf, s, &desc, &size));
	}
	if (desc) {
		id = hex(&elf->arena, desc, size);
		if (!id)
			return rk_err_nomem();
	}
	*ret = id;
	return NULL;
}

/* The value of key=value in the text, or NULL. */
static const char *value_of(const char *text, const char *key)
{
	size_t len = strlen(key);

	return strncmp(text, key, len) == 0 && text[len] == '=' ? text + len + 1 : NULL;
}

const char *rk_elf_modinfo_next(const struct rk_elf *elf, const char *key, uint64_t *pos)
{
	const struct rk_section *s = rk_elf_section(elf, ".modinfo");

	while (s && s->data && *pos < s->size) {
		const char *p = (const char *)s->data + *pos;
		const char *end = memchr(p, '\0', s->size - *pos);

		/* What isn't terminated can't be handed out as a string. */
		if (!end)
			return NULL;
		*pos += (uint64_t)(end - p) + 1;
		const char *value = value_of(p, key);
		if (value)
			return value;
	}
	return NULL;
}

const char *rk_elf_modinfo(const struct rk_elf *elf, const char *key)
{
	uint64_t pos = 0;

	return rk_elf_modinfo_next(elf, key, &pos);
}
