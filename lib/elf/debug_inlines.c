/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One walk over the functions of each unit: the first pass learns which functions of headers there are, the second what each function with
 * code of its own refers to. Types, which are most of debug info, are stepped over.
 */
#include "lib/elf/debug_inlines.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/process.h"
#include "lib/base/vec.h"
#include "lib/elf/debug_internal.h"

/* Containers nest: functions in blocks in functions. */
#define WALK_DEPTH_MAX 256

/* A function of a header that has no code of its own in this unit. */
struct abstract {
	Dwarf_Off offset;
	const char *name, *file;
	bool is_used;
};

struct walk {
	rk_debug_inline_fn fn;
	void *ctx;
	Dwfl_Module *mod;
	Dwarf_Addr bias; /* of addresses in debug info to those of mod */
	const char *unit;
	rk_vec(struct abstract) abstracts; /* of the unit, by offset */
	rk_vec(Dwarf_Die) functions;	   /* with code */
	rk_vec(Dwarf_Off) origins;	   /* of one function's parts */
};

static void walk_deinit(struct walk *w)
{
	rk_vec_deinit(&w->abstracts);
	rk_vec_deinit(&w->functions);
	rk_vec_deinit(&w->origins);
}

/* The first byte of code, also of a function in several pieces; 0 if it isn't known. */
static Dwarf_Addr first_address(Dwarf_Die *die)
{
	Dwarf_Addr base, start, end;

	if (dwarf_lowpc(die, &start) == 0)
		return start;
	return dwarf_ranges(die, 0, &base, &start, &end) > 0 ? start : 0;
}

static bool is_init(const struct walk *w, Dwarf_Die *die)
{
	GElf_Addr address = first_address(die) + w->bias;
	Dwarf_Addr bias;
	size_t names;
	GElf_Shdr header;
	Elf *elf = dwfl_module_getelf(w->mod, &bias);
	Elf_Scn *scn = elf ? dwfl_module_address_section(w->mod, &address, &bias) : NULL;

	if (!scn || !gelf_getshdr(scn, &header) || elf_getshdrstrndx(elf, &names) != 0)
		return false;
	const char *name = elf_strptr(elf, names, header.sh_name);
	return name && rk_has_prefix(name, ".init");
}

static struct rk_err *tell(struct walk *w, const struct abstract *what, const char *container,
			   bool init)
{
	struct rk_debug_inline found = {
		.function = what->name,
		.file = what->file,
		.unit = w->unit,
		.container = container,
		.is_init = init,
	};

	return w->fn(w->ctx, &found);
}

/* Of a function that is declared here and not only referred to; false for the unit's own. */
static bool describe(const struct walk *w, Dwarf_Die *die, struct abstract *ret)
{
	Dwarf_Attribute attr;
	const char *name = dwarf_attr(die, DW_AT_name, &attr) ? dwarf_formstring(&attr) : NULL;
	const char *file = name ? dwarf_decl_file(die) : NULL;

	if (!file || rk_is_path_of(file, w->unit))
		return false;
	*ret = (struct abstract){.offset = dwarf_dieoffset(die), .name = name, .file = file};
	return true;
}

static struct rk_err *learn(struct walk *w, Dwarf_Die *die)
{
	struct abstract abstract;

	if (dwarf_tag(die) != DW_TAG_subprogram || dwarf_hasattr(die, DW_AT_declaration))
		return NULL;
	bool is_header = describe(w, die, &abstract);
	if (!dwarf_hasattr(die, DW_AT_inline)) {
		/* nowhere inlined, but compiled as it stands */
		if (is_header)
			RK_TRY(tell(w, &abstract, abstract.name, is_init(w, die)));
		return rk_vec_push(&w->functions, *die) ? NULL : rk_err_nomem();
	}
	return !is_header || rk_vec_push(&w->abstracts, abstract) ? NULL : rk_err_nomem();
}

static struct rk_err *add_origin(struct walk *w, Dwarf_Die *die)
{
	Dwarf_Attribute attr;
	Dwarf_Die from;

	if (!dwarf_attr(die, DW_AT_abstract_origin, &attr) || !dwarf_formref_die(&attr, &from))
		return NULL;
	return rk_vec_push(&w->origins, dwarf_dieoffset(&from)) ? NULL : rk_err_nomem();
}

