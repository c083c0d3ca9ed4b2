/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading debug info: one walk over the top level of each unit; only types the unit's own file declares and functions it defines
 * are looked into, so that the thousands of types that headers bring cost nothing.
 */
#include "lib/elf/debug_info.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <errno.h>
#include <fcntl.h>

#include "lib/base/str.h"

/* Types nest at most this deep in C that people write; more is a loop in broken debug info. */
#define DEPTH_MAX   32
#define MEMBERS_MAX 100000

struct walk {
	struct rk_debug_info *out;
	Dwarf_Die *cu;
	Dwarf_Files *files; /* of the unit; NULL when they can't be read */
	size_t nr_files;
	/* the last answer of is_of_this_file(): declarations of one file stand together */
	uint64_t last_file;
	bool last_is_own;
};

static const char *tag_word(int tag)
{
	switch (tag) {
	case DW_TAG_structure_type: return "struct ";
	case DW_TAG_union_type: return "union ";
	case DW_TAG_enumeration_type: return "enum ";
	default: return "";
	}
}

static bool get_type(Dwarf_Die *die, Dwarf_Die *ret)
{
	Dwarf_Attribute attr;
	return dwarf_attr_integrate(die, DW_AT_type, &attr) && dwarf_formref_die(&attr, ret);
}

static uint64_t get_number(Dwarf_Die *die, unsigned int name, uint64_t otherwise)
{
	Dwarf_Attribute attr;
	Dwarf_Word value;
	if (!dwarf_attr_integrate(die, name, &attr) || dwarf_formudata(&attr, &value) != 0)
		return otherwise;
	return value;
}

static void describe_type(struct rk_str *out, Dwarf_Die *die, int depth);

static void describe_array(struct rk_str *out, Dwarf_Die *die)
{
	Dwarf_Die child;
	if (dwarf_child(die, &child) != 0)
		return;
	do {
		if (dwarf_tag(&child) != DW_TAG_subrange_type)
			continue;
		uint64_t count = get_number(&child, DW_AT_count, UINT64_MAX);
		uint64_t upper = get_number(&child, DW_AT_upper_bound, UINT64_MAX);
		if (count == UINT64_MAX && upper != UINT64_MAX)
			count = upper + 1;
		rk_str_addf(out, "[%llu]", count == UINT64_MAX ? 0ull : (unsigned long long)count);
	} while (dwarf_siblingof(&child, &child) == 0);
}

static void describe_params(struct rk_str *out, Dwarf_Die *die, int depth)
{
	Dwarf_Die child, type;
	const char *separator = "";

	rk_str_add(out, " (");
	if (dwarf_child(die, &child) == 0) {
		do {
			int tag = dwarf_tag(&child);
			if (tag != DW_TAG_formal_parameter && tag != DW_TAG_unspecified_parameters)
				continue;
			rk_str_add(out, separator);
			separator = ", ";
			if (tag == DW_TAG_unspecified_parameters)
				rk_str_add(out, "...");
			else if (get_type(&child, &type))
				describe_type(out, &type, depth + 1);
		} while (dwarf_siblingof(&child, &child) == 0);
	}
	rk_str_add(out, ")");
}

static void describe_function(struct rk_str *out, Dwarf_Die *die, int depth)
{
	Dwarf_Die type;
	if (get_type(die, &type))
		describe_type(out, &type, depth + 1);
	else
		rk_str_add(out, "void");
	describe_params(out, die, depth);
}

/* Where a bit-field starts, in bits from the start of the structure. DWARF 4 counts from the highest bit of a unit of
 * storage (DWARF 4, 5.5.6); gcc of Debian 12 writes that with -gdwarf-4. */
static uint64_t first_bit(Dwarf_Die *die, uint64_t bits)
{
	Dwarf_Attribute attr;
	Dwarf_Word from_top;
	uint64_t at = 8 * get_number(die, DW_AT_data_member_location, 0);

	if (!dwarf_attr(die, DW_AT_bit_offset, &attr) || dwarf_formudata(&attr, &from_top) != 0)
		return at + get_number(die, DW_AT_data_bit_offset, 0);
	return at + 8 * get_number(die, DW_AT_byte_size, 0) - from_top - bits;
}

static void describe_place(struct rk_str *out, Dwarf_Die *die)
{
	uint64_t bits = get_number(die, DW_AT_bit_size, 0);

	if (bits)
		rk_str_addf(out, "bit %llu/%llu ", (unsigned long long)first_bit(die, bits),
			    (unsigned long long)bits);
	else
		rk_str_addf(out, "%llu ",
			    (unsigned long long)get_number(die, DW_AT_data_member_location, 0));
}

