/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What comes out of tests, as it comes: the evidence of each module is written when its verdict is there, so that what was tested before an
 * interruption isn't lost. One module has one evidence.json; several have one directory each and a summary.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/fs.h"
#include "tools/common/render.h"
#include "tools/kpatch-test/kpatch-test.h"

#define SUMMARY_NAME "kpatch-test-summary"
/* Seconds have two digits behind the point: nine are enough for any of them. */
#define JSON_FORMAT (JSON_INDENT(2) | JSON_REAL_PRECISION(9))

/* A module's file without directory and ".ko". malloc'ed. */
static char *stem(const char *module)
{
	const char *slash = strrchr(module, '/');
	const char *base = slash ? slash + 1 : module;
	size_t len = strlen(base) - (rk_has_suffix(base, ".ko") ? strlen(".ko") : 0);

	return strndup(base, len);
}

/* True when another of the modules before it has the same stem. */
static bool is_stem_taken(const struct rk_vm_test *test, const char *name)
{
	for (size_t i = 0; i < test->number; i++) {
		_cleanup_free_ char *other = stem(test->spec->modules[i]);

		if (other && rk_streq(other, name))
			return true;
	}
	return false;
}

/* Where evidence goes: beside the module ("kpatch-fix.evidence"), DIR for one module, DIR/STEM for several. malloc'ed. */
static struct rk_err *evidence_dir(const struct results *results, const struct rk_vm_test *test,
				   char **ret)
{
	_cleanup_free_ char *name = stem(test->module);
	_cleanup_free_ char *output = NULL;
	const char *slash = strrchr(test->module, '/');

	if (!name)
		return rk_err_nomem();
	if (results->output)
		RK_TRY(rk_cli_absolute_path(results->output, &output));
	if (!output)
		*ret = rk_asprintf("%.*s%s.evidence", slash ? (int)(slash + 1 - test->module) : 0,
				   test->module, name);
	else if (results->nr_modules == 1)
		*ret = take_ptr(output);
	else if (is_stem_taken(test, name))
		*ret = rk_asprintf("%s/%s-%zu", output, name, test->number + 1);
	else
		*ret = rk_path_join(output, name);
	return *ret ? NULL : rk_err_nomem();
}

static struct rk_err *write_file(const char *dir, const char *name, const char *data, size_t len)
{
	_cleanup_free_ char *path = rk_path_join(dir, name);

	if (!path)
		return rk_err_nomem();
	return rk_fs_write(path, data, len, 0644);
}

static struct rk_err *write_json(const char *dir, const char *name, const json_t *doc)
{
	_cleanup_free_ char *text = json_dumps(doc, JSON_FORMAT);

	if (!text)
		return rk_err_nomem();
	return write_file(dir, name, text, strlen(text));
}

/* Writes both files; the evidence is handed to the caller, a new reference. */
static struct rk_err *write_evidence(const char *dir, const struct rk_vm_test *test, json_t **ret)
{
	_cleanup_str_ struct rk_str transcript = RK_STR_INIT;
	json_t *doc = NULL;
	struct rk_err *err;

	RK_TRY(rk_vm_test_transcript(test, &transcript));
	RK_TRY(rk_vm_test_evidence(test, &transcript, &doc));
	err = rk_fs_mkdir_p(dir, 0755);
	if (!err)
		err = write_file(dir, "transcript.txt", rk_str_get(&transcript), transcript.len);
	if (!err)
		err = write_json(dir, "evidence.json", doc);
	if (err)
		json_decref(doc);
	else
		*ret = doc;
	return err;
}

/* A module's entry of the summary: the evidence says the rest. */
static json_t *summarize(const struct rk_vm_test *test, const json_t *evidence, const char *dir)
{
	json_t *reasons = json_array();

	rk_vec_for_each(&test->reasons, reason)
		json_array_append_new(reasons, json_string(*reason));
	return json_pack("{s:s, s:s?, s:s?, s:s, s:o, s:O?, s:f, s:s?}", "file", test->module,
			 "name", test->info ? test->info->name : NULL, "sha256",
			 test->info ? test->info->sha256 : NULL, "verdict",
			 rk_vm_test_has_passed(test) ? "passed" : "failed", "reasons", reasons,
			 "boot", json_object_get(evidence, "boot"), "seconds",
			 rk_vm_test_seconds(test), "evidence", dir);
}

