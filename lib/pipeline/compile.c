/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Phase compile: originals and patched units side by side on all processors, while the target's symbol tables are read, which needs none of them.
 */
#include <pthread.h>

#include "lib/pipeline/internal.h"
#include "lib/source/paths.h"

struct opening {
	const struct rk_target *target;
	struct rk_symbols *symbols;
	struct rk_err *err;
};

static void *open_symbols(void *arg)
{
	struct opening *o = arg;
	o->err = rk_symbols_open(o->target, &o->symbols);
	return NULL;
}

/* "net/ipv4/tcp.c" → "net_ipv4_tcp.o": flat, so that one folder shows all. */
static const char *object_name(struct rk_arena *arena, const char *unit)
{
	char *name = rk_arena_strdup(arena, unit);
	for (char *p = name; p && *p; p++)
		if (*p == '/')
			*p = '_';
	if (name && rk_has_suffix(name, ".c"))
		name[strlen(name) - 1] = 'o';
	return name;
}

/* Patched units first: they are what may not compile, and originals are often in the cache. */
static struct rk_err *prepare_jobs(struct rk_build *build, struct rk_compile_job *patched,
				   struct rk_compile_job *original)
{
	const char *const *patched_flags;

	RK_TRY(rk_build_author_flags(build, &patched_flags));
	for (size_t i = 0; i < build->units.nr; i++) {
		struct rk_build_unit *unit = &build->units.v[i];
		const char *name = object_name(&build->arena, unit->recipe->unit);
		if (!name)
			return rk_err_nomem();
		/* kbuild may reach the file through another directory ("../../../virt/kvm/kvm_main.c") */
		if (!rk_streq(unit->recipe->input, unit->recipe->unit))
			RK_TRY(rk_view_realise(build->view, &unit->recipe->input, 1));
		RK_TRY(rk_build_path(build, "2-orig", name, &unit->original_path));
		RK_TRY(rk_build_path(build, "3-patched", name, &unit->patched_path));
		original[i] = (struct rk_compile_job){
			.recipe = unit->recipe,
			.output = unit->original_path,
			.root = build->target->source,
			.is_original = true,
			.extra = build->options->extra_cflags,
		};
		patched[i] = (struct rk_compile_job){
			.recipe = unit->recipe,
			.output = unit->patched_path,
			.root = build->view->dir,
			.extra = patched_flags,
		};
	}
	return NULL;
}

/* An unchanged directory of the view is a link; "../x.h" from there can miss a changed x.h. Then its directories become real ones. */
static struct rk_err *mend_stale(struct rk_build *build, struct rk_compile_job *job)
{
	if (job->is_original || !rk_compile_stale_dep(job, build->view))
		return NULL;
	size_t nr = 0;
	while (job->deps[nr])
		nr++;
	RK_TRY(rk_view_realise(build->view, (const char *const *)job->deps, nr));
	rk_compile_jobs_deinit(job, 1);
	RK_TRY(rk_compile(build->kbuild, job, 1, 1, build->options->reporter));
	const char *stale = rk_compile_stale_dep(job, build->view);
	if (stale)
		return rk_err(RK_ERR_UNSUPPORTED, "'%s': the compiler read the unchanged '%s'",
			      job->recipe->unit, stale);
	return NULL;
}

static struct rk_err *is_read(const struct rk_compile_job *job, const char *path, bool *ret)
{
	for (char **dep = job->deps; dep && *dep && !*ret; dep++) {
		_cleanup_free_ char *name = strdup(*dep);
		if (!name)
			return rk_err_nomem();
		rk_path_normalise(name);
		*ret = rk_streq(name, path);
	}
	return NULL;
}

/* A file that others include is in them only where the #include isn't within an #ifdef that is off (kernel/locking/rwbase_rt.c). */
static struct rk_err *report_unread(struct rk_build *build, const struct rk_compile_job *patched)
{
	rk_vec_for_each(&build->view->files, file) {
		const struct rk_recipe *recipe;
		const char *reason;
		bool read = false, is_here = false;

		if (file->kind != RK_FILE_UNIT || file->is_other_arch || file->is_new ||
		    file->is_delete)
			continue;
		RK_TRY(rk_kbuild_recipe(build->kbuild, file->path, &recipe, &reason));
		for (size_t i = 0; i < build->units.nr && !read && recipe; i++) {
			is_here = is_here || rk_streq(build->units.v[i].recipe->unit, recipe->unit);
			RK_TRY(is_read(&patched[i], file->path, &read));
		}
		/* What isn't compiled at all, or isn't among the targets asked for, was reported when it was looked up. */
		if (is_here && !read && !rk_streq(recipe->unit, file->path))
			RK_TRY(rk_finding_add(
				&build->findings, RK_FINDING_NOT_COMPILED, file->path,
				recipe->object, NULL,
				"this configuration disables the #include of it in '%s'",
				recipe->unit));
	}
	return NULL;
}

static struct rk_err *compile_all(struct rk_build *build, struct rk_compile_job *jobs)
{
	size_t nr = 2 * build->units.nr;
	const struct rk_compile_job *original = jobs + build->units.nr;

	RK_TRY(prepare_jobs(build, jobs, jobs + build->units.nr));
	RK_TRY(rk_compile(build->kbuild, jobs, nr, build->options->jobs, build->options->reporter));
	for (size_t i = 0; i < nr; i++)
		RK_TRY(mend_stale(build, &jobs[i]));
	RK_TRY(report_unread(build, jobs));
	for (size_t i = 0; i < build->units.nr; i++) {
		struct rk_build_unit *unit = &build->units.v[i];
		unit->original_seconds = original[i].seconds;
		unit->patched_seconds = jobs[i].seconds;
		RK_TRY(rk_elf_open(unit->original_path, RK_ELF_LOAD_ALL, &unit->original));
		RK_TRY(rk_elf_open(unit->patched_path, RK_ELF_LOAD_ALL, &unit->patched));
	}
	return NULL;
}

struct rk_err *rk_build_compile(struct rk_build *build)
{
	struct rk_compile_job *jobs = calloc(2 * build->units.nr, sizeof(*jobs));
	struct opening opening = {.target = build->target};
	pthread_t thread;

	if (!jobs)
		return rk_err_nomem();
	bool threaded = pthread_create(&thread, NULL, open_symbols, &opening) == 0;
	struct rk_err *err = compile_all(build, jobs);
	if (threaded)
		pthread_join(thread, NULL);
	else
		open_symbols(&opening);
	build->symbols = opening.symbols;
	if (err)
		rk_err_free(opening.err);
	else
		err = opening.err;
	rk_compile_jobs_deinit(jobs, 2 * build->units.nr);
	free(jobs);
	return err;
}
