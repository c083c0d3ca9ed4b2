/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading debug info: one walk over the top level of each unit. The file stays open, so that the members of a type can be described
 * later.
 */
#include "lib/elf/debug_info.h"

#include "lib/elf/debug_internal.h"

struct walk {
	struct rk_debug_info *out;
	Dwarf_Die *cu;
	Dwarf_Files *files; /* of the unit; NULL when they can't be read */
	size_t nr_files;
	/* the last answer of look_at_file(): declarations of one file stand together */
	uint64_t last_file;
	const char *last_path;
	bool last_is_own;
};

static struct rk_err *add_type(struct walk *w, Dwarf_Die *die, const char *prefix, const char *name)
{
	struct rk_debug_type type = {
		.size = rk_debug_get_number(die, DW_AT_byte_size, 0),
		.file = w->last_path,
		.is_own = w->last_is_own,
		.is_enum = dwarf_tag(die) == DW_TAG_enumeration_type,
		.hash = rk_debug_layout_hash(&w->out->hashes, die, 0, 0),
		.offset = dwarf_dieoffset(die),
	};

	if (name)
		type.name = rk_arena_printf(&w->out->arena, "%s%s", prefix, name);
	if (name && !type.name)
		return rk_err_nomem();
	return rk_vec_push(&w->out->types, type) ? NULL : rk_err_nomem();
}

static struct rk_err *add_func(struct walk *w, Dwarf_Die *die, const char *name)
{
	_cleanup_str_ struct rk_str text = RK_STR_INIT;
	rk_debug_describe_function(&text, die, 0);
	RK_TRY(rk_str_check(&text));
	struct rk_debug_func func = {
		.name = rk_arena_strdup(&w->out->arena, name),
		.prototype = rk_arena_strdup(&w->out->arena, rk_str_get(&text)),
		.meaning = rk_debug_meaning_of_function(&w->out->hashes, die, 0),
		.external = dwarf_hasattr(die, DW_AT_external),
		.line = (uint32_t)rk_debug_get_number(die, DW_AT_decl_line, 0),
	};
	if (!func.name || !func.prototype || !rk_vec_push(&w->out->funcs, func))
		return rk_err_nomem();
	return NULL;
}

/* The unit's own file, or code that it includes as if it were its own. Which number the file has depends on what the compiler
 * emitted first; a header's is as likely to be 1. */
static bool is_own_file(const struct walk *w, const char *path)
{
	const char *unit = dwarf_diename(w->cu);
	return rk_has_suffix(path, ".c") || rk_has_suffix(path, ".inc") ||
	       (unit && rk_has_suffix(path, unit));
}

static struct rk_err *look_at_file(struct walk *w, Dwarf_Die *die)
{
	uint64_t file = rk_debug_get_number(die, DW_AT_decl_file, UINT64_MAX);
	if (file == w->last_file && w->last_path)
		return NULL;
	const char *path = w->files && file < w->nr_files
				   ? dwarf_filesrc(w->files, (size_t)file, NULL, NULL)
				   : NULL;
	w->last_file = file;
	w->last_is_own = path && is_own_file(w, path);
	while (path && rk_has_prefix(path, "./"))
		path += 2;
	w->last_path = rk_arena_strdup(&w->out->arena, path ? path : "");
	return w->last_path ? NULL : rk_err_nomem();
}

static struct rk_err *visit_typedef(struct walk *w, Dwarf_Die *die, const char *name)
{
	Dwarf_Die type;
	if (!name || !rk_debug_get_type(die, &type) || !rk_debug_is_layout(&type) ||
	    dwarf_diename(&type))
		return NULL;
	return add_type(w, &type, "", name);
}

static struct rk_err *visit(struct walk *w, Dwarf_Die *die)
{
	int tag = dwarf_tag(die);
	bool is_type = rk_debug_is_layout(die);
	Dwarf_Attribute attr;

	if ((!is_type && tag != DW_TAG_subprogram && tag != DW_TAG_typedef) ||
	    dwarf_hasattr(die, DW_AT_declaration))
		return NULL;
	/* an out-of-line instance refers to its abstract one, which has the name and the parameters */
	const char *name = dwarf_attr(die, DW_AT_name, &attr) ? dwarf_formstring(&attr) : NULL;
	if (!name && tag != DW_TAG_enumeration_type)
		return NULL;
	RK_TRY(look_at_file(w, die));
	/* a structure without a name of its own is known by that of its typedef */
	if (tag == DW_TAG_typedef)
		return visit_typedef(w, die, name);
	if (is_type)
		return add_type(w, die, rk_debug_tag_word(tag), name);
	return w->last_is_own ? add_func(w, die, name) : NULL;
}

static struct rk_err *walk_units(struct rk_debug_info *out, Dwarf *dwarf)
{
	Dwarf_CU *cu = NULL;
	Dwarf_Die root, die;
	uint8_t unit_type;

	while (dwarf_get_units(dwarf, cu, &cu, NULL, &unit_type, &root, NULL) == 0) {
		struct walk w = {.out = out, .cu = &root, .last_file = UINT64_MAX};
		if (dwarf_child(&root, &die) != 0)
			continue;
		if (dwarf_getsrcfiles(&root, &w.files, &w.nr_files) != 0)
			w.files = NULL;
		do
			RK_TRY(visit(&w, &die));
		while (dwarf_siblingof(&die, &die) == 0);
	}
	return NULL;
}

struct rk_err *rk_debug_info_read(const char *path, struct rk_debug_info **ret)
{
	_cleanup_debug_info_ struct rk_debug_info *out = calloc(1, sizeof(*out));
	if (!out)
		return rk_err_nomem();
	out->reader = rk_arena_new(&out->arena, struct rk_debug_reader);
	if (!out->reader)
		return rk_err_nomem();
	RK_TRY(rk_debug_open(path, out->reader));
	if (out->reader->dwarf)
		RK_TRY(walk_units(out, out->reader->dwarf));
	*ret = take_ptr(out);
	return NULL;
}

void rk_debug_info_free(struct rk_debug_info *info)
{
	if (!info)
		return;
	if (info->reader)
		rk_debug_close(info->reader);
	rk_map_deinit(&info->hashes);
	rk_vec_deinit(&info->types);
	rk_vec_deinit(&info->funcs);
	rk_arena_deinit(&info->arena);
	free(info);
}
