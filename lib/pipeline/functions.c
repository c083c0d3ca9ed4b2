/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which fix changes which function: a unit's only fix changes all that is replaced there; of several, those whose lines the function is made
 * of, with what is inlined into it. One that only undoes what an earlier one wrote leaves no line; it goes with that one. Where none of these lines is changed (a macro, a type) any of the unit's fixes may be the reason.
 */
#include <string.h>

#include "lib/elf/debug_places.h"
#include "lib/pipeline/internal.h"

/* One unit's functions on their way into the manifest. */
struct sharing {
	struct rk_build *build;
	const struct rk_build_unit *unit;
	struct rk_debug_places *places; /* NULL until the first function */
	struct rk_patch_list fixes;	/* of the function that is looked at */
};

static bool is_of_unit(const struct sharing *s, const struct rk_patch_file *fix)
{
	for (size_t i = 0; i < s->unit->nr_fixes; i++)
		if (s->unit->fixes[i] == fix)
			return true;
	return false;
}

static bool is_known(const struct sharing *s, const struct rk_patch_file *fix)
{
	rk_vec_for_each(&s->fixes, it)
		if (*it == fix)
			return true;
	return false;
}

static struct rk_err *take_range(struct sharing *s, const struct rk_line_range *range)
{
	for (size_t i = 0; i < range->nr_fixes; i++)
		if (is_of_unit(s, range->fixes[i]) && !is_known(s, range->fixes[i]) &&
		    !rk_vec_push(&s->fixes, range->fixes[i]))
			return rk_err_nomem();
	return NULL;
}

static struct rk_err *take_place(void *ctx, const char *path, uint32_t first, uint32_t last)
{
	struct sharing *s = ctx;

	rk_vec_for_each(&s->build->view->files, file) {
		if (!rk_is_path_of(path, file->path))
			continue;
		for (size_t i = 0; i < file->nr_ranges; i++)
			if (file->ranges[i].first <= last && file->ranges[i].last >= first)
				RK_TRY(take_range(s, &file->ranges[i]));
	}
	return NULL;
}

/* Does any line show that the fix was there? */
static bool has_lines(const struct rk_view *view, const struct rk_patch_file *fix)
{
	rk_vec_for_each(&view->files, file)
		for (size_t i = 0; i < file->nr_ranges; i++)
			for (size_t j = 0; j < file->ranges[i].nr_fixes; j++)
				if (file->ranges[i].fixes[j] == fix)
					return true;
	return false;
}

static struct rk_err *add_undoing(struct sharing *s)
{
	const struct rk_view *view = s->build->view;

	for (size_t i = 0; i < s->fixes.nr; i++)
		rk_vec_for_each(&view->needs, need)
			if (need->needs == s->fixes.v[i] && is_of_unit(s, need->fix) &&
			    !is_known(s, need->fix) && !has_lines(view, need->fix) &&
			    !rk_vec_push(&s->fixes, need->fix))
				return rk_err_nomem();
	return NULL;
}

/* Some lines of a fix are in a function that is replaced for it; else it is worth a word why it differs. */
static struct rk_err *report_extra(struct sharing *s, const struct rk_plan_func *f)
{
	return rk_finding_add(
		&s->build->findings, RK_FINDING_EXTRA_FUNCTION, f->unit, f->object, f->old_name,
		"replaced although no changed line is in it: a macro, a type or a constant changed, or the compiler chose otherwise");
}

static struct rk_err *find_fixes(struct sharing *s, const struct rk_plan_func *f)
{
	s->fixes.nr = 0;
	if (!s->places)
		RK_TRY(rk_debug_places_open(s->unit->original_path, &s->places));
	RK_TRY(rk_debug_places_of(s->places, f->old_name, take_place, s));
	RK_TRY(add_undoing(s));
	if (s->fixes.nr)
		return NULL;
	RK_TRY(report_extra(s, f));
	for (size_t i = 0; i < s->unit->nr_fixes; i++)
		if (!rk_vec_push(&s->fixes, s->unit->fixes[i]))
			return rk_err_nomem();
	return NULL;
}

static struct rk_err *add_function(struct sharing *s, const struct rk_plan_func *f)
{
	struct rk_manifest *m = s->build->manifest;
	const char *name = rk_arena_printf(&m->arena, "%s:%s", f->object, f->old_name);

	if (!name)
		return rk_err_nomem();
	RK_TRY(find_fixes(s, f));
	for (size_t i = 0; i < s->build->options->nr_patches; i++)
		if (is_known(s, s->build->options->patches[i]) &&
		    !rk_vec_push(&m->fixes.v[i].functions, name))
			return rk_err_nomem();
	return NULL;
}

struct rk_err *rk_build_add_functions(struct rk_build *build)
{
	struct rk_err *err = NULL;

	rk_vec_for_each(&build->units, unit) {
		struct sharing s = {.build = build, .unit = unit};
		rk_vec_for_each(&build->plan->funcs, f)
			if (!err && rk_streq(f->unit, unit->recipe->unit) &&
			    rk_streq(f->object, unit->recipe->object))
				err = add_function(&s, f);
		rk_debug_places_close(s.places);
		rk_vec_deinit(&s.fixes);
		if (err)
			return err;
	}
	return NULL;
}
