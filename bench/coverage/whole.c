/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is measured on many fixes together: all that were built as one cumulative module, and some of them built again elsewhere, which
 * must give the same bytes.
 */
#include <string.h>

#include "bench/coverage/report.h"
#include "lib/base/fs.h"

#define WHOLE_TIMEOUT_MS (60 * 60 * 1000)
#define STATUS_VERDICT	 3
#define REPEATED	 50
#define REPEAT_JOBS	 "3"

static bool is_built(const json_t *result)
{
	enum cov_outcome o = cov_outcome_of(result);
	return o == COV_BUILT || o == COV_ACKNOWLEDGED;
}

/* The patches of one call: no file may be in two of them, so each takes what no other has taken. */
struct whole {
	const struct cov_run *run;
	struct rk_arena arena;
	struct rk_map taken; /* path → anything */
	struct cov_words argv;
	json_t *accepted; /* codes, as an object's keys */
	size_t fixes;
	json_int_t cves;
};

static struct rk_err *take_path(struct whole *w, const char *path, struct cov_paths *files)
{
	const char *copy = rk_arena_strdup(&w->arena, path);

	if (rk_map_get(&w->taken, path))
		return NULL;
	if (!copy || !rk_map_set(&w->taken, copy, (void *)copy) || !rk_vec_push(&files->list, copy))
		return rk_err_nomem();
	return NULL;
}

static struct rk_err *cut_rest(struct whole *w, const struct cov_fix *fix, const json_t *result,
			       bool is_own, struct cov_paths *files)
{
	const json_t *path;
	size_t i;

	if (is_own) {
		rk_vec_for_each(&fix->files, own)
			RK_TRY(take_path(w, *own, files));
		return NULL;
	}
	json_array_foreach(json_object_get(result, "carried"), i, path)
		RK_TRY(take_path(w, json_string_value(path), files));
	return NULL;
}

static struct rk_err *add_patch(struct whole *w, const struct cov_fix *fix, const json_t *result,
				bool is_own)
{
	const char *path = rk_arena_printf(&w->arena, "%s/whole/%s%s.patch", w->run->state, fix->id,
					   is_own ? "" : "-carried");
	struct cov_paths files = {}, left_out = {};
	const json_t *word;
	bool differs = false;
	size_t i;

	if (!path)
		return rk_err_nomem();
	struct rk_err *err = cut_rest(w, fix, result, is_own, &files);
	json_array_foreach(json_object_get(result, "left_out"), i,
			   word) if (!rk_vec_push(&left_out.list, json_string_value(word)) && !err)
		err = rk_err_nomem();
	if (!err)
		err = cov_cut(w->run->trees, fix, &files, &left_out, path, &differs);
	rk_vec_deinit(&left_out.list);
	rk_vec_deinit(&files.list);
	if (!err && differs)
		cov_words_add(&w->argv, path);
	return err;
}

static void accept_codes(struct whole *w, const json_t *result)
{
	const json_t *code;
	size_t i;

	json_array_foreach(json_object_get(result, "acknowledge"), i, code)
		json_object_set_new(w->accepted, json_string_value(code), json_true());
}

/* All fixes' own files first: what one carries may be another's own. */
static struct rk_err *add_patches(struct whole *w, bool is_own)
{
	rk_vec_for_each(&w->run->fixes->list, fix) {
		json_t *result = cov_load_result(w->run, fix->id);
		struct rk_err *err = NULL;
		if (is_built(result)) {
			err = add_patch(w, fix, result, is_own);
			accept_codes(w, result);
			w->fixes += is_own;
			w->cves += is_own ? (json_int_t)fix->cves.nr : 0;
		}
		json_decref(result);
		RK_TRY(err);
	}
	return NULL;
}

static struct rk_err *prepare(struct whole *w, const char *dir)
{
	const char *const fixed[] = {"kpatch-build", "--json", "--quiet",
				     "--offline",    "--name", "kpatch_cumulative",
				     "--output",     dir};
	const char *code;
	json_t *value;

	RK_TRY(rk_fs_remove_tree(dir));
	RK_TRY(rk_fs_mkdir_p(dir, 0777));
	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
		cov_words_add(&w->argv, fixed[i]);
	for (size_t i = 0; w->run->target_args[i]; i++)
		cov_words_add(&w->argv, w->run->target_args[i]);
	RK_TRY(add_patches(w, true));
	RK_TRY(add_patches(w, false));
	json_object_foreach(w->accepted, code, value)
	{
		cov_words_add(&w->argv, "--accept");
		cov_words_add(&w->argv, code);
	}
	return NULL;
}

