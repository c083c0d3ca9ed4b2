/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hook's part of a module: its loaded sections and symbols as pieces of the image, with the module's name filled in. */
#include <elf.h>

#include "lib/base/str.h"
#include "lib/patch/internal.h"

#define THIS_MODULE_SECTION ".gnu.linkonce.this_module"

struct hook_builder {
	struct rk_image *image;
	const struct rk_elf *elf; /* of the part under way */
	const struct rk_export_source *exports;
	struct rk_map sections; /* struct rk_section * -> struct rk_plan_section * */
	struct rk_map symbols;	/* struct rk_symbol * -> struct rk_plan_symbol * */
};

static void hook_builder_deinit(struct hook_builder *b)
{
	rk_map_deinit(&b->sections);
	rk_map_deinit(&b->symbols);
}

static bool is_kept(const struct rk_section *section)
{
	return (section->flags & SHF_ALLOC) && section->size &&
	       (section->type == SHT_PROGBITS || section->type == SHT_NOBITS) &&
	       !rk_has_prefix(section->name, ".rk.");
}

static struct rk_err *add_section(struct hook_builder *b, const struct rk_section *from)
{
	struct rk_plan_section *section;
	uint8_t *data = NULL;

	if (from->type != SHT_NOBITS) {
		data = rk_arena_memdup(&b->image->arena, from->data, from->size);
		if (!data)
			return rk_err_nomem();
	}
	RK_TRY(rk_image_section(b->image, from->name, from->flags, from->align, data, from->size,
				&section));
	section->type = from->type;
	section->entsize = from->entsize;
	if (!rk_map_set_ptr(&b->sections, from, section))
		return rk_err_nomem();
	return NULL;
}

static struct rk_err *locate(struct hook_builder *b, const char *name, struct rk_plan_symbol **ret)
{
	uint32_t sympos;
	RK_TRY(b->exports->locate(b->exports->ctx, name, &sympos));
	if (!sympos)
		return rk_err(RK_ERR_NOT_FOUND,
			      "the target has no '%s', which the patch module needs", name);
	struct rk_plan_symbol *symbol = rk_arena_new(&b->image->arena, struct rk_plan_symbol);
	if (!symbol)
		return rk_err_nomem();
	*symbol = (struct rk_plan_symbol){
		.kind = RK_PLAN_KLP, .name = name, .object = "vmlinux", .sympos = sympos};
	*ret = symbol;
	return NULL;
}

static struct rk_err *import(struct hook_builder *b, const char *name, struct rk_plan_symbol **ret)
{
	const struct rk_export *export = b->exports->find(b->exports->ctx, name);
	if (!export)
		return locate(b, name, ret);
	struct rk_plan_symbol *symbol = rk_arena_new(&b->image->arena, struct rk_plan_symbol);
	if (!symbol)
		return rk_err_nomem();
	*symbol = (struct rk_plan_symbol){
		.kind = RK_PLAN_EXPORT,
		.name = export->name,
		.object = export->object,
		.crc = export->crc,
		.ns = export->ns,
	};
	RK_TRY(rk_image_import(b->image, symbol));
	*ret = symbol;
	return NULL;
}

/* The image's symbol for one the hook refers to or defines. */
static struct rk_err *get_symbol(struct hook_builder *b, const struct rk_symbol *from,
				 struct rk_plan_symbol **ret)
{
	struct rk_plan_symbol *symbol = rk_map_get_ptr(&b->symbols, from);

	if (symbol) {
		*ret = symbol;
		return NULL;
	}
	if (from->section) {
		struct rk_plan_section *section = rk_map_get_ptr(&b->sections, from->section);
		if (!section)
			return rk_err(RK_ERR_FORMAT,
				      "'%s': refers to section '%s', which isn't loaded",
				      b->elf->path, from->section->name);
		RK_TRY(rk_image_symbol(b->image, from->name, section, from->value, from->size,
				       from->type, &symbol));
	} else if (from->shndx != SHN_UNDEF) {
		return rk_err(RK_ERR_FORMAT, "'%s': symbol '%s' has no section", b->elf->path,
			      from->name);
	} else if (rk_streq(from->name, RK_HOOK_OBJECTS)) {
		symbol = b->image->objects;
	} else if (rk_streq(from->name, RK_HOOK_CLEAR_ENTRIES) && b->image->clear_entries) {
		symbol = b->image->clear_entries;
	} else if (rk_streq(from->name, RK_HOOK_CHAINED) && b->image->chained) {
		symbol = b->image->chained;
	} else {
		RK_TRY(import(b, from->name, &symbol));
	}
	if (!rk_map_set_ptr(&b->symbols, from, symbol))
		return rk_err_nomem();
	*ret = symbol;
	return NULL;
}

