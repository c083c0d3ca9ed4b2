/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Running compiler and objtool for a set of units, as many at once as asked for. Each unit works in a directory of its own
 * beside its output, so that whatever happens nothing but finished objects is left.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/build/internal.h"

#define DEPS_MAX    (8u << 20)
#define SOURCE_MAX  (256u << 20)
#define MESSAGE_MAX 8192 /* bytes of a compiler's output in an error */

/* A unit on its way. */
struct run {
	struct rk_compile_job *job;
	struct rk_kbuild *kbuild;
	char *dir, *object, *depfile; /* of this run alone */
	char key[RK_SHA256_HEX_SIZE];
	const char **argv;
	const char *env[4];
	char *prefix_map, *tmpdir;
	bool in_objtool;
	struct rk_process_spec spec;
	struct rk_process *process;
};

static void run_deinit(struct run *run)
{
	if (run->dir)
		rk_err_free(rk_fs_remove_tree(run->dir));
	free(run->dir);
	free(run->object);
	free(run->depfile);
	free(run->argv);
	free(run->prefix_map);
	free(run->tmpdir);
}

static size_t count(const char *const *words)
{
	size_t nr = 0;

	while (words && words[nr])
		nr++;
	return nr;
}

static void append(const char **argv, size_t *nr, const char *const *words)
{
	while (words && *words)
		argv[(*nr)++] = *words++;
}

static struct rk_err *compiler_argv(struct run *run)
{
	const struct rk_recipe *recipe = run->job->recipe;
	const char *const own[] = {
		"-ffunction-sections",
		"-fdata-sections",
		run->prefix_map,
		"-MMD",
		"-MF",
		run->depfile,
		"-c",
		"-o",
		run->object,
		recipe->input,
	};
	size_t nr = 0;

	run->argv = calloc(count(recipe->cc_argv) + ARRAY_SIZE(own) + count(run->job->extra) + 1,
			   sizeof(*run->argv));
	if (!run->argv)
		return rk_err_nomem();
	append(run->argv, &nr, recipe->cc_argv);
	memcpy(run->argv + nr, own, sizeof(own));
	nr += ARRAY_SIZE(own);
	append(run->argv, &nr, run->job->extra);
	return NULL;
}

static struct rk_err *objtool_argv(struct run *run)
{
	const struct rk_recipe *recipe = run->job->recipe;
	size_t nr = 0;

	free(run->argv);
	run->argv = calloc(count(recipe->objtool_argv) + 2, sizeof(*run->argv));
	if (!run->argv)
		return rk_err_nomem();
	append(run->argv, &nr, recipe->objtool_argv);
	run->argv[nr] = run->object;
	return NULL;
}

static struct rk_err *start_process(struct run *run)
{
	run->spec = (struct rk_process_spec){
		.argv = run->argv,
		.env = run->env,
		.cwd = run->job->root,
	};
	return rk_process_start(&run->spec, &run->process);
}

static struct rk_err *make_dir(struct run *run)
{
	_cleanup_free_ char *parent = strdup(run->job->output);
	char *slash = parent ? strrchr(parent, '/') : NULL;

	if (!parent)
		return rk_err_nomem();
	if (!slash)
		return rk_err(RK_ERR_INVALID, "'%s' is not an absolute path", run->job->output);
	*slash = '\0';
	RK_TRY(rk_fs_mkdtemp(parent, ".compile-", &run->dir));
	run->object = rk_path_join(run->dir, "object.o");
	run->depfile = rk_path_join(run->dir, "object.d");
	run->tmpdir = rk_asprintf("TMPDIR=%s", run->dir);
	/* The same debug information wherever the tree or view lies. */
	run->prefix_map = rk_asprintf("-fdebug-prefix-map=%s=.", run->job->root);
	return run->object && run->depfile && run->tmpdir && run->prefix_map ? NULL
									     : rk_err_nomem();
}

/* The object is complete in run's directory: reads its dependencies, puts it in its place. */
static struct rk_err *finish(struct run *run)
{
	_cleanup_free_ char *text = NULL;
	char **deps;

	RK_TRY(rk_fs_read(run->depfile, DEPS_MAX, &text, NULL));
	RK_TRY(rk_deps_parse(text, &deps));
	if (rename(run->object, run->job->output) < 0) {
		rk_deps_free(deps);
		return rk_err_sys(errno, "cannot create '%s'", run->job->output);
	}
	run->job->deps = deps;
	return NULL;
}

