/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the module says of itself: .modinfo as scripts/mod/modpost.c of the kernel would add to it, the CRC of every symbol it
 * imports, a build-id, and the manifest.
 */
#include <elf.h>
#include <endian.h>

#include "lib/base/str.h"
#include "lib/patch/internal.h"

/* struct modversion_info (include/linux/module.h): unsigned long crc, then the name to the end of the entry. */
#define VERSION_NAME_OFFSET 8

static void add_modinfo(struct rk_str *text, const char *key, const char *value)
{
	rk_str_addf(text, "%s=%s", key, value);
	rk_str_add_char(text, '\0');
}

static bool is_first_of_object(const struct rk_image *image, size_t index)
{
	for (size_t i = 0; i < index; i++) {
		if (rk_streq(image->imports.v[i]->object, image->imports.v[index]->object))
			return false;
	}
	return !rk_streq(image->imports.v[index]->object, "vmlinux");
}

static bool is_first_of_ns(const struct rk_image *image, size_t index)
{
	const char *ns = image->imports.v[index]->ns;
	for (size_t i = 0; i < index; i++) {
		const char *other = image->imports.v[i]->ns;
		if (other && ns && rk_streq(other, ns))
			return false;
	}
	return ns && *ns;
}

static struct rk_err *add_modinfo_section(struct rk_image *image, const char *name)
{
	_cleanup_str_ struct rk_str text = RK_STR_INIT;
	_cleanup_str_ struct rk_str depends = RK_STR_INIT;

	for (size_t i = 0; i < image->imports.nr; i++) {
		if (is_first_of_object(image, i))
			rk_str_addf(&depends, "%s%s", depends.len ? "," : "",
				    image->imports.v[i]->object);
	}
	RK_TRY(rk_str_check(&depends));
	add_modinfo(&text, "name", name);
	add_modinfo(&text, "depends", rk_str_get(&depends));
	for (size_t i = 0; i < image->imports.nr; i++) {
		if (is_first_of_ns(image, i))
			add_modinfo(&text, "import_ns", image->imports.v[i]->ns);
	}
	RK_TRY(rk_str_check(&text));
	uint8_t *data = rk_arena_memdup(&image->arena, text.s, text.len);
	if (!data)
		return rk_err_nomem();
	struct rk_plan_section *section;
	return rk_image_section(image, ".modinfo", SHF_ALLOC, 1, data, text.len, &section);
}

static struct rk_err *set_version(uint8_t *entry, size_t entry_size, const char *name, uint32_t crc)
{
	size_t len = strlen(name);
	if (len >= entry_size - VERSION_NAME_OFFSET)
		return rk_err(
			RK_ERR_LIMIT,
			"the name of the exported symbol '%s' is too long for its CRC: at most %zu characters",
			name, entry_size - VERSION_NAME_OFFSET - 1);
	uint64_t value = htole64(crc);
	memcpy(entry, &value, sizeof(value));
	memcpy(entry + VERSION_NAME_OFFSET, name, len);
	return NULL;
}

/* module_layout first, as modpost does: its CRC stands for the layout of struct module itself. */
static struct rk_err *add_versions(struct rk_image *image, const struct rk_export_source *exports)
{
	size_t entry_size = image->hook->layout.version_entry_size;
	if (!entry_size)
		return NULL;
	const struct rk_export *layout = exports->find(exports->ctx, "module_layout");
	if (!layout)
		return rk_err(RK_ERR_NOT_FOUND,
			      "the target's Module.symvers has no CRC of 'module_layout'");
	size_t nr = image->imports.nr + 1;
	uint8_t *data = rk_arena_calloc(&image->arena, nr, entry_size);
	if (!data)
		return rk_err_nomem();
	RK_TRY(set_version(data, entry_size, "module_layout", layout->crc));
	for (size_t i = 1; i < nr; i++) {
		const struct rk_plan_symbol *import = image->imports.v[i - 1];
		RK_TRY(set_version(data + i * entry_size, entry_size, import->name, import->crc));
	}
	struct rk_plan_section *section;
	return rk_image_section(image, "__versions", SHF_ALLOC, 32, data, nr * entry_size,
				&section);
}

/* The content is known only when the file is: rk_module_compose() fills it in. */
static struct rk_err *add_build_id(struct rk_image *image)
{
	uint8_t *data = rk_arena_alloc(&image->arena, RK_BUILD_ID_NOTE_SIZE);
	if (!data)
		return rk_err_nomem();
	Elf64_Nhdr header = {
		.n_namesz = htole32(sizeof(ELF_NOTE_GNU)),
		.n_descsz = htole32(RK_BUILD_ID_SIZE),
		.n_type = htole32(NT_GNU_BUILD_ID),
	};
	memcpy(data, &header, sizeof(header));
	memcpy(data + sizeof(header), ELF_NOTE_GNU, sizeof(ELF_NOTE_GNU));
	struct rk_plan_section *section;
	RK_TRY(rk_image_section(image, RK_BUILD_ID_SECTION, SHF_ALLOC, 4, data,
				RK_BUILD_ID_NOTE_SIZE, &section));
	section->type = SHT_NOTE;
	return NULL;
}

struct rk_err *rk_image_add_info(struct rk_image *image, const char *name,
				 const char *manifest_json, const struct rk_export_source *exports)
{
	RK_TRY(add_modinfo_section(image, name));
	RK_TRY(add_versions(image, exports));
	RK_TRY(add_build_id(image));
	size_t len = strlen(manifest_json);
	uint8_t *copy = rk_arena_memdup(&image->arena, manifest_json, len);
	if (!copy)
		return rk_err_nomem();
	struct rk_plan_section *section;
	return rk_image_section(image, RK_MANIFEST_SECTION, 0, 1, copy, len, &section);
}