static struct rk_err *add_symbols(struct hook_builder *b)
{
	rk_elf_for_each_symbol(b->elf, from) {
		struct rk_plan_symbol *symbol;
		if ((from->type != STT_FUNC && from->type != STT_OBJECT) || !from->section ||
		    !rk_map_get_ptr(&b->sections, from->section))
			continue;
		/* Names of .modinfo's strings carry __COUNTER__ and help nobody. */
		if (rk_streq(from->section->name, ".modinfo"))
			continue;
		RK_TRY(get_symbol(b, from, &symbol));
		if (rk_streq(from->name, RK_HOOK_CLEAR))
			b->image->clear = symbol;
		if (rk_streq(from->name, RK_HOOK_CLEAR_PRE_PATCH))
			b->image->clear_pre_patch = symbol;
		if (rk_streq(from->name, RK_HOOK_PATCH))
			b->image->patch = symbol;
	}
	return NULL;
}

static struct rk_err *add_relocs(struct hook_builder *b, const struct rk_section *from)
{
	struct rk_plan_section *section = rk_map_get_ptr(&b->sections, from);

	rk_elf_for_each_reloc(from, reloc) {
		struct rk_plan_symbol *symbol;
		RK_TRY(get_symbol(b, reloc->symbol, &symbol));
		RK_TRY(rk_image_reloc(section, reloc->offset, reloc->type, symbol, reloc->addend));
	}
	return NULL;
}

/* Writes size bytes at offset of the hook's symbol or section that lies in section. */
static struct rk_err *poke(struct hook_builder *b, const struct rk_section *section,
			   uint64_t offset, const void *data, size_t size)
{
	struct rk_plan_section *to = section ? rk_map_get_ptr(&b->sections, section) : NULL;
	if (!to || !to->data || offset > to->size || size > to->size - offset)
		return rk_err(RK_ERR_FORMAT,
			      "'%s': the hook's structures aren't where its layout says",
			      b->elf->path);
	memcpy(to->data + offset, data, size);
	return NULL;
}

static struct rk_err *fill_in(struct hook_builder *b, const char *name, bool replace)
{
	const struct rk_hook *hook = b->image->hook;
	const struct rk_symbol *patch = rk_elf_symbol(hook->elf, RK_HOOK_PATCH);
	uint8_t flag = replace;

	RK_TRY(poke(b, rk_elf_section(hook->elf, THIS_MODULE_SECTION), hook->layout.module_name,
		    name, strlen(name)));
	return poke(b, patch ? patch->section : NULL,
		    (patch ? patch->value : 0) + hook->layout.patch_replace, &flag, 1);
}

static struct rk_err *add_part(struct hook_builder *b, const struct rk_elf *elf)
{
	b->elf = elf;
	rk_elf_for_each_section(elf, section) {
		if (is_kept(section))
			RK_TRY(add_section(b, section));
	}
	RK_TRY(add_symbols(b));
	rk_elf_for_each_section(elf, section) {
		if (rk_map_get_ptr(&b->sections, section))
			RK_TRY(add_relocs(b, section));
	}
	return NULL;
}

struct rk_err *rk_image_add_hook(struct rk_image *image, const char *name, bool replace,
				 const struct rk_export_source *exports)
{
	_cleanup_(hook_builder_deinit) struct hook_builder b = {.image = image, .exports = exports};

	if (image->clear_entries)
		RK_TRY(add_part(&b, image->hook->clear));
	RK_TRY(add_part(&b, image->hook->elf));
	return fill_in(&b, name, replace);
}
