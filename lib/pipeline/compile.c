/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Phase compile: originals and patched units side by side on all processors, while the target's symbol tables are read, which needs none of them.
 */
#include <pthread.h>
#include <unistd.h>

#include "lib/base/parallel.h"
#include "lib/pipeline/internal.h"
#include "lib/pipeline/session.h"
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

/* Units that are compiled together: the objects of those that come out the same are gone before the next ones begin. */
#define BATCH 64

struct batch {
	struct rk_build_unit *units;
	size_t nr;
};

/* Patched units first: they are what may not compile, and originals are often in the cache. */
static struct rk_err *prepare_jobs(struct rk_build *build, const struct batch *batch,
				   struct rk_compile_job *patched, struct rk_compile_job *original)
{
	const char *const *patched_flags;

	RK_TRY(rk_build_author_flags(build, &patched_flags));
	for (size_t i = 0; i < batch->nr; i++) {
		struct rk_build_unit *unit = &batch->units[i];
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
			.may_fail = build->options->skip_refused,
			.extra = patched_flags,
		};
	}
	return NULL;
}

/* An unchanged directory of the view is a link; "../x.h" from there can miss a changed x.h. Then its directories become real ones. */
static struct rk_err *mend_stale(struct rk_build *build, struct rk_compile_job *job)
{
	if (job->is_original || !job->deps || !rk_compile_stale_dep(job, build->view))
		return NULL;
	size_t nr = 0;
	while (job->deps[nr])
		nr++;
	RK_TRY(rk_view_realise(build->view, (const char *const *)job->deps, nr));
	rk_compile_jobs_deinit(job, 1);
	RK_TRY(rk_compile(build->kbuild, job, 1, 1, build->options->reporter));
	if (!job->deps)
		return NULL;
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
static struct rk_err *report_unread(struct rk_build *build, const struct batch *batch,
				    const struct rk_compile_job *patched)
{
	rk_vec_for_each(&build->view->files, file) {
		const struct rk_recipe *recipe;
		const char *reason;
		bool read = false, is_here = false;

		if (file->kind != RK_FILE_UNIT || file->is_other_arch || file->is_new ||
		    file->is_delete)
			continue;
		RK_TRY(rk_kbuild_recipe(build->kbuild, file->path, &recipe, &reason));
		for (size_t i = 0; i < batch->nr && !read && recipe; i++) {
			is_here = is_here || rk_streq(batch->units[i].recipe->unit, recipe->unit);
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

/* Who wrote the fix doesn't know this unit. */
static struct rk_err *explain_failure(const struct batch *batch,
				      const struct rk_compile_job *patched, struct rk_err *err)
{
	const struct rk_build_unit *unit = NULL;

	for (size_t i = 0; i < batch->nr; i++)
		if (patched[i].failed)
			unit = &batch->units[i];
	if (rk_err_code(err) != RK_ERR_COMPILE || !unit || !unit->reason)
		return err;
	struct rk_err *own = rk_err(
		RK_ERR_COMPILE,
		"%s: it may use %s, which the fix changes; add what this unit needs to the fix",
		rk_err_message(err), unit->reason);
	rk_err_free(err);
	return own;
}

static struct rk_err *compile_jobs(struct rk_build *build, const struct batch *batch,
				   struct rk_compile_job *jobs)
{
	struct rk_compile_job *original = jobs + batch->nr;

	RK_TRY(prepare_jobs(build, batch, jobs, original));
	struct rk_err *err = rk_session_compile(build, jobs, 2 * batch->nr);
	if (err)
		return explain_failure(batch, jobs, rk_build_name_fixes(build, err));
	for (size_t i = 0; i < 2 * batch->nr; i++)
		RK_TRY(mend_stale(build, &jobs[i]));
	RK_TRY(rk_session_keep(build, jobs, 2 * batch->nr));
	RK_TRY(rk_build_note_fixes(build, batch->units, jobs, batch->nr));
	if (!batch->units[0].reason)
		RK_TRY(report_unread(build, batch, jobs));
	for (size_t i = 0; i < batch->nr; i++) {
		struct rk_build_unit *unit = &batch->units[i];
		unit->original_seconds = original[i].seconds;
		unit->patched_seconds = jobs[i].seconds;
		unit->compile_error = take_ptr(jobs[i].error);
		if (!unit->compile_error)
			RK_TRY(rk_build_load(unit));
	}
	return NULL;
}

/* ---- units of which the compiler sees nothing new ---- */

struct comparison {
	struct rk_build *build;
	const struct batch *batch;
	struct rk_compile_job *jobs; /* patched, then original */
	const char *dir;
};

/* What can't be told here, the compiler tells. */
static struct rk_err *compare_text(void *ctx, size_t i)
{
	const struct comparison *c = ctx;
	struct rk_compile_job *patched = &c->jobs[i], *original = &c->jobs[c->batch->nr + i];
	char a[RK_SHA256_HEX_SIZE], b[RK_SHA256_HEX_SIZE];
	struct rk_err *err = rk_preprocess(patched, c->dir, a);

	if (!err)
		err = rk_preprocess(original, c->dir, b);
	if (!err)
		c->batch->units[i].is_same =
			rk_streq(a, b) && !rk_compile_stale_dep(patched, c->build->view);
	if (!err || rk_err_code(err) != RK_ERR_TOOL)
		return err;
	rk_err_free(err);
	return NULL;
}

/* Moves the units of the batch that are left to compile to its front. */
static size_t put_first(const struct batch *batch)
{
	size_t nr = 0;

	for (size_t i = 0; i < batch->nr; i++) {
		struct rk_build_unit unit = batch->units[i];

		if (unit.is_same)
			continue;
		batch->units[i] = batch->units[nr];
		batch->units[nr++] = unit;
	}
	return nr;
}

static struct rk_err *find_same(struct rk_build *build, struct batch *batch)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned int threads = build->options->jobs ? build->options->jobs
			       : processors > 0	    ? (unsigned int)processors
						    : 1;
	size_t nr = 2 * batch->nr;
	struct rk_compile_job *jobs = calloc(nr, sizeof(*jobs));
	struct comparison c = {build, batch, jobs, build->options->work_dir};
	struct rk_err *err =
		jobs ? prepare_jobs(build, batch, jobs, jobs + batch->nr) : rk_err_nomem();

	if (!err)
		err = rk_parallel(batch->nr, threads, compare_text, &c);
	if (!err)
		batch->nr = put_first(batch);
	rk_compile_jobs_deinit(jobs, jobs ? nr : 0);
	free(jobs);
	return err;
}

static struct rk_err *compile_batch(struct rk_build *build, const struct batch *batch)
{
	struct rk_compile_job *jobs = calloc(2 * batch->nr, sizeof(*jobs));

	if (!jobs)
		return rk_err_nomem();
	struct rk_err *err = compile_jobs(build, batch, jobs);
	rk_compile_jobs_deinit(jobs, 2 * batch->nr);
	free(jobs);
	return err;
}

/* The fixes' own units at once, then those of the headers, which are many. */
static struct rk_err *compile_all(struct rk_build *build)
{
	size_t nr = build->units.nr;

	for (size_t i = 0; i < nr;) {
		struct batch batch = {.units = &build->units.v[i]};
		bool is_own = !batch.units[0].reason;

		while (i + batch.nr < nr && (batch.units[batch.nr].reason == NULL) == is_own &&
		       (is_own || batch.nr < BATCH))
			batch.nr++;
		if (nr > BATCH && !is_own)
			rk_report_phase(build->options->reporter, "compile",
					"units %zu to %zu of %zu", i + 1, i + batch.nr, nr);
		i += batch.nr;
		/* Most of what a header brings along; the fixes' own units do differ. */
		if (!is_own)
			RK_TRY(find_same(build, &batch));
		if (batch.nr)
			RK_TRY(compile_batch(build, &batch));
	}
	return rk_build_forget_same(build);
}

struct rk_err *rk_build_compile(struct rk_build *build)
{
	struct opening opening = {.target = build->target};
	pthread_t thread;

	bool is_open = build->session->symbols != NULL;
	bool threaded = !is_open && pthread_create(&thread, NULL, open_symbols, &opening) == 0;
	struct rk_err *err = compile_all(build);
	if (threaded)
		pthread_join(thread, NULL);
	else if (!is_open)
		open_symbols(&opening);
	if (!is_open)
		build->session->symbols = opening.symbols;
	build->symbols = build->session->symbols;
	if (err)
		rk_err_free(opening.err);
	else
		err = opening.err;
	return err;
}