/* A test that never was in a guest has no evidence. */
static struct rk_err *take_evidence(struct results *results, const struct rk_vm_test *test,
				    json_t **ret, char **ret_dir)
{
	if (!test->session)
		return NULL;
	RK_TRY(evidence_dir(results, test, ret_dir));
	return write_evidence(*ret_dir, test, ret);
}

static struct rk_err *add_entry(struct results *results, const struct rk_vm_test *test,
				json_t *evidence, const char *dir)
{
	if (results->nr_modules == 1) {
		results->document = json_incref(evidence);
		return NULL;
	}
	if (!results->document)
		results->document = json_array();
	/* verdicts may come in another order than the modules */
	while (results->document && json_array_size(results->document) <= test->number)
		if (json_array_append_new(results->document, json_null()))
			return rk_err_nomem();
	if (json_array_set_new(results->document, test->number, summarize(test, evidence, dir)))
		return rk_err_nomem();
	return NULL;
}

struct rk_err *results_add(void *ctx, const struct rk_vm_test *test)
{
	struct results *results = ctx;
	_cleanup_free_ char *dir = NULL;
	json_t *evidence = NULL;
	struct rk_err *err = take_evidence(results, test, &evidence, &dir);

	if (!err)
		err = add_entry(results, test, evidence, dir);
	json_decref(evidence);
	if (err)
		return err;
	results->nr++;
	results->failed += !rk_vm_test_has_passed(test);
	if (results->cli->json)
		return NULL;
	if (results->nr_modules > 1) {
		report_test_line(stdout, test);
		rk_cli_flush(results->cli);
		return NULL;
	}
	report_test(stdout, test, results->cli->verbose);
	printf("evidence: %s/evidence.json\n", dir);
	return NULL;
}

static json_t *summary(const struct results *results, const struct rk_vm_tests *tests)
{
	json_t *doc = rk_render_document(SUMMARY_NAME, 1);
	bool failed = !doc;

	failed |= json_object_set_new(doc, "verdict",
				      json_string(results->failed ? "failed" : "passed")) != 0;
	failed |=
		json_object_set_new(doc, "passed",
				    json_integer((json_int_t)(results->nr - results->failed))) != 0;
	failed |=
		json_object_set_new(doc, "failed", json_integer((json_int_t)results->failed)) != 0;
	failed |= json_object_set_new(doc, "boots",
				      json_integer((json_int_t)rk_vm_tests_boots(tests))) != 0;
	failed |= json_object_set(doc, "modules", results->document) != 0;
	if (!failed)
		return doc;
	json_decref(doc);
	return NULL;
}

static struct rk_err *finish_many(struct results *results, const struct rk_vm_tests *tests)
{
	_cleanup_free_ char *dir = NULL;
	json_t *doc = summary(results, tests);
	struct rk_err *err = NULL;

	if (!doc)
		return rk_err_nomem();
	if (results->output) {
		err = rk_cli_absolute_path(results->output, &dir);
		if (!err)
			err = rk_fs_mkdir_p(dir, 0755);
		if (!err)
			err = write_json(dir, "summary.json", doc);
	}
	json_decref(results->document);
	results->document = doc;
	if (err || results->cli->json)
		return err;
	report_tests(stdout, tests, results->failed);
	if (dir)
		printf("evidence: %s/summary.json\n", dir);
	return NULL;
}

struct rk_err *results_finish(struct results *results, const struct rk_vm_tests *tests,
			      enum rk_exit *ret_exit)
{
	if (results->nr_modules > 1)
		RK_TRY(finish_many(results, tests));
	*ret_exit = results->failed ? RK_EXIT_VERDICT : RK_EXIT_DONE;
	if (!results->cli->json)
		return NULL;
	if (json_dumpf(results->document, stdout, JSON_FORMAT) || putchar('\n') == EOF)
		return rk_err(RK_ERR_SYS, "cannot write the result");
	return NULL;
}

void results_deinit(struct results *results)
{
	json_decref(results->document);
}