/* The members of an unnamed structure are part of what holds it. */
static void describe_unnamed(struct rk_str *out, Dwarf_Die *die, int depth)
{
	Dwarf_Die child, type;
	rk_str_addf(out, "%s{", tag_word(dwarf_tag(die)));
	if (dwarf_child(die, &child) == 0) {
		do {
			const char *name = dwarf_diename(&child);
			if (dwarf_tag(&child) == DW_TAG_enumerator) {
				rk_str_addf(out, " %s=%lld", name ? name : "",
					    (long long)get_number(&child, DW_AT_const_value, 0));
			} else if (dwarf_tag(&child) == DW_TAG_member && get_type(&child, &type)) {
				rk_str_add_char(out, ' ');
				describe_place(out, &child);
				describe_type(out, &type, depth + 1);
				rk_str_addf(out, " %s;", name ? name : "");
			}
		} while (dwarf_siblingof(&child, &child) == 0);
	}
	rk_str_add(out, " }");
}

static void describe_type(struct rk_str *out, Dwarf_Die *die, int depth)
{
	Dwarf_Die inner;
	int tag = dwarf_tag(die);
	const char *name = dwarf_diename(die);

	if (depth > DEPTH_MAX) {
		rk_str_add(out, "...");
		return;
	}
	switch (tag) {
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
	case DW_TAG_enumeration_type:
		if (!name)
			describe_unnamed(out, die, depth);
		else
			rk_str_addf(out, "%s%s", tag_word(tag), name);
		return;
	case DW_TAG_pointer_type:
	case DW_TAG_const_type:
	case DW_TAG_volatile_type:
	case DW_TAG_restrict_type:
	case DW_TAG_array_type:
		if (get_type(die, &inner))
			describe_type(out, &inner, depth + 1);
		else
			rk_str_add(out, "void");
		if (tag == DW_TAG_array_type)
			describe_array(out, die);
		else
			rk_str_add(out, tag == DW_TAG_pointer_type    ? " *"
					: tag == DW_TAG_const_type    ? " const"
					: tag == DW_TAG_volatile_type ? " volatile"
								      : "");
		return;
	case DW_TAG_subroutine_type: describe_function(out, die, depth); return;
	default: rk_str_add(out, name ? name : "?"); return;
	}
}

static struct rk_err *add_member(struct rk_debug_info *out, Dwarf_Die *die,
				 struct rk_debug_type *to, size_t cap)
{
	_cleanup_str_ struct rk_str text = RK_STR_INIT;
	Dwarf_Die type;
	const char *name = dwarf_diename(die);

	if (to->nr_members >= cap)
		return NULL;
	if (dwarf_tag(die) == DW_TAG_enumerator) {
		rk_str_addf(&text, "%s = %lld", name ? name : "",
			    (long long)get_number(die, DW_AT_const_value, 0));
	} else {
		describe_place(&text, die);
		if (get_type(die, &type))
			describe_type(&text, &type, 0);
		rk_str_addf(&text, " %s", name ? name : "(unnamed)");
	}
	RK_TRY(rk_str_check(&text));
	to->members[to->nr_members] = rk_arena_strdup(&out->arena, rk_str_get(&text));
	return to->members[to->nr_members++] ? NULL : rk_err_nomem();
}

static struct rk_err *add_type(struct walk *w, Dwarf_Die *die, const char *name)
{
	struct rk_debug_type type = {.size = get_number(die, DW_AT_byte_size, 0)};
	Dwarf_Die child;
	size_t cap = 0;

	type.name = rk_arena_printf(&w->out->arena, "%s%s", tag_word(dwarf_tag(die)), name);
	if (dwarf_child(die, &child) == 0)
		do
			cap++;
		while (cap < MEMBERS_MAX && dwarf_siblingof(&child, &child) == 0);
	type.members = rk_arena_calloc(&w->out->arena, cap, sizeof(*type.members));
	if (!type.name || !type.members)
		return rk_err_nomem();
	if (cap && dwarf_child(die, &child) == 0) {
		do {
			int tag = dwarf_tag(&child);
			if (tag == DW_TAG_member || tag == DW_TAG_enumerator)
				RK_TRY(add_member(w->out, &child, &type, cap));
		} while (dwarf_siblingof(&child, &child) == 0);
	}
	return rk_vec_push(&w->out->types, type) ? NULL : rk_err_nomem();
}

static struct rk_err *add_func(struct walk *w, Dwarf_Die *die, const char *name)
{
	_cleanup_str_ struct rk_str text = RK_STR_INIT;
	describe_function(&text, die, 0);
	RK_TRY(rk_str_check(&text));
	struct rk_debug_func func = {
		.name = rk_arena_strdup(&w->out->arena, name),
		.prototype = rk_arena_strdup(&w->out->arena, rk_str_get(&text)),
		.external = dwarf_hasattr(die, DW_AT_external),
		.line = (uint32_t)get_number(die, DW_AT_decl_line, 0),
	};
	if (!func.name || !func.prototype || !rk_vec_push(&w->out->funcs, func))
		return rk_err_nomem();
	return NULL;
}

