/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Phase source: the patched view, and which translation units of which kernel objects the fixes touch. */

#include "lib/pipeline/internal.h"
#include "lib/pipeline/session.h"

/* Units that one C file may be compiled in; above that it is a header in all but name. */
#define USERS_MAX 64

bool rk_build_is_asked_for(const struct rk_build *build, const char *object)
{
	const struct rk_build_options *o = build->options;
	for (size_t i = 0; i < o->nr_targets; i++)
		if (rk_streq(o->targets[i], object))
			return true;
	return o->nr_targets == 0;
}

static struct rk_err *find(struct rk_build *build, enum rk_finding_code code,
			   const struct rk_changed_file *file, const char *text)
{
	return rk_finding_add(&build->findings, code, file->path, NULL, NULL, "%s", text);
}

/* A probe holds only some units. */
bool rk_build_is_in_part(const struct rk_build *build, const char *unit)
{
	const struct rk_session_part *part = build->part;

	for (size_t i = 0; i < part->nr_units; i++)
		if (rk_streq(part->units[i], unit))
			return true;
	return !part->units;
}

struct rk_err *rk_build_add_unit(struct rk_build *build, const struct rk_recipe *recipe,
				 const char *reason)
{
	struct rk_build_unit unit = {.recipe = recipe, .reason = reason};

	if (!rk_build_is_in_part(build, recipe->unit))
		return NULL;
	rk_vec_for_each(&build->units, known)
		if (rk_streq(known->recipe->unit, recipe->unit))
			return NULL;
	return rk_vec_push(&build->units, unit) ? NULL : rk_err_nomem();
}

static struct rk_err *take_recipe(struct rk_build *build, const struct rk_changed_file *file,
				  const struct rk_recipe *recipe)
{
	if (!rk_build_is_asked_for(build, recipe->object))
		return rk_finding_add(&build->findings, RK_FINDING_NOT_COMPILED, file->path,
				      recipe->object, NULL,
				      "left out: '%s' is not among the targets asked for",
				      recipe->object);
	return rk_build_add_unit(build, recipe, NULL);
}

/* fs/binfmt_elf.c is compiled once by itself and once within fs/compat_binfmt_elf.c. */
static struct rk_err *take_users(struct rk_build *build, const struct rk_changed_file *file)
{
	struct rk_users users = {};
	struct rk_err *err = rk_kbuild_users(build->kbuild, file->path, USERS_MAX, &users);

	if (!err && !users.is_complete)
		err = rk_finding_add(&build->findings, RK_FINDING_HEADER_CHANGED, file->path, NULL,
				     NULL, "more than %d units may include it", USERS_MAX);
	for (size_t i = 0; i < users.units.nr && users.is_complete && !err; i++)
		err = take_recipe(build, file, users.units.v[i]);
	rk_users_deinit(&users);
	return err;
}

static struct rk_err *take_unit(struct rk_build *build, const struct rk_changed_file *file)
{
	const struct rk_recipe *recipe;
	const char *reason = NULL;
	size_t units = build->units.nr, findings = build->findings.list.nr;

	if (file->is_new)
		return find(build, RK_FINDING_UNPATCHABLE_FILE, file,
			    "a new unit isn't part of the shipped kernel");
	if (file->is_delete)
		return find(build, RK_FINDING_UNPATCHABLE_FILE, file,
			    "the fix removes a whole unit");
	RK_TRY(rk_kbuild_recipe(build->kbuild, file->path, &recipe, &reason));
	if (recipe)
		RK_TRY(take_recipe(build, file, recipe));
	RK_TRY(take_users(build, file));
	if (recipe || build->units.nr > units || build->findings.list.nr > findings)
		return NULL;
	return find(build, RK_FINDING_NOT_COMPILED, file, reason);
}

static struct rk_err *take_file(struct rk_build *build, const struct rk_changed_file *file)
{
	if (file->is_other_arch)
		return find(build, RK_FINDING_NOT_COMPILED, file, "for another machine");
	switch (file->kind) {
	case RK_FILE_UNIT: return take_unit(build, file);
	case RK_FILE_HEADER: return NULL; /* all at once, see rk_build_headers() */
	case RK_FILE_UNPATCHABLE:
		return find(build, RK_FINDING_UNPATCHABLE_FILE, file,
			    "this kind of file only takes effect in a new kernel");
	case RK_FILE_NOT_CODE:
		return find(build, RK_FINDING_NOT_CODE, file, "no part of the running kernel");
	}
	return NULL;
}

static struct rk_err *report_nothing(struct rk_build *build)
{
	const char *path = NULL, *reason = NULL;

	RK_TRY(rk_build_accept(build));
	if (rk_findings_count_blocking(&build->findings, RK_SEVERITY_ERROR))
		return NULL;
	rk_vec_for_each(&build->findings.list, f) {
		path = f->unit;
		reason = f->text;
	}
	return rk_finding_add(&build->findings, RK_FINDING_NO_CHANGE, path, NULL, NULL,
			      "the fix touches no file that this kernel compiles%s%s",
			      reason ? ": " : "", reason ? reason : "");
}

struct rk_err *rk_build_source(struct rk_build *build)
{
	const struct rk_build_options *o = build->options;
	const char *dir = rk_arena_printf(&build->arena, "%s/1-source", o->work_dir);

	if (!dir)
		return rk_err_nomem();
	RK_TRY(rk_view_create(build->target->source, dir, o->patches, o->nr_patches, "x86",
			      &build->view));
	if (!build->session->kbuild)
		RK_TRY(rk_kbuild_open(build->target, o->reporter, &build->session->kbuild));
	build->kbuild = build->session->kbuild;
	rk_vec_for_each(&build->view->files, file)
		RK_TRY(take_file(build, file));
	RK_TRY(rk_build_headers(build));
	return build->units.nr ? NULL : report_nothing(build);
}
