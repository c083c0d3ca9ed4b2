/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bench-coverage: what of the CVE fixes a distribution shipped can be built and loaded as live patches, measured. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/coverage/report.h"
#include "lib/base/fs.h"
#include "lib/source/view.h"
#include "tools/common/cli.h"
#include "tools/common/render.h"

#define TABLE_MAX (64u << 20)

struct coverage_values {
	const char *table, *target, *newer, *newer_dir, *state, *output;
	unsigned int jobs;
	bool offline, report;
};

/* clang-format off */
static const struct rk_option options[] = {
	RK_OPT_GROUP("what is measured"),
	RK_OPT_STR(0, "table", struct coverage_values, table, "FILE", "the CVEs and their files (default: bench/data/linux-6.1.171-176.tsv)"),
	RK_OPT_STR(0, "target", struct coverage_values, target, "TARGET", "the kernel to patch (default: debian:6.1.0-47-cloud-amd64)"),
	RK_OPT_STR(0, "newer", struct coverage_values, newer, "VERSION", "version of the source package that has the fixes (default: 6.1.176-1)"),
	RK_OPT_GROUP("how"),
	RK_OPT_STR(0, "state", struct coverage_values, state, "DIR", "keep modules and results here, to go on from (default: coverage/ in the cache)"),
	RK_OPT_STR('o', "output", struct coverage_values, output, "DIR", "write the table here (default: bench)"),
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

static struct rk_err *write_report(const struct rk_cli *cli, const struct rk_target *target,
				   const struct cov_run *run)
{
	const struct coverage_values *v = cli->values;
	struct cov_facts facts = {
		.target = target,
		.newer = newer_version(v),
		.processors = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN),
	};
	json_t *document;

	if (target->dir)
		RK_TRY(rk_fs_usage(target->dir, &facts.cache_bytes));
	RK_TRY(cov_document(run, &facts, &document));
	struct rk_err *err = cov_write_all(document, or_default(v->output, "bench"));
	const json_t *s = json_object_get(document, "summary");
	if (!err)
		printf("built %.0f of %.0f fixes that count (%.1f %%), of %.0f in the table\n",
		       cov_number(s, "built"), cov_number(s, "counted"),
		       cov_number(s, "built_percent"), cov_number(s, "fixes"));
	json_decref(document);
	return err;
}

static struct rk_err *measure(const struct rk_cli *cli, const struct rk_target *target,
			      struct cov_run *run)
{
	const struct coverage_values *v = cli->values;
	struct rk_map only = {};
	struct rk_err *err = only_these(cli, run->fixes, &only);

	if (!err && !v->report)
		err = cov_build_all(run, only.nr ? &only : NULL);
	rk_map_deinit(&only);
	return err ? err : write_report(cli, target, run);
}

static struct rk_err *with_trees(const struct rk_cli *cli, const struct rk_target *target,
				 struct cov_run *run, const char *cache)
{
	const struct coverage_values *v = cli->values;
	const char *version = newer_version(v);
	_cleanup_cov_table_ struct cov_table table = {};
	_cleanup_cov_fixes_ struct cov_fixes fixes = {};
	_cleanup_cov_trees_ struct cov_trees trees = {};
	_cleanup_free_ char *source = rk_asprintf("%s/coverage/source-%s", cache, version);
	_cleanup_free_ char *state = NULL;

	if (!source)
		return rk_err_nomem();
	RK_TRY(read_table(or_default(v->table, "bench/data/linux-6.1.171-176.tsv"), &table));
	RK_TRY(cov_form(&table, joins, NULL, &fixes));
	RK_TRY(cov_trees_open(target, version, source, v->offline, cli->reporter, &trees));
	if (v->state)
		RK_TRY(rk_cli_absolute_path(v->state, &state));
	else
		state = rk_asprintf("%s/coverage/%s-%s", cache, target->release, version);
	if (!state)
		return rk_err_nomem();
	run->state = state;
	run->trees = &trees;
	run->fixes = &fixes;
	return measure(cli, target, run);
}

static struct rk_err *run(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	const struct coverage_values *v = cli->values;
	const char *spec = or_default(v->target, "debian:6.1.0-47-cloud-amd64");
	const char *const target_args[] = {"--target", spec, "--offline", NULL};
	_cleanup_target_ struct rk_target *target = NULL;
	_cleanup_free_ char *cache = NULL;
	struct cov_run r = {
		.target_args = target_args,
		.jobs = v->jobs ? v->jobs : (unsigned int)sysconf(_SC_NPROCESSORS_ONLN),
		.reporter = cli->reporter,
	};

	(void)ret_exit;
	RK_TRY(hash_tool(r.tool_sha256));
	RK_TRY(rk_cli_cache_dir(&cache));
	struct rk_target_options o = {
		.cache_dir = cache, .offline = v->offline, .reporter = cli->reporter};
	RK_TRY(rk_target_open(spec, RK_TARGET_ALL, &o, &target));
	return with_trees(cli, target, &r, cache);
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
