/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bench-coverage: what of the CVE fixes a distribution shipped can be built and loaded as live patches, measured. */
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/coverage/report.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/source/view.h"
#include "tools/common/cli.h"
#include "tools/common/render.h"

#define TABLE_MAX (64u << 20)

struct coverage_values {
	const char *table, *refusals, *target, *newer, *older_tree, *newer_tree, *state, *output;
	unsigned int jobs;
	bool offline, report, no_load, fresh, keep_older, cumulative, repeat;
};

/* clang-format off */
static const struct rk_option options[] = {
	RK_OPT_GROUP("what is measured"),
	RK_OPT_STR(0, "table", struct coverage_values, table, "FILE", "the CVEs and their files (default: bench/data/linux-6.1.171-176.tsv)"),
	RK_OPT_STR(0, "refusals", struct coverage_values, refusals, "FILE", "why refusals are inherent, as looked at (default: bench/data/refusals.tsv)"),
	RK_OPT_STR(0, "target", struct coverage_values, target, "TARGET", "the kernel to patch (default: debian:6.1.0-47-cloud-amd64)"),
	RK_OPT_STR(0, "newer", struct coverage_values, newer, "VERSION", "version of the source package that has the fixes (default: 6.1.176-1)"),
	RK_OPT_STR(0, "older-tree", struct coverage_values, older_tree, "DIR", "cut fixes from these trees instead, each with source.sha256 beside it"),
	RK_OPT_STR(0, "newer-tree", struct coverage_values, newer_tree, "DIR", "see --older-tree"),
	RK_OPT_GROUP("how"),
	RK_OPT_STR(0, "state", struct coverage_values, state, "DIR", "keep modules and results here, to go on from (default: coverage/ in the cache)"),
	RK_OPT_STR('o', "output", struct coverage_values, output, "DIR", "write the table here (default: bench)"),
	RK_OPT_FLAG(0, "fresh", struct coverage_values, fresh, "forget what was measured before: the time it takes is in the table only then"),
	RK_OPT_FLAG(0, "keep-older", struct coverage_values, keep_older, "let results of another build of kpatch-build stand; the table says so"),
	RK_OPT_FLAG(0, "cumulative", struct coverage_values, cumulative, "then build and load all that were built as one module"),
	RK_OPT_FLAG(0, "repeat", struct coverage_values, repeat, "then build 50 again elsewhere and compare their bytes"),
	RK_OPT_FLAG(0, "no-load", struct coverage_values, no_load, "build only, load nothing"),
	RK_OPT_FLAG(0, "report", struct coverage_values, report, "only write the table of the results that are there"),
	RK_OPT_UINT('j', "jobs", struct coverage_values, jobs, "N", "build N fixes at once (default: one a processor)"),
	RK_OPT_FLAG(0, "offline", struct coverage_values, offline, "use what is in the cache, download nothing"),
	RK_OPT_END,
};
/* clang-format on */

/* Paths as given, or what they are without. */
static const char *or_default(const char *given, const char *otherwise)
{
	return given ? given : otherwise;
}

static const char *newer_version(const struct coverage_values *v)
{
	return or_default(v->newer, "6.1.176-1");
}

/* Text about the kernel, and tests of it, join nothing: half of all fixes touch the same list of names. */
static bool joins(void *ctx, const char *path)
{
	bool other_arch;

	(void)ctx;
	return rk_classify(path, "x86", &other_arch) != RK_FILE_NOT_CODE;
}

static struct rk_err *read_table(const char *path, struct cov_table *ret)
{
	_cleanup_free_ char *text = NULL;
	size_t len;

	RK_TRY(rk_fs_read(path, TABLE_MAX, &text, &len));
	return cov_table_parse(path, text, len, ret);
}

/* Another table has no refusals that anybody looked at. */
static struct rk_err *read_reasons(const struct coverage_values *v, json_t **ret)
{
	_cleanup_free_ char *text = NULL;
	const char *path = or_default(v->refusals, "bench/data/refusals.tsv");
	size_t len;

	*ret = NULL;
	if (!v->refusals && v->table)
		return NULL;
	RK_TRY(rk_fs_read(path, TABLE_MAX, &text, &len));
	return cov_reasons_parse(path, text, len, ret);
}

/* kpatch-build as PATH has it: a result is only as good as the tool it came from. */
static struct rk_err *hash_tool(char ret_hex[RK_SHA256_HEX_SIZE])
{
	const char *path = getenv("PATH");

	for (const char *p = path; p; p = strchr(p, ':')) {
		p += *p == ':';
		size_t len = strcspn(p, ":");
		_cleanup_free_ char *file = rk_asprintf("%.*s/kpatch-build", (int)len, p);
		if (!file)
			return rk_err_nomem();
		if (access(file, X_OK) == 0)
			return rk_sha256_file(file, ret_hex);
	}
	return rk_err(RK_ERR_NOT_FOUND, "'kpatch-build' isn't in PATH");
}