static struct rk_err *add_origins_within(struct walk *w, Dwarf_Die *die, int depth)
{
	Dwarf_Die child;

	if (depth > WALK_DEPTH_MAX || dwarf_child(die, &child) != 0)
		return NULL;
	do {
		int tag = dwarf_tag(&child);
		if (tag != DW_TAG_inlined_subroutine && tag != DW_TAG_lexical_block)
			continue;
		if (tag == DW_TAG_inlined_subroutine)
			RK_TRY(add_origin(w, &child));
		RK_TRY(add_origins_within(w, &child, depth + 1));
	} while (dwarf_siblingof(&child, &child) == 0);
	return NULL;
}

static int by_offset(const void *a, const void *b)
{
	Dwarf_Off x = *(const Dwarf_Off *)a, y = *(const Dwarf_Off *)b;

	return x < y ? -1 : x > y;
}

static int has_offset(const void *offset, const void *abstract)
{
	return by_offset(offset, &((const struct abstract *)abstract)->offset);
}

static struct abstract *find_abstract(const struct walk *w, Dwarf_Off offset)
{
	if (w->abstracts.nr == 0)
		return NULL;
	return bsearch(&offset, w->abstracts.v, w->abstracts.nr, sizeof(*w->abstracts.v),
		       has_offset);
}

static struct rk_err *tell_function(struct walk *w, Dwarf_Die *die)
{
	bool is_known = false, init = false;
	const char *name = NULL;
	Dwarf_Attribute attr;
	Dwarf_Off last = 0;

	w->origins.nr = 0;
	RK_TRY(add_origin(w, die));
	RK_TRY(add_origins_within(w, die, 0));
	if (w->origins.nr)
		qsort(w->origins.v, w->origins.nr, sizeof(*w->origins.v), by_offset);
	rk_vec_for_each(&w->origins, origin) {
		struct abstract *what = *origin == last ? NULL : find_abstract(w, *origin);

		last = *origin;
		if (!what)
			continue;
		if (!is_known) {
			name = dwarf_attr_integrate(die, DW_AT_name, &attr)
				       ? dwarf_formstring(&attr)
				       : NULL;
			init = is_init(w, die);
			is_known = true;
		}
		what->is_used = true;
		RK_TRY(tell(w, what, name, init));
	}
	return NULL;
}

static struct rk_err *walk_unit(struct walk *w, Dwarf_Die *root)
{
	Dwarf_Die die;

	w->unit = dwarf_diename(root);
	w->abstracts.nr = w->functions.nr = 0;
	if (!w->unit || dwarf_child(root, &die) != 0)
		return NULL;
	do
		RK_TRY(learn(w, &die));
	while (dwarf_siblingof(&die, &die) == 0);
	rk_vec_for_each(&w->functions, function)
		RK_TRY(tell_function(w, function));
	/* no instruction is its own: a cast (tcp_sk() of 6.1), or all of it was folded into something else */
	rk_vec_for_each(&w->abstracts, abstract)
		if (!abstract->is_used)
			RK_TRY(tell(w, abstract, NULL, false));
	return NULL;
}

static struct rk_err *walk_units(struct walk *w, const char *path, Dwarf *dwarf)
{
	Dwarf_CU *cu = NULL;
	Dwarf_Die root;
	uint8_t type;
	int status;

	while ((status = dwarf_get_units(dwarf, cu, &cu, NULL, &type, &root, NULL)) == 0) {
		if (rk_is_interrupted())
			return rk_err(RK_ERR_INTERRUPTED, "interrupted while reading '%s'", path);
		RK_TRY(walk_unit(w, &root));
	}
	return status < 0 ? rk_err(RK_ERR_FORMAT, "'%s': damaged debug info: %s", path,
				   dwarf_errmsg(-1))
			  : NULL;
}

struct rk_err *rk_debug_inlines_read(const char *path, rk_debug_inline_fn fn, void *ctx,
				     bool *ret_known)
{
	_cleanup_(rk_debug_close) struct rk_debug_reader reader = {};
	_cleanup_(walk_deinit) struct walk w = {.fn = fn, .ctx = ctx};

	RK_TRY(rk_debug_open(path, &reader));
	w.mod = reader.mod;
	w.bias = reader.bias;
	if (reader.dwarf)
		RK_TRY(walk_units(&w, path, reader.dwarf));
	*ret_known = reader.dwarf;
	return NULL;
}
