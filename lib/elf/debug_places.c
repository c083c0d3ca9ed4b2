/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Debug info says where a function begins but not where it ends: it ends where the next thing of the file is declared. An inlined
 * function is found by its entries within the one that holds its code.
 */
#include "lib/elf/debug_places.h"

#include <stdlib.h>
#include <string.h>

#include "lib/elf/debug_internal.h"

/* Inlined functions in blocks in inlined functions. */
#define NESTING_MAX 256

/* Something at the top level is declared here. */
struct border {
	const char *file; /* libdw's */
	uint32_t line;
};

struct rk_debug_places {
	struct rk_debug_info *info;
	rk_vec(struct border) borders; /* sorted */
};

static int compare_borders(const void *a, const void *b)
{
	const struct border *x = a, *y = b;
	int files = strcmp(x->file, y->file);

	return files ? files : (x->line > y->line) - (x->line < y->line);
}

/* Where die is declared; an out-of-line instance is where its abstract one is. */
static bool border_of(Dwarf_Die *die, struct border *ret)
{
	const char *file = dwarf_decl_file(die);
	uint64_t line = rk_debug_get_number(die, DW_AT_decl_line, 0);

	if (!file || !line || line >= UINT32_MAX)
		return false;
	*ret = (struct border){file, (uint32_t)line};
	return true;
}

/* Calls fn for everything at the top level until it fails. */
static struct rk_err *for_each_die(struct rk_debug_places *places,
				   struct rk_err *(*fn)(void *ctx, Dwarf_Die *die), void *ctx)
{
	Dwarf *dwarf = places->info->reader->dwarf;
	Dwarf_CU *cu = NULL;
	Dwarf_Die root, die;
	uint8_t type;

	while (dwarf && dwarf_get_units(dwarf, cu, &cu, NULL, &type, &root, NULL) == 0) {
		if (dwarf_child(&root, &die) != 0)
			continue;
		do
			RK_TRY(fn(ctx, &die));
		while (dwarf_siblingof(&die, &die) == 0);
	}
	return NULL;
}

static struct rk_err *add_border(void *ctx, Dwarf_Die *die)
{
	struct rk_debug_places *places = ctx;
	struct border border;

	return !border_of(die, &border) || rk_vec_push(&places->borders, border) ? NULL
										 : rk_err_nomem();
}

struct rk_err *rk_debug_places_open(const char *path, struct rk_debug_places **ret)
{
	_cleanup_debug_places_ struct rk_debug_places *out = calloc(1, sizeof(*out));

	if (!out)
		return rk_err_nomem();
	RK_TRY(rk_debug_info_read(path, &out->info));
	RK_TRY(for_each_die(out, add_border, out));
	if (out->borders.nr)
		qsort(out->borders.v, out->borders.nr, sizeof(*out->borders.v), compare_borders);
	*ret = take_ptr(out);
	return NULL;
}

void rk_debug_places_close(struct rk_debug_places *places)
{
	if (!places)
		return;
	rk_debug_info_free(places->info);
	rk_vec_deinit(&places->borders);
	free(places);
}

struct search {
	struct rk_debug_places *places;
	const char *function;
	size_t len; /* of its name before the first '.' */
	rk_debug_place_fn *fn;
	void *ctx;
};

/* The last line before the next border. */
static uint32_t last_line(const struct rk_debug_places *places, const struct border *from)
{
	size_t lo = 0, hi = places->borders.nr;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (compare_borders(&places->borders.v[mid], from) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == places->borders.nr || !rk_streq(places->borders.v[lo].file, from->file))
		return UINT32_MAX;
	return places->borders.v[lo].line - 1;
}

static struct rk_err *visit_place(const struct search *s, Dwarf_Die *die)
{
	struct border from;

	if (!border_of(die, &from))
		return NULL;
	return s->fn(s->ctx, from.file, from.line, last_line(s->places, &from));
}

static struct rk_err *visit_inlined(const struct search *s, Dwarf_Die *die, int depth)
{
	Dwarf_Die child;

	if (depth > NESTING_MAX || dwarf_child(die, &child) != 0)
		return NULL;
	do {
		int tag = dwarf_tag(&child);
		if (tag != DW_TAG_inlined_subroutine && tag != DW_TAG_lexical_block)
			continue;
		if (tag == DW_TAG_inlined_subroutine)
			RK_TRY(visit_place(s, &child));
		RK_TRY(visit_inlined(s, &child, depth + 1));
	} while (dwarf_siblingof(&child, &child) == 0);
	return NULL;
}

static struct rk_err *visit_function(void *ctx, Dwarf_Die *die)
{
	const struct search *s = ctx;
	const char *name = dwarf_tag(die) == DW_TAG_subprogram ? dwarf_diename(die) : NULL;

	if (!name || strlen(name) != s->len || memcmp(name, s->function, s->len) != 0 ||
	    dwarf_hasattr(die, DW_AT_declaration))
		return NULL;
	RK_TRY(visit_place(s, die));
	return visit_inlined(s, die, 0);
}

struct rk_err *rk_debug_places_of(struct rk_debug_places *places, const char *function,
				  rk_debug_place_fn *fn, void *ctx)
{
	struct search search = {places, function, strcspn(function, "."), fn, ctx};

	return for_each_die(places, visit_function, &search);
}
