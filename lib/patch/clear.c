/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table for hook/clear.c: every field of the patch that livepatch fills with an address of a module. Needed on kernels
 * that don't clear them when the module goes; whether this one does is read from its symbols.
 */
#include <elf.h>
#include <endian.h>

#include "lib/arch/arch.h"
#include "lib/base/str.h"
#include "lib/patch/internal.h"

#define CLEAR_SECTION ".readykernel.clear"

/* What clear.c uses besides exported symbols; all must be found for it to be used. */
static const char *const needed[] = {"text_poke", "text_poke_sync", "text_mutex"};

_Static_assert(sizeof(struct rk_clear_entry) == 16, "the same on both sides");

static struct rk_err *is_needed(const struct rk_export_source *exports, bool *ret)
{
	uint32_t sympos;

	RK_TRY(exports->locate(exports->ctx, "clear_relocate_add", &sympos));
	*ret = sympos == 0;
	for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
		RK_TRY(exports->locate(exports->ctx, needed[i], &sympos));
		*ret = *ret && sympos;
	}
	return NULL;
}

static bool is_module_reloc(const struct rk_plan_reloc *reloc)
{
	return reloc->symbol->kind == RK_PLAN_KLP && !rk_streq(reloc->symbol->object, "vmlinux");
}

static size_t count_fields(const struct rk_plan_section *section)
{
	size_t nr = 0;

	rk_vec_for_each(&section->relocs, reloc)
		nr += is_module_reloc(reloc);
	return nr;
}

static struct rk_err *object_index(const struct rk_image *image, const char *name, size_t *ret)
{
	for (size_t i = 0; i < image->object_names.nr; i++) {
		if (rk_streq(image->object_names.v[i], name)) {
			*ret = i;
			return NULL;
		}
	}
	/* Livepatch applies the relocations of the objects it patches, and no others. */
	return rk_err(RK_ERR_INVALID,
		      "the plan has code for module '%s', which isn't among its objects", name);
}

static struct rk_err *add_entry(const struct rk_arch *arch, struct rk_plan_section *entries,
				size_t at, size_t object, struct rk_plan_symbol *where,
				const struct rk_plan_reloc *reloc)
{
	const struct rk_reloc_kind *kind = arch->reloc_kind(reloc->type);
	struct rk_clear_entry entry = {
		.size = htole32(kind ? kind->size : 0),
		.object = htole32((uint32_t)object),
	};

	memcpy(entries->data + at * sizeof(entry), &entry, sizeof(entry));
	return rk_image_reloc(entries,
			      at * sizeof(entry) + offsetof(struct rk_clear_entry, address),
			      arch->reloc_abs64, where, (int64_t)reloc->offset);
}

/* One entry for each field in section; *at counts them all. */
static struct rk_err *add_section_entries(struct rk_image *image, const struct rk_arch *arch,
					  struct rk_plan_section *entries,
					  struct rk_plan_section *section, size_t *at)
{
	size_t object;

	RK_TRY(object_index(image, section->object, &object));
	struct rk_plan_symbol *where = rk_arena_new(&image->arena, struct rk_plan_symbol);
	if (!where)
		return rk_err_nomem();
	*where = (struct rk_plan_symbol){
		.kind = RK_PLAN_DEFINED, .name = "", .section = section, .type = STT_SECTION};
	rk_vec_for_each(&section->relocs, reloc) {
		if (is_module_reloc(reloc))
			RK_TRY(add_entry(arch, entries, (*at)++, object, where, reloc));
	}
	return NULL;
}

struct rk_err *rk_image_add_clear_entries(struct rk_image *image,
					  const struct rk_export_source *exports)
{
	const struct rk_arch *arch = rk_arch_for(image->hook->elf->machine);
	struct rk_plan_section *entries;
	size_t nr = 0, at = 0;
	bool needs = false;

	rk_vec_for_each(&image->plan->sections, section)
		nr += count_fields(*section);
	if (nr && arch)
		RK_TRY(is_needed(exports, &needs));
	if (!needs)
		return NULL;
	/* One more: the zeroed end of the array. */
	uint8_t *data = rk_arena_calloc(&image->arena, nr + 1, sizeof(struct rk_clear_entry));
	if (!data)
		return rk_err_nomem();
	RK_TRY(rk_image_section(image, CLEAR_SECTION, SHF_ALLOC, 8, data,
				(nr + 1) * sizeof(struct rk_clear_entry), &entries));
	RK_TRY(rk_image_symbol(image, RK_HOOK_CLEAR_ENTRIES, entries, 0, entries->size, STT_OBJECT,
			       &image->clear_entries));
	rk_vec_for_each(&image->plan->sections, section) {
		if (count_fields(*section))
			RK_TRY(add_section_entries(image, arch, entries, *section, &at));
	}
	return NULL;
}

bool rk_image_is_cleared(const struct rk_image *image, const char *object)
{
	if (!image->clear_entries)
		return false;
	rk_vec_for_each(&image->plan->sections, section) {
		if (rk_streq((*section)->object, object) && count_fields(*section))
			return true;
	}
	return false;
}
