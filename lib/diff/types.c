/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Types: layouts and prototypes of the original against the patched, from debug info; bytes alone can't tell a moved member. */
#include <elf.h>

#include "lib/diff/diff_internal.h"
#include "lib/elf/debug_info.h"

static struct rk_err *index_types(struct rk_debug_info *info, struct rk_map *ret)
{
	rk_vec_for_each(&info->types, type)
		if (!rk_map_get(ret, type->name) && !rk_map_set(ret, type->name, type))
			return rk_err_nomem();
	return NULL;
}

static struct rk_err *index_funcs(struct rk_debug_info *info, struct rk_map *ret)
{
	rk_vec_for_each(&info->funcs, func)
		if (!rk_map_get(ret, func->name) && !rk_map_set(ret, func->name, func))
			return rk_err_nomem();
	return NULL;
}

static struct rk_err *layout_finding(struct rk_diff *diff, const struct rk_debug_type *a,
				     const char *text)
{
	return rk_finding_add(&diff->findings, RK_FINDING_LAYOUT_CHANGED, diff->unit, diff->object,
			      a->name, "%s", text);
}

static struct rk_err *compare_type(struct rk_diff *diff, const struct rk_debug_type *a,
				   const struct rk_debug_type *b)
{
	for (size_t i = 0; i < a->nr_members || i < b->nr_members; i++) {
		const char *x = i < a->nr_members ? a->members[i] : NULL;
		const char *y = i < b->nr_members ? b->members[i] : NULL;
		if (x && y && rk_streq(x, y))
			continue;
		const char *text =
			rk_arena_printf(&diff->arena,
					"%llu bytes, now %llu; first difference: %s, now %s",
					(unsigned long long)a->size, (unsigned long long)b->size,
					x ? x : "the end", y ? y : "the end");
		return text ? layout_finding(diff, a, text) : rk_err_nomem();
	}
	if (a->size == b->size)
		return NULL;
	const char *text =
		rk_arena_printf(&diff->arena, "%llu bytes, now %llu", (unsigned long long)a->size,
				(unsigned long long)b->size);
	return text ? layout_finding(diff, a, text) : rk_err_nomem();
}

/* Enumerators that are added at the end change nothing that exists. */
static bool is_extended_enum(const struct rk_debug_type *a, const struct rk_debug_type *b)
{
	if (!rk_has_prefix(a->name, "enum ") || a->size != b->size || a->nr_members > b->nr_members)
		return false;
	for (size_t i = 0; i < a->nr_members; i++)
		if (!rk_streq(a->members[i], b->members[i]))
			return false;
	return true;
}

static struct rk_err *compare_types(struct rk_diff *diff, struct rk_debug_info *orig,
				    const struct rk_map *patched)
{
	rk_vec_for_each(&orig->types, a) {
		const struct rk_debug_type *b = rk_map_get(patched, a->name);
		if (b && !is_extended_enum(a, b))
			RK_TRY(compare_type(diff, a, b));
	}
	return NULL;
}

static struct rk_err *compare_func(struct rk_diff *diff, const struct rk_debug_func *a,
				   const struct rk_debug_func *b)
{
	if (rk_streq(a->prototype, b->prototype))
		return NULL;
	if (rk_diff_is_exported(diff->orig, a->name))
		return rk_finding_add(&diff->findings, RK_FINDING_EXPORT_CHANGED, diff->unit,
				      diff->object, a->name, "%s, now %s", a->prototype,
				      b->prototype);
	const char *name = rk_arena_strdup(&diff->arena, a->name);
	return name && rk_vec_push(&diff->prototypes, name) ? NULL : rk_err_nomem();
}

static struct rk_err *compare_infos(struct rk_diff *diff, struct rk_debug_info *orig,
				    struct rk_debug_info *patched)
{
	struct rk_map types = {}, funcs = {};
	struct rk_err *err = index_types(patched, &types);
	if (!err)
		err = index_funcs(patched, &funcs);
	if (!err)
		err = compare_types(diff, orig, &types);
	rk_vec_for_each(&orig->funcs, a) {
		const struct rk_debug_func *b = err ? NULL : rk_map_get(&funcs, a->name);
		if (b)
			err = compare_func(diff, a, b);
	}
	rk_map_deinit(&types);
	rk_map_deinit(&funcs);
	return err;
}

static bool has_debug_info(const struct rk_elf *elf)
{
	return rk_elf_section(elf, ".debug_info") != NULL;
}

struct rk_err *rk_diff_types(struct rk_diff *diff)
{
	/* objects in memory (tests, fuzzing) have no file to give to libdw */
	if (!diff->orig->elf->map || !diff->patched->elf->map || !has_debug_info(diff->orig->elf) ||
	    !has_debug_info(diff->patched->elf))
		return NULL;
	_cleanup_debug_info_ struct rk_debug_info *orig = NULL;
	_cleanup_debug_info_ struct rk_debug_info *patched = NULL;
	RK_TRY(rk_debug_info_read(diff->orig->elf->path, &orig));
	RK_TRY(rk_debug_info_read(diff->patched->elf->path, &patched));
	return compare_infos(diff, orig, patched);
}