/* The unit's own file, or code that it includes as if it were its own. Which number the file has depends on what the compiler
 * emitted first; a header's is as likely to be 1. */
static bool is_own_file(const struct walk *w, uint64_t file)
{
	const char *unit = dwarf_diename(w->cu);
	const char *path = w->files && file < w->nr_files
				   ? dwarf_filesrc(w->files, (size_t)file, NULL, NULL)
				   : NULL;
	if (!path)
		return false;
	return rk_has_suffix(path, ".c") || rk_has_suffix(path, ".inc") ||
	       (unit && rk_has_suffix(path, unit));
}

static bool is_of_this_file(struct walk *w, Dwarf_Die *die)
{
	uint64_t file = get_number(die, DW_AT_decl_file, UINT64_MAX);
	if (file == UINT64_MAX)
		return false;
	if (file != w->last_file) {
		w->last_file = file;
		w->last_is_own = is_own_file(w, file);
	}
	return w->last_is_own;
}

static bool is_layout(Dwarf_Die *die)
{
	int tag = dwarf_tag(die);
	return tag == DW_TAG_structure_type || tag == DW_TAG_union_type ||
	       tag == DW_TAG_enumeration_type;
}

static struct rk_err *visit(struct walk *w, Dwarf_Die *die)
{
	int tag = dwarf_tag(die);
	bool is_type = is_layout(die);
	Dwarf_Attribute attr;
	Dwarf_Die type;

	if ((!is_type && tag != DW_TAG_subprogram && tag != DW_TAG_typedef) ||
	    dwarf_hasattr(die, DW_AT_declaration))
		return NULL;
	/* an out-of-line instance refers to its abstract one, which has the name and the parameters */
	if (!dwarf_attr(die, DW_AT_name, &attr) || !is_of_this_file(w, die))
		return NULL;
	const char *name = dwarf_formstring(&attr);
	if (!name)
		return NULL;
	/* a structure without a name of its own is known by that of its typedef */
	if (tag == DW_TAG_typedef)
		return get_type(die, &type) && is_layout(&type) && !dwarf_diename(&type)
			       ? add_type(w, &type, name)
			       : NULL;
	return is_type ? add_type(w, die, name) : add_func(w, die, name);
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

static int no_separate_debug_info(Dwfl_Module *mod, void **userdata, const char *name,
				  Dwarf_Addr base, const char *file_name, const char *debuglink,
				  GElf_Word crc, char **ret)
{
	(void)mod, (void)userdata, (void)name, (void)base, (void)file_name, (void)debuglink,
		(void)crc, (void)ret;
	return -1;
}

/* libdwfl applies the relocations of the debug sections, which libdw alone doesn't for relocatable files. */
static struct rk_err *read_with(Dwfl *dwfl, const char *path, struct rk_debug_info *out)
{
	Dwarf_Addr bias;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return rk_err_sys(errno, "cannot open '%s'", path);
	Dwfl_Module *mod = dwfl_report_offline(dwfl, "", path, fd); /* takes fd when it succeeds */
	if (!mod) {
		close(fd);
		return rk_err(RK_ERR_FORMAT, "'%s': %s", path, dwfl_errmsg(-1));
	}
	dwfl_report_end(dwfl, NULL, NULL);
	Dwarf *dwarf = dwfl_module_getdwarf(mod, &bias);
	return dwarf ? walk_units(out, dwarf) : NULL;
}

struct rk_err *rk_debug_info_read(const char *path, struct rk_debug_info **ret)
{
	static const Dwfl_Callbacks callbacks = {
		.find_debuginfo = no_separate_debug_info,
		.section_address = dwfl_offline_section_address,
	};
	_cleanup_debug_info_ struct rk_debug_info *out = calloc(1, sizeof(*out));
	Dwfl *dwfl = dwfl_begin(&callbacks);
	if (!out || !dwfl) {
		dwfl_end(dwfl);
		return rk_err_nomem();
	}
	struct rk_err *err = read_with(dwfl, path, out);
	dwfl_end(dwfl);
	if (err)
		return err;
	*ret = take_ptr(out);
	return NULL;
}

void rk_debug_info_free(struct rk_debug_info *info)
{
	if (!info)
		return;
	rk_vec_deinit(&info->types);
	rk_vec_deinit(&info->funcs);
	rk_arena_deinit(&info->arena);
	free(info);
}