static struct rk_err *only_these(const struct rk_cli *cli, const struct cov_fixes *fixes,
				 struct rk_map *ret)
{
	for (size_t i = 0; i < cli->nr_operands; i++) {
		const char *found = NULL;
		rk_vec_for_each(&fixes->list, fix)
			rk_vec_for_each(&fix->cves, cve)
				if (rk_streq((*cve)->id, cli->operands[i]))
					found = fix->id;
		if (!found)
			return rk_err(RK_ERR_NOT_FOUND, "'%s' isn't in the table",
				      cli->operands[i]);
		if (!rk_map_set(ret, found, (void *)found))
			return rk_err_nomem();
	}
	return NULL;
}

/* Everything of one run that lives as long as it. */
struct session {
	const struct rk_cli *cli;
	const struct coverage_values *values;
	struct rk_target *target; /* NULL when the trees are given */
	struct cov_table table;
	struct cov_fixes fixes;
	struct cov_trees trees;
	char *cache, *state, *older, *newer;
	const char *target_args[4];
	bool is_cold; /* there was no compiled original in the cache */
	struct cov_run run;
};

static void session_deinit(struct session *s)
{
	cov_trees_deinit(&s->trees);
	cov_fixes_deinit(&s->fixes);
	cov_table_deinit(&s->table);
	if (s->target)
		rk_target_close(s->target);
	free(s->cache);
	free(s->state);
	free(s->older);
	free(s->newer);
}

/* How long the whole took: {"cold": {…}, "warm": {…}}, each the last such run. They outlive results, so that both are known. A new
 * reference; NULL if there is none. */
static json_t *load_runs(const struct session *s)
{
	_cleanup_free_ char *path = rk_path_join(s->state, "runs.json");

	return path ? json_load_file(path, 0, NULL) : NULL;
}

static struct rk_err *keep_run(const struct session *s, double seconds)
{
	_cleanup_free_ char *path = rk_path_join(s->state, "runs.json"), *text = NULL;
	json_t *runs = load_runs(s);

	if (!runs)
		runs = json_object();
	json_object_set_new(runs, s->is_cold ? "cold" : "warm",
			    json_pack("{s:f, s:i}", "seconds", seconds, "jobs", (int)s->run.jobs));
	text = json_dumps(runs, JSON_INDENT(1));
	json_decref(runs);
	return path && text ? rk_fs_write(path, text, strlen(text), 0644) : rk_err_nomem();
}

static struct rk_err *write_report(struct session *s)
{
	struct cov_facts facts = {
		.target = s->target_args[1],
		.version = s->target ? s->target->version : "",
		.older = s->target ? s->target->source_version : s->values->older_tree,
		.newer = s->target ? newer_version(s->values) : s->values->newer_tree,
		.processors = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN),
	};
	json_t *document;

	if (s->target && s->target->dir)
		RK_TRY(rk_fs_usage(s->target->dir, &facts.cache_bytes));
	RK_TRY(read_reasons(s->values, &facts.reasons));
	facts.runs = load_runs(s);
	facts.cumulative = cov_load_result(&s->run, "cumulative");
	facts.repeat = cov_load_result(&s->run, "repeat");
	struct rk_err *err = cov_document(&s->run, &facts, &document);
	json_decref(facts.reasons);
	json_decref(facts.runs);
	json_decref(facts.cumulative);
	json_decref(facts.repeat);
	if (err)
		return err;
	err = cov_write_all(document, or_default(s->values->output, "bench"));
	const json_t *summary = json_object_get(document, "summary");
	if (!err)
		printf("built %.0f of %.0f fixes that count (%.1f %%), of %.0f in the table\n",
		       cov_number(summary, "built"), cov_number(summary, "counted"),
		       cov_number(summary, "built_percent"), cov_number(summary, "fixes"));
	json_decref(document);
	return err;
}

/* Figures of the whole are kept beside the fixes' results; result's reference is taken. */
static struct rk_err *keep(struct session *s, const char *name, json_t *result)
{
	struct rk_err *err = result ? cov_save_result(&s->run, name, result) : rk_err_nomem();
	json_decref(result);
	return err;
}

/* Everything from the start, so that the time says something of the whole. */
static struct rk_err *start_afresh(struct session *s)
{
	_cleanup_free_ char *results = rk_path_join(s->state, "results");

	if (!results)
		return rk_err_nomem();
	return s->values->fresh ? rk_fs_remove_tree(results) : NULL;
}

/* Are there compiled originals in the target's cache? */
static bool has_originals(const struct session *s)
{
	_cleanup_free_ char *pattern =
		s->target && s->target->dir ? rk_asprintf("%s/kbuild-*/objects/*", s->target->dir)
					    : NULL;
	glob_t found;

	if (!pattern || glob(pattern, GLOB_NOSORT, NULL, &found) != 0)
		return false;
	globfree(&found);
	return true;
}

