/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The livepatch arrays (kernel: include/linux/livepatch.h): one struct klp_object per object with functions, callbacks or symbols to bind, each with its
 * struct klp_func array, both ended by a zeroed entry. Only the fields marked "external" there are filled in; offsets come
 * from the target's own compiler through the hook.
 */
#include <elf.h>
#include <endian.h>

#include "lib/base/str.h"
#include "lib/patch/internal.h"

#define FUNCS_SECTION	".readykernel.funcs"
#define OBJECTS_SECTION ".readykernel.objects"
#define STRINGS_SECTION ".readykernel.strings"
#define KLP_ALIGN	64

struct klp_builder {
	struct rk_image *image;
	const struct rk_hook_layout *layout;
	struct rk_plan_section *strings, *objects;
	struct rk_plan_symbol *strings_symbol;
	struct rk_str text; /* content of strings */
	struct rk_map seen; /* "object.name,pos" */
};

static void klp_builder_deinit(struct klp_builder *b)
{
	rk_str_deinit(&b->text);
	rk_map_deinit(&b->seen);
}

/* Points the field at offset of section to a copy of s. */
static struct rk_err *set_string(struct klp_builder *b, struct rk_plan_section *section,
				 uint64_t offset, const char *s)
{
	size_t at = b->text.len;
	rk_str_add_bytes(&b->text, s, strlen(s) + 1);
	return rk_image_reloc(section, offset, R_X86_64_64, b->strings_symbol, at);
}

static struct rk_err *check_func(struct klp_builder *b, const struct rk_plan_func *func)
{
	const struct rk_plan_symbol *new = func->new_symbol;

	if (!new || new->kind != RK_PLAN_DEFINED)
		return rk_err(RK_ERR_INVALID, "the plan has no code for '%s'", func->old_name);
	size_t len = strlen(func->old_name);
	if (!len || len > b->layout->symbol_name_max || strchr(func->old_name, ','))
		return rk_err(RK_ERR_LIMIT, "livepatch can't look up the function name '%s'",
			      func->old_name);
	/* Two entries of one name would be two kobjects of one name: -EEXIST at load. */
	char *key = rk_arena_printf(&b->image->arena, "%s.%s,%u", func->object, func->old_name,
				    func->old_sympos > 1 ? func->old_sympos : 1);
	if (!key)
		return rk_err_nomem();
	if (rk_map_get(&b->seen, key))
		return rk_err(RK_ERR_INVALID, "the plan replaces '%s' of '%s' twice",
			      func->old_name, func->object);
	if (!rk_map_set(&b->seen, key, key))
		return rk_err_nomem();
	return NULL;
}

static struct rk_err *add_func(struct klp_builder *b, struct rk_plan_section *funcs, size_t index,
			       const struct rk_plan_func *func)
{
	const struct rk_hook_layout *layout = b->layout;
	uint64_t at = index * layout->func_size;

	RK_TRY(check_func(b, func));
	RK_TRY(set_string(b, funcs, at + layout->func_old_name, func->old_name));
	RK_TRY(rk_image_reloc(funcs, at + layout->func_new_func, R_X86_64_64, func->new_symbol, 0));
	uint64_t sympos = htole64(func->old_sympos);
	memcpy(funcs->data + at + layout->func_old_sympos, &sympos, sizeof(sympos));
	return NULL;
}

static size_t count_funcs(const struct rk_plan *plan, const char *object)
{
	size_t nr = 0;
	rk_vec_for_each(&plan->funcs, func)
		nr += rk_streq(func->object, object);
	return nr;
}

static struct rk_err *zeroed_section(struct klp_builder *b, const char *name, size_t nr,
				     size_t size, struct rk_plan_section **ret)
{
	uint8_t *data = rk_arena_calloc(&b->image->arena, nr, size);
	if (!data)
		return rk_err_nomem();
	return rk_image_section(b->image, name, SHF_ALLOC | SHF_WRITE, KLP_ALIGN, data, nr * size,
				ret);
}

static struct rk_err *add_object(struct klp_builder *b, size_t index, const char *name, size_t nr)
{
	const struct rk_hook_layout *layout = b->layout;
	struct rk_plan_section *funcs;
	struct rk_plan_symbol *symbol;

