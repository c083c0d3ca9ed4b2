/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The image of a module under construction: pieces from the plan, the hook and generated ones in one list. */
#include <elf.h>

#include "lib/base/str.h"
#include "lib/patch/internal.h"

struct rk_err *rk_check_object_name(const char *name)
{
	size_t len = strlen(name);
	if (!len || len > RK_MODULE_NAME_MAX || strchr(name, '.'))
		return rk_err(
			RK_ERR_INVALID,
			"'%s' can't be the name of a livepatch object: 1 to %d characters without '.'",
			name, RK_MODULE_NAME_MAX);
	return NULL;
}

struct rk_err *rk_image_import(struct rk_image *image, const struct rk_plan_symbol *symbol)
{
	if (rk_map_get(&image->imported, symbol->name))
		return NULL;
	if (!*symbol->name || !symbol->object)
		return rk_err(RK_ERR_INVALID, "exported symbol '%s' without exporter",
			      symbol->name);
	if (!rk_map_set(&image->imported, symbol->name, (void *)symbol) ||
	    !rk_vec_push(&image->imports, symbol))
		return rk_err_nomem();
	return NULL;
}

static struct rk_err *add_plan_section(struct rk_image *image,
				       const struct rk_plan_section *section)
{
	RK_TRY(rk_check_object_name(section->object));
	if (!rk_vec_push(&image->sections, section))
		return rk_err_nomem();
	rk_vec_for_each(&section->relocs, reloc) {
		if (reloc->symbol->kind == RK_PLAN_EXPORT)
			RK_TRY(rk_image_import(image, reloc->symbol));
	}
	return NULL;
}

struct rk_err *rk_image_init(struct rk_image *image, const struct rk_plan *plan,
			     const struct rk_hook *hook)
{
	image->plan = plan;
	image->hook = hook;
	rk_vec_for_each(&plan->sections, section)
		RK_TRY(add_plan_section(image, *section));
	rk_vec_for_each(&plan->symbols, symbol) {
		if ((*symbol)->kind == RK_PLAN_DEFINED && !rk_vec_push(&image->symbols, *symbol))
			return rk_err_nomem();
	}
	return NULL;
}

void rk_image_deinit(struct rk_image *image)
{
	/* Only the pieces behind those of the plan are ours. */
	for (size_t i = image->plan ? image->plan->sections.nr : 0; i < image->sections.nr; i++)
		free(image->sections.v[i]->relocs.v);
	rk_vec_deinit(&image->sections);
	rk_vec_deinit(&image->symbols);
	rk_vec_deinit(&image->imports);
	rk_vec_deinit(&image->object_names);
	rk_map_deinit(&image->imported);
	rk_arena_deinit(&image->arena);
}

struct rk_err *rk_image_section(struct rk_image *image, const char *name, uint64_t flags,
				uint64_t align, uint8_t *data, uint64_t size,
				struct rk_plan_section **ret)
{
	struct rk_plan_section *section = rk_arena_new(&image->arena, struct rk_plan_section);
	if (!section)
		return rk_err_nomem();
	*section = (struct rk_plan_section){
		.name = name,
		.object = "vmlinux",
		.type = SHT_PROGBITS,
		.flags = flags,
		.align = align,
		.size = size,
		.data = data,
	};
	if (!rk_vec_push(&image->sections, section))
		return rk_err_nomem();
	*ret = section;
	return NULL;
}

struct rk_err *rk_image_symbol(struct rk_image *image, const char *name,
			       struct rk_plan_section *section, uint64_t value, uint64_t size,
			       uint8_t type, struct rk_plan_symbol **ret)
{
	struct rk_plan_symbol *symbol = rk_arena_new(&image->arena, struct rk_plan_symbol);
	if (!symbol)
		return rk_err_nomem();
	*symbol = (struct rk_plan_symbol){
		.kind = RK_PLAN_DEFINED,
		.name = name,
		.section = section,
		.value = value,
		.size = size,
		.type = type,
	};
	if (!rk_vec_push(&image->symbols, symbol))
		return rk_err_nomem();
	*ret = symbol;
	return NULL;
}

struct rk_err *rk_image_reloc(struct rk_plan_section *section, uint64_t offset, uint32_t type,
			      struct rk_plan_symbol *symbol, int64_t addend)
{
	struct rk_plan_reloc reloc = {
		.offset = offset, .type = type, .addend = addend, .symbol = symbol};
	if (!rk_vec_push(&section->relocs, reloc))
		return rk_err_nomem();
	return NULL;
}
