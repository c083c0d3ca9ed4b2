/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A run that was stopped goes on where it was: the result of a fix is written whole or not at all, and says from which tool
 * and which input it came. Two builds go side by side; they share nothing but the number of the next fix.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "bench/coverage/coverage.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"

#define RESULT_MAX (64u << 20)
#define JOBS_MAX   64

char *cov_fix_dir(const struct cov_run *run, const char *id)
{
	return rk_asprintf("%s/fixes/%s", run->state, id);
}

static char *result_path(const struct cov_run *run, const char *id)
{
	return rk_asprintf("%s/results/%s.json", run->state, id);
}

json_t *cov_load_result(const struct cov_run *run, const char *id)
{
	_cleanup_free_ char *path = result_path(run, id);

	return path ? json_load_file(path, 0, NULL) : NULL;
}

struct rk_err *cov_save_result(const struct cov_run *run, const char *id, const json_t *result)
{
	_cleanup_free_ char *path = result_path(run, id);
	_cleanup_free_ char *text = json_dumps(result, JSON_INDENT(1));

	if (!path || !text)
		return rk_err_nomem();
	return rk_fs_write(path, text, strlen(text), 0644);
}

/* What the result depends on besides the tool: target, the fix's files in both trees. */
static struct rk_err *key_of(const struct cov_run *run, const struct cov_fix *fix,
			     char ret_hex[RK_SHA256_HEX_SIZE])
{
	_cleanup_str_ struct rk_str text = RK_STR_INIT;

	for (size_t i = 0; run->target_args[i]; i++)
		rk_str_addf(&text, "%s\n", run->target_args[i]);
	rk_vec_for_each(&fix->cves, cve)
		rk_str_addf(&text, "%s %s\n", (*cve)->id, (*cve)->title);
	rk_vec_for_each(&fix->files, path)
		RK_TRY(cov_trees_diff(run->trees, *path, &text));
	RK_TRY(rk_str_check(&text));
	return rk_sha256_bytes(rk_str_get(&text), text.len, ret_hex);
}

static bool is_current(const struct cov_run *run, const char *id, const char *key)
{
	json_t *result = cov_load_result(run, id);
	const char *kept = json_string_value(json_object_get(result, "key"));
	const char *tool = json_string_value(json_object_get(result, "tool"));
	bool current = kept && tool && rk_streq(kept, key) &&
		       (run->keep_older || rk_streq(tool, run->tool_sha256)) &&
		       cov_outcome_of(result) < COV_OUTCOMES;

	json_decref(result);
	return current;
}

/* *ret is a new reference, or NULL when the kept result stands. */
static struct rk_err *build_one(const struct cov_run *run, const struct cov_fix *fix, bool force,
				json_t **ret)
{
	_cleanup_free_ char *dir = cov_fix_dir(run, fix->id);
	char key[RK_SHA256_HEX_SIZE];
	json_t *result;

	*ret = NULL;

	if (!dir)
		return rk_err_nomem();
	RK_TRY(key_of(run, fix, key));
	if (!force && is_current(run, fix->id, key))
		return NULL;
	RK_TRY(cov_build_fix(run, fix, dir, &result));
	json_object_set_new(result, "key", json_string(key));
	json_object_set_new(result, "tool", json_string(run->tool_sha256));
	struct rk_err *err = cov_save_result(run, fix->id, result);
	if (err)
		json_decref(result);
	else
		*ret = result;
	return err;
}

struct pool {
	const struct cov_run *run;
	const struct rk_map *only; /* NULL: all */
	size_t total;
	atomic_size_t next, done;
	pthread_mutex_t lock; /* of the reporter and first */
	struct rk_err *first;
};

static bool is_wanted(const struct pool *p, const char *id)
{
	return !p->only || rk_map_get(p->only, id);
}

/* The reporter isn't made for several threads. */
static void report(struct pool *p, const json_t *result)
{
	pthread_mutex_lock(&p->lock);
	if (result)
		rk_report_note(p->run->reporter, "%s %s %.1f s",
			       json_string_value(json_object_get(result, "id")),
			       cov_outcome_name(cov_outcome_of(result)),
			       json_real_value(json_object_get(result, "seconds")));
	rk_report_advance(p->run->reporter, ++p->done, p->total, "fixes");
	pthread_mutex_unlock(&p->lock);
}

static void *work(void *arg)
{
	struct pool *p = arg;
	const struct cov_fixes *fixes = p->run->fixes;
	struct rk_err *err = NULL;

	for (size_t i; !err && (i = atomic_fetch_add(&p->next, 1)) < fixes->list.nr;) {
		if (!is_wanted(p, fixes->list.v[i].id))
			continue;
		json_t *result = NULL;
		err = build_one(p->run, &fixes->list.v[i], p->only != NULL, &result);
		report(p, result);
		json_decref(result);
	}
	pthread_mutex_lock(&p->lock);
	if (err && !p->first)
		p->first = take_ptr(err);
	pthread_mutex_unlock(&p->lock);
	rk_err_free(err);
	if (p->first)
		atomic_store(&p->next, fixes->list.nr);
	return NULL;
}

struct rk_err *cov_build_all(const struct cov_run *run, const struct rk_map *only)
{
	struct pool p = {.run = run, .only = only, .lock = PTHREAD_MUTEX_INITIALIZER};
	_cleanup_free_ char *results = rk_path_join(run->state, "results");
	pthread_t threads[JOBS_MAX];
	unsigned int nr = 0;

	if (!results)
		return rk_err_nomem();
	RK_TRY(rk_fs_mkdir_p(results, 0777));
	rk_vec_for_each(&run->fixes->list, fix)
		p.total += is_wanted(&p, fix->id);
	rk_report_phase(run->reporter, "build", "building %zu fixes, %u at once", p.total,
			run->jobs);
	while (nr < run->jobs && nr < JOBS_MAX && pthread_create(&threads[nr], NULL, work, &p) == 0)
		nr++;
	if (nr == 0)
		work(&p);
	for (unsigned int i = 0; i < nr; i++)
		pthread_join(threads[i], NULL);
	return p.first;
}