	RK_TRY(rk_check_object_name(name));
	if (!rk_vec_push(&b->image->object_names, name))
		return rk_err_nomem();
	const char *section_name = rk_arena_printf(&b->image->arena, FUNCS_SECTION ".%s", name);
	const char *symbol_name = rk_arena_printf(&b->image->arena, "rk_klp_funcs_%s", name);
	if (!section_name || !symbol_name)
		return rk_err_nomem();
	/* One more: the zeroed end of the array. */
	RK_TRY(zeroed_section(b, section_name, nr + 1, layout->func_size, &funcs));
	RK_TRY(rk_image_symbol(b->image, symbol_name, funcs, 0, funcs->size, STT_OBJECT, &symbol));
	size_t i = 0;
	rk_vec_for_each(&b->image->plan->funcs, func) {
		if (rk_streq(func->object, name))
			RK_TRY(add_func(b, funcs, i++, func));
	}
	uint64_t at = index * layout->object_size;
	/* The name of vmlinux is NULL. */
	if (!rk_streq(name, "vmlinux"))
		RK_TRY(set_string(b, b->objects, at + layout->object_name, name));
	return rk_image_reloc(b->objects, at + layout->object_funcs, R_X86_64_64, symbol, 0);
}

static bool is_needed(const struct rk_plan *plan, const char *object)
{
	rk_vec_for_each(&plan->callbacks, callback)
		if (rk_streq(callback->object, object))
			return true;
	/* an object without functions is allowed, and has its symbols bound */
	return count_funcs(plan, object) > 0 || rk_plan_binds_late(plan, object);
}

/* Objects that are needed, in the plan's order; checks that each function's object is among them. */
static struct rk_err *count_objects(const struct rk_plan *plan, size_t *ret)
{
	size_t nr = 0, nr_funcs = 0;
	rk_vec_for_each(&plan->objects, object) {
		nr += is_needed(plan, object->name);
		nr_funcs += count_funcs(plan, object->name);
	}
	if (!plan->funcs.nr && !plan->callbacks.nr)
		return rk_err(RK_ERR_INVALID, "the plan replaces no function and has no callback");
	if (nr_funcs != plan->funcs.nr)
		return rk_err(RK_ERR_INVALID,
			      "the plan's objects don't agree with its functions: %zu of %zu found",
			      nr_funcs, plan->funcs.nr);
	*ret = nr;
	return NULL;
}

static struct rk_err *add_arrays(struct klp_builder *b)
{
	const struct rk_plan *plan = b->image->plan;
	size_t nr, index = 0;

	RK_TRY(count_objects(plan, &nr));
	RK_TRY(rk_image_section(b->image, STRINGS_SECTION, SHF_ALLOC, 1, NULL, 0, &b->strings));
	b->strings_symbol = rk_arena_new(&b->image->arena, struct rk_plan_symbol);
	if (!b->strings_symbol)
		return rk_err_nomem();
	*b->strings_symbol = (struct rk_plan_symbol){
		.kind = RK_PLAN_DEFINED, .name = "", .section = b->strings, .type = STT_SECTION};
	RK_TRY(zeroed_section(b, OBJECTS_SECTION, nr + 1, b->layout->object_size, &b->objects));
	RK_TRY(rk_image_symbol(b->image, RK_HOOK_OBJECTS, b->objects, 0, b->objects->size,
			       STT_OBJECT, &b->image->objects));
	rk_vec_for_each(&plan->objects, object) {
		if (is_needed(plan, object->name))
			RK_TRY(add_object(b, index++, object->name,
					  count_funcs(plan, object->name)));
	}
	RK_TRY(rk_str_check(&b->text));
	b->strings->size = b->text.len;
	b->strings->data = rk_arena_memdup(&b->image->arena, b->text.s, b->text.len);
	return b->strings->data ? NULL : rk_err_nomem();
}

struct rk_err *rk_image_add_klp(struct rk_image *image)
{
	_cleanup_(klp_builder_deinit) struct klp_builder b = {
		.image = image,
		.layout = &image->hook->layout,
	};
	return add_arrays(&b);
}
