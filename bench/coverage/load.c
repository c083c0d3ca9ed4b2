/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every module that was built is loaded into its kernel and unloaded again by kpatch-test, many in one boot. Verdicts are kept
 * after each call, so that a run that was stopped doesn't begin at the first module again.
 */
#include <string.h>

#include "bench/coverage/coverage.h"
#include "lib/base/fs.h"

#define MODULES_PER_CALL 40
/* Nothing a module does takes longer than kpatch-test's own limits; this is for kpatch-test itself. */
#define CALL_TIMEOUT_MS (60 * 60 * 1000)

/* A module to be loaded and the result of the fix it is of. */
struct candidate {
	const char *id, *path, *sha256; /* in result */
	json_t *result;
};

struct candidates {
	rk_vec(struct candidate) list;
};

static void candidates_deinit(struct candidates *c)
{
	rk_vec_for_each(&c->list, it)
		json_decref(it->result);
	rk_vec_deinit(&c->list);
}

static const char *member(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* Was this very module loaded before? Then its verdict stands. */
static bool is_loaded(const json_t *result)
{
	const char *now = member(result, "module_sha256");
	const char *then = member(json_object_get(result, "load"), "module_sha256");

	return now && then && rk_streq(now, then);
}

static struct rk_err *collect(const struct cov_run *run, const struct rk_map *only,
			      struct candidates *ret)
{
	rk_vec_for_each(&run->fixes->list, fix) {
		if (only && !rk_map_get(only, fix->id))
			continue;
		json_t *result = cov_load_result(run, fix->id);
		struct candidate c = {fix->id, member(result, "module"),
				      member(result, "module_sha256"), result};
		if (!c.path || !c.sha256 || (is_loaded(result) && !only)) {
			json_decref(result);
			continue;
		}
		if (!rk_vec_push(&ret->list, c)) {
			json_decref(result);
			return rk_err_nomem();
		}
	}
	return NULL;
}

/* What the evidence of a module says besides its verdict: what was noted, and how many functions were found replaced. */
static void add_evidence(json_t *load, const json_t *evidence)
{
	const json_t *step;
	size_t i;

	json_object_set(load, "notes", json_object_get(evidence, "notes"));
	json_array_foreach(json_object_get(evidence, "steps"), i, step)
	{
		const char *name = member(step, "name");
		if (name && rk_streq(name, "functions"))
			json_object_set(load, "functions", json_object_get(step, "detail"));
	}
}

static struct rk_err *take_verdict(const struct cov_run *run, const struct candidate *c,
				   const json_t *entry)
{
	const char *dir = member(entry, "evidence"), *verdict = member(entry, "verdict");
	_cleanup_free_ char *path = dir ? rk_path_join(dir, "evidence.json") : NULL;
	json_t *evidence = path ? json_load_file(path, 0, NULL) : NULL;
	json_t *load =
		json_pack("{s:s, s:s, s:O?, s:O?}", "result", verdict ? verdict : "failed",
			  "module_sha256", c->sha256, "reasons", json_object_get(entry, "reasons"),
			  "seconds", json_object_get(entry, "seconds"));

	if (!load)
		return rk_err_nomem();
	add_evidence(load, evidence ? evidence : entry);
	json_decref(evidence);
	json_object_set_new(c->result, "load", load);
	return cov_save_result(run, c->id, c->result);
}

static struct rk_err *load_some(const struct cov_run *run, const struct candidate *list, size_t nr)
{
	_cleanup_free_ char *output = rk_path_join(run->state, "evidence");
	_cleanup_cov_words_ struct cov_words words = {};
	_cleanup_cov_call_ struct cov_call call = {};
	const char *const fixed[] = {"kpatch-test",	  "--json",
				     "--quiet",		  "--no-reload",
				     run->target_args[0], run->target_args[1],
				     "--output",	  output};

	if (!output)
		return rk_err_nomem();
	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
		cov_words_add(&words, fixed[i]);
	for (size_t i = 0; i < nr; i++)
		cov_words_add(&words, list[i].path);
	RK_TRY(cov_call(cov_words_end(&words), CALL_TIMEOUT_MS, &call));
	const json_t *modules = json_object_get(call.json, "modules");
	if (nr > 1 ? json_array_size(modules) != nr : !json_object_get(call.json, "verdict"))
		return rk_err(RK_ERR_TOOL, "'kpatch-test' gave no verdict: %s",
			      rk_str_get(&call.process.output));
	for (size_t i = 0; i < nr; i++)
		RK_TRY(take_verdict(run, &list[i],
				    nr > 1 ? json_array_get(modules, i) : call.json));
	return NULL;
}

struct rk_err *cov_load_all(const struct cov_run *run, const struct rk_map *only)
{
	_cleanup_(candidates_deinit) struct candidates c = {};

	RK_TRY(collect(run, only, &c));
	if (c.list.nr)
		rk_report_phase(run->reporter, "load", "loading %zu modules in QEMU", c.list.nr);
	for (size_t i = 0; i < c.list.nr; i += MODULES_PER_CALL) {
		size_t left = c.list.nr - i;
		rk_report_advance(run->reporter, i, c.list.nr, "fixes");
		RK_TRY(load_some(run, &c.list.v[i],
				 left < MODULES_PER_CALL ? left : MODULES_PER_CALL));
	}
	return NULL;
}