/* Gets the object from the cache, or starts the compiler: then run->process is set. */
static struct rk_err *start(struct run *run)
{
	struct rk_compile_job *job = run->job;
	bool found = false;

	job->seconds = 0;
	job->from_cache = false;
	job->deps = NULL;
	RK_TRY(make_dir(run));
	RK_TRY(rk_objcache_key(run->kbuild, job, run->key));
	if (run->key[0])
		RK_TRY(rk_objcache_get(run->kbuild, run->key, run->object, run->depfile, &found));
	if (found) {
		job->from_cache = true;
		return finish(run);
	}
	run->env[0] = RK_BUILD_PATH;
	run->env[1] = "LC_ALL=C";
	run->env[2] = run->tmpdir;
	RK_TRY(compiler_argv(run));
	return start_process(run);
}

/* What the compiler said, without the blank end, and not more than a terminal bears. */
static struct rk_err *compile_error(const struct run *run, const char *output)
{
	size_t len = strlen(output);
	const char *which = run->job->is_original ? "" : " with the fix";

	while (len > 0 && output[len - 1] == '\n')
		len--;
	if (len > MESSAGE_MAX)
		return rk_err(RK_ERR_COMPILE, "%.*s\n…\n'%s' doesn't compile%s", MESSAGE_MAX,
			      output, run->job->recipe->unit, which);
	return rk_err(RK_ERR_COMPILE, "%.*s\n'%s' doesn't compile%s", (int)len, output,
		      run->job->recipe->unit, which);
}

/* Takes our #line directives out of the view's copy of the unit; *ret tells whether it is one. */
static struct rk_err *drop_line_directives(const struct run *run, bool *ret)
{
	_cleanup_free_ char *path = rk_path_join(run->job->root, run->job->recipe->unit),
			    *text = NULL;
	_cleanup_str_ struct rk_str out = RK_STR_INIT;
	struct stat st;

	*ret = false;
	if (!path)
		return rk_err_nomem();
	if (run->job->is_original || lstat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return NULL;
	RK_TRY(rk_fs_read(path, SOURCE_MAX, &text, NULL));
	for (const char *s = text; *s;) {
		size_t n = strcspn(s, "\n");

		n += s[n] == '\n';
		if (!rk_has_prefix(s, "#line "))
			rk_str_add_bytes(&out, s, n);
		s += n;
	}
	RK_TRY(rk_str_check(&out));
	RK_TRY(rk_fs_write(path, rk_str_get(&out), out.len, 0666));
	*ret = true;
	return NULL;
}

/* The compiler shows source lines by their physical number, which #line hides from it: asked again without them it names the
 * lines the author of the fix sees. */
static struct rk_err *explain(struct run *run, const char *output)
{
	_cleanup_process_result_ struct rk_process_result res = {};
	bool is_plain;

	RK_TRY(drop_line_directives(run, &is_plain));
	if (is_plain) {
		RK_TRY(rk_process_run(&run->spec, &res));
		if (res.status != 0)
			return compile_error(run, rk_str_get(&res.output));
	}
	return compile_error(run, output);
}

static struct rk_err *after_compiler(struct run *run, const struct rk_process_result *res,
				     const struct rk_reporter *reporter)
{
	if (res->status != 0)
		return explain(run, rk_str_get(&res->output));
	if (res->output.len > 0 && !run->job->is_original)
		rk_report_note(reporter, "'%s': the compiler says:\n%s", run->job->recipe->unit,
			       rk_str_get(&res->output));
	if (!run->job->recipe->objtool_argv)
		return finish(run);
	run->in_objtool = true;
	RK_TRY(objtool_argv(run));
	return start_process(run);
}

static struct rk_err *after_objtool(struct run *run, const struct rk_process_result *res,
				    const struct rk_reporter *reporter)
{
	const char *unit = run->job->recipe->unit;

	if (res->status != 0)
		return rk_err(RK_ERR_TOOL, "'%s': objtool failed with status %d:\n%s", unit,
			      res->status, rk_str_get(&res->output));
	if (res->output.len > 0)
		rk_report_note(reporter, "'%s': objtool says:\n%s", unit, rk_str_get(&res->output));
	RK_TRY(finish(run));
	return NULL;
}

/* Waits for run's process and goes on with what follows it. */
static struct rk_err *step(struct run *run, const struct rk_reporter *reporter)
{
	_cleanup_process_result_ struct rk_process_result res = {};
	struct rk_process *process = take_ptr(run->process);