static json_t *load_one(const struct cov_run *run, const char *module)
{
	_cleanup_cov_call_ struct cov_call call = {};
	const char *const argv[] = {"kpatch-test",	 "--json", "--quiet", run->target_args[0],
				    run->target_args[1], module,   NULL};
	struct rk_err *err = cov_call(argv, WHOLE_TIMEOUT_MS, &call);
	const char *verdict = cov_text(call.json, "verdict");
	json_t *load =
		json_pack("{s:s, s:O?, s:O?}", "result", err || !*verdict ? "failed" : verdict,
			  "reasons", json_object_get(call.json, "reasons"), "seconds",
			  json_object_get(call.json, "seconds"));
	rk_err_free(err);
	return load;
}

static json_t *describe(const struct whole *w, const struct cov_call *call)
{
	const json_t *doc = call->json;
	const char *module = cov_text(doc, "module");
	bool built = call->process.status == 0 && *module;
	json_t *result =
		json_pack("{s:s, s:I, s:I, s:I, s:f, s:f, s:I, s:O?, s:O?}", "outcome",
			  built					   ? "built"
			  : call->process.status == STATUS_VERDICT ? "refused"
								   : "error",
			  "fixes", (json_int_t)w->fixes, "cves", w->cves, "functions",
			  (json_int_t)json_array_size(json_object_get(doc, "functions")), "seconds",
			  call->process.seconds, "cpu_seconds", call->process.cpu_seconds,
			  "peak_kib", (json_int_t)call->process.peak_kib, "size",
			  json_object_get(doc, "size"), "error", json_object_get(doc, "error"));

	if (built && result)
		json_object_set_new(result, "load", load_one(w->run, module));
	else if (result)
		json_object_set_new(result, "findings", cov_blocking(doc));
	return result;
}

struct rk_err *cov_cumulative(const struct cov_run *run, json_t **ret)
{
	_cleanup_free_ char *dir = rk_path_join(run->state, "whole");
	_cleanup_cov_call_ struct cov_call call = {};
	struct whole w = {.run = run, .accepted = json_object()};

	if (!dir || !w.accepted)
		return rk_err_nomem();
	struct rk_err *err = prepare(&w, dir);
	rk_report_phase(run->reporter, "cumulative", "building %zu fixes as one module", w.fixes);
	if (!err && w.fixes)
		err = cov_call(cov_words_end(&w.argv), WHOLE_TIMEOUT_MS, &call);
	*ret = !err && w.fixes ? describe(&w, &call) : NULL;
	json_decref(w.accepted);
	cov_words_deinit(&w.argv);
	rk_map_deinit(&w.taken);
	rk_arena_deinit(&w.arena);
	return err;
}

/* Builds fix again below dir; *ret_same: to the same bytes. */
static struct rk_err *build_again(const struct cov_run *run, const struct cov_fix *fix,
				  const json_t *before, bool *ret_same)
{
	_cleanup_free_ char *dir = rk_asprintf("%s/again/another path/%s", run->state, fix->id);
	json_t *after;

	if (!dir)
		return rk_err_nomem();
	RK_TRY(cov_build_fix(run, fix, dir, &after));
	*ret_same = rk_streq(cov_text(before, "module_sha256"), cov_text(after, "module_sha256"));
	json_decref(after);
	return NULL;
}

struct rk_err *cov_repeat(const struct cov_run *run, json_t **ret)
{
	struct cov_run again = *run;
	json_t *different = json_array();
	json_int_t nr = 0, same = 0;

	again.jobs_each = REPEAT_JOBS;
	rk_report_phase(run->reporter, "repeat", "building %d fixes again", REPEATED);
	rk_vec_for_each(&run->fixes->list, fix) {
		json_t *before = cov_load_result(run, fix->id);
		struct rk_err *err = NULL;
		bool is_same = false;
		if (nr < REPEATED && is_built(before)) {
			err = build_again(&again, fix, before, &is_same);
			nr++;
			same += is_same;
			if (!is_same)
				json_array_append_new(different, json_string(fix->id));
			rk_report_advance(run->reporter, (uint64_t)nr, REPEATED, "fixes");
		}
		json_decref(before);
		if (err) {
			json_decref(different);
			return err;
		}
	}
	*ret = json_pack("{s:I, s:I, s:s, s:o}", "fixes", nr, "same", same, "jobs", REPEAT_JOBS,
			 "different", different);
	return *ret ? NULL : rk_err_nomem();
}
