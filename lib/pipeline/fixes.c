/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which fixes a unit is made with: the compiler's own list of what it read, held against the files that the fixes change.
 */
#include <string.h>

#include "lib/base/map.h"
#include "lib/pipeline/internal.h"
#include "lib/source/paths.h"

static bool has_fix(const struct rk_build_unit *unit, const struct rk_patch_file *fix)
{
	for (size_t i = 0; i < unit->nr_fixes; i++)
		if (unit->fixes[i] == fix)
			return true;
	return false;
}

static void add_fixes(struct rk_build_unit *unit, const struct rk_changed_file *file)
{
	for (size_t i = 0; i < file->nr_fixes; i++)
		if (!has_fix(unit, file->fixes[i]))
			unit->fixes[unit->nr_fixes++] = file->fixes[i];
}

/* Of a unit that doesn't compile it isn't known what the compiler read. */
static void add_possible_fixes(struct rk_build *build, struct rk_build_unit *unit)
{
	bool is_own = false;

	rk_vec_for_each(&build->view->files, file)
		is_own = is_own || rk_streq(file->path, unit->recipe->unit);
	rk_vec_for_each(&build->view->files, file)
		if (rk_streq(file->path, unit->recipe->unit) || file->kind == RK_FILE_HEADER ||
		    !is_own)
			add_fixes(unit, file);
}

/* In the order of the series, whatever the compiler read first. */
static void sort_fixes(const struct rk_build *build, struct rk_build_unit *unit)
{
	size_t nr = 0;

	for (size_t i = 0; i < build->options->nr_patches && nr < unit->nr_fixes; i++) {
		const struct rk_patch_file *fix = build->options->patches[i];
		for (size_t j = nr; j < unit->nr_fixes; j++) {
			if (unit->fixes[j] != fix)
				continue;
			unit->fixes[j] = unit->fixes[nr];
			unit->fixes[nr++] = fix;
			break;
		}
	}
}

static struct rk_err *note_fixes(struct rk_build *build, struct rk_build_unit *unit,
				 const struct rk_compile_job *job, const struct rk_map *files)
{
	unit->fixes = rk_arena_calloc(&build->arena, build->options->nr_patches + 1,
				      sizeof(*unit->fixes));
	if (!unit->fixes)
		return rk_err_nomem();
	if (!job->deps)
		add_possible_fixes(build, unit);
	for (char **dep = job->deps; dep && *dep; dep++) {
		_cleanup_free_ char *name = strdup(*dep);
		if (!name)
			return rk_err_nomem();
		rk_path_normalise(name);
		const struct rk_changed_file *file = rk_map_get(files, name);
		if (file)
			add_fixes(unit, file);
	}
	sort_fixes(build, unit);
	return NULL;
}

struct rk_err *rk_build_note_fixes(struct rk_build *build, struct rk_build_unit *units,
				   const struct rk_compile_job *patched, size_t nr)
{
	struct rk_map files = {};
	struct rk_err *err = NULL;

	rk_vec_for_each(&build->view->files, file)
		if (!rk_map_set(&files, file->path, file))
			err = rk_err_nomem();
	for (size_t i = 0; i < nr && !err; i++)
		err = note_fixes(build, &units[i], &patched[i], &files);
	rk_map_deinit(&files);
	return err;
}

/* The compiler's message names a file; whose it is says which fix. */
struct rk_err *rk_build_name_fixes(struct rk_build *build, struct rk_err *err)
{
	_cleanup_str_ struct rk_str names = RK_STR_INIT;

	if (rk_err_code(err) != RK_ERR_COMPILE || build->options->nr_patches < 2)
		return err;
	rk_vec_for_each(&build->view->files, file) {
		_cleanup_free_ char *quoted =
			rk_asprintf("'%s' doesn't compile with the fix", file->path);
		if (!quoted || !strstr(rk_err_message(err), quoted))
			continue;
		for (size_t i = 0; i < file->nr_fixes; i++)
			rk_str_addf(&names, "%s'%s'", i ? ", " : "; it is changed by ",
				    file->fixes[i]->path);
	}
	if (!names.len || names.failed)
		return err;
	struct rk_err *named =
		rk_err(RK_ERR_COMPILE, "%s%s", rk_err_message(err), rk_str_get(&names));
	rk_err_free(err);
	return named;
}