static struct rk_err *measure(struct session *s, const struct rk_map *only)
{
	if (s->values->report)
		return NULL;
	double start = rk_clock_seconds();
	RK_TRY(cov_build_all(&s->run, only));
	if (!s->values->no_load)
		RK_TRY(cov_load_all(&s->run, only));
	/* a run that only goes on, or is about some, says nothing of the whole */
	if (s->values->fresh && !only)
		RK_TRY(keep_run(s, rk_clock_seconds() - start));
	return NULL;
}

static struct rk_err *measure_whole(struct session *s)
{
	json_t *result = NULL;

	if (s->values->cumulative) {
		RK_TRY(cov_cumulative(&s->run, &result));
		if (result)
			RK_TRY(keep(s, "cumulative", result));
	}
	if (s->values->repeat) {
		RK_TRY(cov_repeat(&s->run, &result));
		RK_TRY(keep(s, "repeat", result));
	}
	return NULL;
}

/* The target's tree and that of the newer package, or two that are given. */
static struct rk_err *open_trees(struct session *s)
{
	const struct coverage_values *v = s->values;
	const char *version = newer_version(v), *spec = s->target_args[1];
	struct rk_target_options o = {
		.cache_dir = s->cache, .offline = v->offline, .reporter = s->cli->reporter};

	if (v->older_tree && v->newer_tree) {
		RK_TRY(rk_cli_absolute_path(v->older_tree, &s->older));
		RK_TRY(rk_cli_absolute_path(v->newer_tree, &s->newer));
		return cov_trees_compare(s->older, s->newer, &s->trees);
	}
	if (v->older_tree || v->newer_tree)
		return rk_err(RK_ERR_INVALID, "--older-tree and --newer-tree go together");
	RK_TRY(rk_target_open(spec, RK_TARGET_ALL, &o, &s->target));
	s->newer = rk_asprintf("%s/coverage/source-%s", s->cache, version);
	if (!s->newer)
		return rk_err_nomem();
	return cov_trees_open(s->target, version, s->newer, v->offline, s->cli->reporter,
			      &s->trees);
}

static struct rk_err *choose_state(struct session *s)
{
	const struct coverage_values *v = s->values;

	if (v->state)
		return rk_cli_absolute_path(v->state, &s->state);
	s->state = rk_asprintf("%s/coverage/%s-%s", s->cache,
			       s->target ? s->target->release : "trees", newer_version(v));
	return s->state ? NULL : rk_err_nomem();
}

static struct rk_err *run_in(struct session *s)
{
	const struct coverage_values *v = s->values;
	struct rk_map only = {};

	RK_TRY(read_table(or_default(v->table, "bench/data/linux-6.1.171-176.tsv"), &s->table));
	RK_TRY(cov_form(&s->table, joins, NULL, &s->fixes));
	RK_TRY(hash_tool(s->run.tool_sha256));
	RK_TRY(rk_cli_cache_dir(&s->cache));
	RK_TRY(open_trees(s));
	RK_TRY(choose_state(s));
	s->run.state = s->state;
	s->is_cold = !has_originals(s);
	struct rk_err *err = only_these(s->cli, &s->fixes, &only);
	if (!err)
		err = start_afresh(s);
	if (!err)
		err = measure(s, only.nr ? &only : NULL);
	if (!err && !v->report)
		err = measure_whole(s);
	rk_map_deinit(&only);
	return err ? err : write_report(s);
}

static struct rk_err *run(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	const struct coverage_values *v = cli->values;
	_cleanup_(session_deinit) struct session s = {
		.cli = cli,
		.values = v,
		.target_args = {"--target", or_default(v->target, "debian:6.1.0-47-cloud-amd64")},
		.run =
			{
				.jobs = v->jobs ? v->jobs
						: (unsigned int)sysconf(_SC_NPROCESSORS_ONLN),
				.jobs_each = "1",
				.keep_older = v->keep_older,
				.reporter = cli->reporter,
			},
	};

	(void)ret_exit;
	s.run.target_args = s.target_args;
	s.run.trees = &s.trees;
	s.run.fixes = &s.fixes;
	return run_in(&s);
}

static const struct rk_verb verb = {
	.name = "",
	.operands = "[CVE...]",
	.summary = "build and load every fix of a table of CVEs, or these again",
	.options = options,
	.values_size = sizeof(struct coverage_values),
	.max_operands = RK_OPERANDS_MAX,
	.run = run,
};

int main(int argc, char **argv)
{
	static const struct rk_verb *const verbs[] = {&verb, NULL};
	static const struct rk_tool tool = {
		.name = "bench-coverage", .summary = "measure on real fixes", .verbs = verbs};

	return rk_cli_main(&tool, argc, argv);
}