	RK_TRY(rk_process_wait(process, &res));
	run->job->seconds += res.seconds;
	return run->in_objtool ? after_objtool(run, &res, reporter)
			       : after_compiler(run, &res, reporter);
}

/* Runs that wait for a process, oldest first. */
struct queue {
	struct run **runs;
	size_t first, end;
};

/* A compiler error that the caller wants to see among the results. */
static struct rk_err *keep_error(struct run *run, struct rk_err *err)
{
	if (!err || !run->job->may_fail || rk_err_code(err) != RK_ERR_COMPILE)
		return err;
	run->job->error = err;
	return NULL;
}

static struct rk_err *run_all(struct run *runs, size_t nr, unsigned int parallel,
			      struct queue *queue, const struct rk_reporter *reporter)
{
	struct rk_err *err = NULL;
	size_t next = 0, done = 0;

	while (queue->first < queue->end || (next < nr && !err)) {
		if (!err && next < nr && queue->end - queue->first < parallel) {
			struct run *run = &runs[next++];

			err = start(run);
			run->job->failed = err != NULL;
			if (run->process)
				queue->runs[queue->end++] = run;
			else
				rk_report_advance(reporter, ++done, nr, "units");
			continue;
		}
		struct run *run = queue->runs[queue->first++];
		struct rk_err *step_err = keep_error(run, step(run, reporter));
		run->job->failed = step_err && !err;
		if (run->process)
			queue->runs[queue->end++] = run;
		else
			rk_report_advance(reporter, ++done, nr, "units");
		if (err)
			rk_err_free(step_err);
		else
			err = step_err;
	}
	return err;
}

/* After a failure: no output, no lists. */
static void drop_outputs(struct rk_compile_job *jobs, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		if (jobs[i].deps)
			unlink(jobs[i].output);
		rk_err_free(jobs[i].error);
		jobs[i].error = NULL;
		rk_deps_free(jobs[i].deps);
		jobs[i].deps = NULL;
	}
}

void rk_compile_jobs_deinit(struct rk_compile_job *jobs, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		rk_deps_free(jobs[i].deps);
		jobs[i].deps = NULL;
		rk_err_free(jobs[i].error);
		jobs[i].error = NULL;
	}
}

/* A cache that can't be written costs time, not the build. */
static void keep_originals(struct run *runs, size_t nr, const struct rk_reporter *reporter)
{
	for (size_t i = 0; i < nr; i++) {
		_cleanup_err_ struct rk_err *err = NULL;

		if (!runs[i].key[0] || runs[i].job->from_cache || !runs[i].job->deps)
			continue;
		err = rk_objcache_put(runs[i].kbuild, runs[i].key, runs[i].job->output,
				      runs[i].depfile);
		if (err)
			rk_report_note(reporter, "'%s' is not kept: %s", runs[i].job->recipe->unit,
				       rk_err_message(err));
	}
}

struct rk_err *rk_compile(struct rk_kbuild *kbuild, struct rk_compile_job *jobs, size_t nr,
			  unsigned int parallel, const struct rk_reporter *reporter)
{
	struct run *runs = calloc(nr + 1, sizeof(*runs));
	/* Each run is queued at most twice: compiler, objtool. */
	struct queue queue = {.runs = calloc(2 * nr + 1, sizeof(*queue.runs))};
	struct rk_err *err = runs && queue.runs ? NULL : rk_err_nomem();

	if (parallel == 0) {
		long processors = sysconf(_SC_NPROCESSORS_ONLN);

		parallel = processors > 0 ? (unsigned int)processors : 1;
	}
	for (size_t i = 0; i < nr; i++) {
		jobs[i].deps = NULL;
		jobs[i].failed = false;
		jobs[i].error = NULL;
		if (!err) {
			runs[i].job = &jobs[i];
			runs[i].kbuild = kbuild;
		}
	}
	if (!err)
		err = run_all(runs, nr, parallel, &queue, reporter);
	/* what was compiled before the failure needn't be again */
	keep_originals(runs, runs ? nr : 0, reporter);
	if (err)
		drop_outputs(jobs, nr);
	for (size_t i = 0; runs && i < nr; i++)
		run_deinit(&runs[i]);
	free(runs);
	free(queue.runs);
	return err;
}
