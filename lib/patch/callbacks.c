/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The callbacks of each struct klp_object, and the states of struct klp_patch. An object whose fields must be cleared when its
 * module goes has clear.c's callbacks, which call the author's.
 */
#include <elf.h>
#include <endian.h>

#include "lib/base/str.h"
#include "lib/patch/internal.h"

#define STATES_SECTION	 ".readykernel.states"
#define CHAINED_SECTION	 ".readykernel.chained"
#define STATES_SYMBOL	 "rk_klp_states"
#define POINTER_SIZE	 8
#define STATES_ALIGNMENT 16

static struct rk_err *add_states(struct rk_image *image)
{
	const struct rk_hook_layout *layout = &image->hook->layout;
	const struct rk_plan *plan = image->plan;
	struct rk_plan_section *section;
	struct rk_plan_symbol *symbol;

	if (!plan->states.nr)
		return NULL;
	/* One more: the zeroed end of the array. */
	size_t size = (plan->states.nr + 1) * layout->state_size;
	uint8_t *data = rk_arena_calloc(&image->arena, plan->states.nr + 1, layout->state_size);
	if (!data)
		return rk_err_nomem();
	for (size_t i = 0; i < plan->states.nr; i++) {
		uint64_t id = htole64(plan->states.v[i].id);
		uint32_t version = htole32(plan->states.v[i].version);
		uint8_t *at = data + i * layout->state_size;
		memcpy(at + layout->state_id, &id, sizeof(id));
		memcpy(at + layout->state_version, &version, sizeof(version));
	}
	RK_TRY(rk_image_section(image, STATES_SECTION, SHF_ALLOC | SHF_WRITE, STATES_ALIGNMENT,
				data, size, &section));
	RK_TRY(rk_image_symbol(image, STATES_SYMBOL, section, 0, size, STT_OBJECT, &symbol));
	return rk_image_reloc(image->patch->section, image->patch->value + layout->patch_states,
			      R_X86_64_64, symbol, 0);
}

static unsigned int field_of(const struct rk_hook_layout *layout, enum kpatch_mark_kind kind)
{
	switch (kind) {
	case KPATCH_MARK_PRE_PATCH: return layout->object_pre_patch;
	case KPATCH_MARK_POST_PATCH: return layout->object_post_patch;
	case KPATCH_MARK_PRE_UNPATCH: return layout->object_pre_unpatch;
	default: return layout->object_post_unpatch;
	}
}

static struct rk_err *set_callback(struct rk_image *image, size_t index, enum kpatch_mark_kind kind)
{
	const struct rk_hook_layout *layout = &image->hook->layout;
	const char *object = image->object_names.v[index];
	const struct rk_plan_callback *own = rk_plan_callback(image->plan, object, kind);
	struct rk_plan_symbol *symbol = own ? own->symbol : NULL;

	if (rk_image_is_cleared(image, object)) {
		if (kind == KPATCH_MARK_POST_UNPATCH)
			symbol = image->clear;
		else if (kind == KPATCH_MARK_PRE_PATCH && own)
			symbol = image->clear_pre_patch;
	}
	if (!symbol)
		return NULL;
	return rk_image_reloc(image->objects->section,
			      index * layout->object_size + field_of(layout, kind), R_X86_64_64,
			      symbol, 0);
}

struct rk_err *rk_image_add_chained(struct rk_image *image)
{
	static const struct {
		enum kpatch_mark_kind kind;
		size_t offset;
	} chained[] = {
		{KPATCH_MARK_PRE_PATCH, offsetof(struct rk_chained, pre_patch)},
		{KPATCH_MARK_POST_UNPATCH, offsetof(struct rk_chained, post_unpatch)},
	};
	struct rk_plan_section *section;
	size_t nr = image->object_names.nr;

	if (!image->clear_entries)
		return NULL;
	uint8_t *data = rk_arena_calloc(&image->arena, nr, sizeof(struct rk_chained));
	if (!data)
		return rk_err_nomem();
	RK_TRY(rk_image_section(image, CHAINED_SECTION, SHF_ALLOC, POINTER_SIZE, data,
				nr * sizeof(struct rk_chained), &section));
	for (size_t i = 0; i < nr; i++)
		for (size_t k = 0; k < ARRAY_SIZE(chained); k++) {
			const struct rk_plan_callback *own = rk_plan_callback(
				image->plan, image->object_names.v[i], chained[k].kind);
			if (own)
				RK_TRY(rk_image_reloc(
					section, i * sizeof(struct rk_chained) + chained[k].offset,
					R_X86_64_64, own->symbol, 0));
		}
	return rk_image_symbol(image, RK_HOOK_CHAINED, section, 0, section->size, STT_OBJECT,
			       &image->chained);
}

struct rk_err *rk_image_set_callbacks(struct rk_image *image)
{
	if (image->clear_entries && (!image->clear || !image->clear_pre_patch))
		return rk_err(RK_ERR_FORMAT, "'%s': no function '%s' or '%s'",
			      image->hook->clear->path, RK_HOOK_CLEAR, RK_HOOK_CLEAR_PRE_PATCH);
	for (size_t i = 0; i < image->object_names.nr; i++)
		for (enum kpatch_mark_kind kind = 0; kind < RK_PLAN_CALLBACKS; kind++)
			RK_TRY(set_callback(image, i, kind));
	return add_states(image);
}
