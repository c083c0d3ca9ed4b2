/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Types: layouts, constants and prototypes of the original against the patched, from debug info; bytes alone can't tell a moved member. All
 * types that both objects know are compared, wherever they are declared: a changed header changes what other headers embed.
 */
#include <elf.h>
#include <strings.h>

#include "lib/diff/diff_internal.h"
#include "lib/diff/layout.h"

/* What of one object others are looked up in. */
struct index {
	struct rk_map types;  /* by name */
	struct rk_map funcs;  /* by name */
	struct rk_map hashes; /* of enumerations: a type of that hash */
	struct rk_map
		members; /* enumerators of enumerations the other object doesn't have as they are */
};

static void index_deinit(struct index *index)
{
	rk_map_deinit(&index->types);
	rk_map_deinit(&index->funcs);
	rk_map_deinit(&index->hashes);
	rk_map_deinit(&index->members);
}

static void *hash_key(uint64_t hash)
{
	return (void *)(uintptr_t)(hash | 1);
}

static struct rk_err *make_index(struct rk_debug_info *info, struct index *index)
{
	rk_vec_for_each(&info->types, type) {
		if (type->is_enum && !rk_map_set_ptr(&index->hashes, hash_key(type->hash), type))
			return rk_err_nomem();
		if (type->name && !rk_map_get(&index->types, type->name) &&
		    !rk_map_set(&index->types, type->name, type))
			return rk_err_nomem();
	}
	rk_vec_for_each(&info->funcs, func)
		if (!rk_map_get(&index->funcs, func->name) &&
		    !rk_map_set(&index->funcs, func->name, func))
			return rk_err_nomem();
	return NULL;
}

/* What a header declares is said of the header: the same of each unit that reads it, so that it is one finding in the end. */
static struct rk_err *type_finding(struct rk_diff *diff, enum rk_finding_code code,
				   const struct rk_debug_type *type, const char *symbol,
				   const char *text)
{
	bool is_header = !type->is_own && *type->file;
	return rk_finding_add(&diff->findings, code, is_header ? type->file : diff->unit,
			      is_header ? NULL : diff->object, symbol, "%s", text);
}

struct pair {
	struct rk_diff *diff;
	struct rk_debug_info *orig, *patched;
	struct index a, b;
};

static struct rk_err *compare_layout(struct pair *p, struct rk_debug_type *a,
				     struct rk_debug_type *b)
{
	static const enum rk_finding_code codes[] = {
		[RK_LAYOUT_FILLED] = RK_FINDING_MEMBER_ADDED,
		[RK_LAYOUT_OTHER_MEANING] = RK_FINDING_MEMBER_CHANGED,
		[RK_LAYOUT_MOVED] = RK_FINDING_LAYOUT_CHANGED,
	};
	enum rk_layout_change change;
	const char *text;

	RK_TRY(rk_debug_info_load_members(p->orig, a));
	RK_TRY(rk_debug_info_load_members(p->patched, b));
	RK_TRY(rk_layout_compare(&p->diff->arena, a, b, &change, &text));
	if (change == RK_LAYOUT_SAME)
		return NULL;
	return type_finding(p->diff, codes[change], a, a->name, text);
}

static struct rk_err *compare_types(struct pair *p)
{
	rk_vec_for_each(&p->orig->types, a) {
		struct rk_debug_type *b = a->name ? rk_map_get(&p->b.types, a->name) : NULL;
		if (!b || a->hash == b->hash)
			continue;
		if (!a->is_enum)
			RK_TRY(compare_layout(p, a, b));
		else if (a->size != b->size)
			RK_TRY(type_finding(p->diff, RK_FINDING_LAYOUT_CHANGED, a, a->name,
					    "an enumeration of another size"));
	}
	return NULL;
}

/* Constants have names of their own, so that it doesn't matter which enumeration, named or not, they are in. */
static struct rk_err *index_enumerators(struct rk_debug_info *info, struct index *index,
					const struct index *other)
{
	rk_vec_for_each(&info->types, type) {
		if (!type->is_enum || rk_map_get_ptr(&other->hashes, hash_key(type->hash)))
			continue;
		RK_TRY(rk_debug_info_load_members(info, type));
		for (size_t i = 0; i < type->nr_members; i++)
			if (!rk_map_set(&index->members, type->members[i].name, &type->members[i]))
				return rk_err_nomem();
	}
	return NULL;
}

/* "NR_STATES", "__NFTA_MAX", "num_kinds": counts the others or limits something; no object holds it as its state. */
static bool is_count(const char *name)
{
	static const char *const words[] = {"max", "nr",    "num",  "count", "cnt",  "last",
					    "end", "total", "size", "n",     "limit"};
	for (const char *p = name; *p;) {
		size_t len = strcspn(p, "_");
		for (size_t i = 0; i < ARRAY_SIZE(words); i++)
			if (strlen(words[i]) == len && strncasecmp(words[i], p, len) == 0)
				return true;
		p += len;
		p += strspn(p, "_");
	}
	return false;
}

static struct rk_err *compare_enumerator(struct pair *p, const struct rk_debug_type *type,
					 const struct rk_debug_member *x)
{
	const struct rk_debug_member *y = rk_map_get(&p->b.members, x->name);
	if (!y || x->value == y->value)
		return NULL;
	const char *text = rk_arena_printf(&p->diff->arena, "was %lld, now %lld",
					   (long long)x->value, (long long)y->value);
	if (!text)
		return rk_err_nomem();
	return type_finding(p->diff,
			    is_count(x->name) && y->value > x->value ? RK_FINDING_COUNT_CHANGED
								     : RK_FINDING_CONSTANT_CHANGED,
			    type, x->name, text);
}

static struct rk_err *compare_enums(struct pair *p)
{
	RK_TRY(index_enumerators(p->orig, &p->a, &p->b));
	RK_TRY(index_enumerators(p->patched, &p->b, &p->a));
	rk_vec_for_each(&p->orig->types, type) {
		if (!type->is_enum || rk_map_get_ptr(&p->b.hashes, hash_key(type->hash)))
			continue;
		for (size_t i = 0; i < type->nr_members; i++)
			RK_TRY(compare_enumerator(p, type, &type->members[i]));
	}
	return NULL;
}

static struct rk_err *compare_func(struct rk_diff *diff, const struct rk_debug_func *a,
				   const struct rk_debug_func *b)
{
	if (a->meaning == b->meaning)
		return NULL;
	if (rk_diff_is_exported(diff->orig, a->name))
		return rk_finding_add(&diff->findings, RK_FINDING_EXPORT_CHANGED, diff->unit,
				      diff->object, a->name, "%s, now %s", a->prototype,
				      b->prototype);
	const char *name = rk_arena_strdup(&diff->arena, a->name);
	return name && rk_vec_push(&diff->prototypes, name) ? NULL : rk_err_nomem();
}

static struct rk_err *compare_funcs(struct pair *p)
{
	rk_vec_for_each(&p->orig->funcs, a) {
		const struct rk_debug_func *b = rk_map_get(&p->b.funcs, a->name);
		if (b)
			RK_TRY(compare_func(p->diff, a, b));
	}
	return NULL;
}

static struct rk_err *compare_infos(struct pair *p)
{
	RK_TRY(make_index(p->orig, &p->a));
	RK_TRY(make_index(p->patched, &p->b));
	RK_TRY(compare_types(p));
	RK_TRY(compare_enums(p));
	return compare_funcs(p);
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
	struct pair p = {.diff = diff, .orig = orig, .patched = patched};
	struct rk_err *err = compare_infos(&p);
	index_deinit(&p.a);
	index_deinit(&p.b);
	return err;
}
