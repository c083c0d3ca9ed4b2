// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bench-diff: how fast object pairs of the real kernel are read and compared. Units are chosen by a seed and compiled twice: as
 * the distribution did, and without the second scheduling of instructions, which changes most functions: more than any fix does.
 * Only reading and comparing is timed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "bench/pick.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/diff/diff.h"
#include "tools/common/cli.h"
#include "tools/common/render.h"
#include "tools/common/target.h"

#define DEFAULT_PAIRS 200

struct diff_values {
	struct rk_cli_target kernel;
	unsigned int pairs, seed;
};

/* clang-format off */
static const struct rk_option options[] = {
	RK_OPT_TARGET(struct diff_values, kernel),
	RK_OPT_UINT('n', "pairs", struct diff_values, pairs, "N", "how many pairs (default: 200)"),
	RK_OPT_UINT(0, "seed", struct diff_values, seed, "S", "which units (default: 0)"),
	RK_OPT_TARGET_OFFLINE(struct diff_values, kernel),
	RK_OPT_END,
};
/* clang-format on */

struct bench {
	const struct rk_cli *cli;
	struct rk_target *target;
	struct rk_kbuild *kbuild;
	char *work;
	size_t pairs, not_compiled, functions, included;
	double seconds, slowest;
	const char *slowest_unit;
};

static struct rk_err *compare_pair(struct bench *b, const struct rk_recipe *recipe,
				   const char *orig_path, const char *other_path)
{
	_cleanup_elf_ struct rk_elf *orig = NULL, *other = NULL;
	struct rk_diff *diff;
	double start = rk_clock_seconds();

	RK_TRY(rk_elf_open(orig_path, RK_ELF_LOAD_ALL, &orig));
	RK_TRY(rk_elf_open(other_path, RK_ELF_LOAD_ALL, &other));
	RK_TRY(rk_diff_create(recipe->unit, recipe->object, orig, other, &diff));
	b->functions += diff->functions.nr;
	b->included += diff->included.nr;
	rk_diff_free(diff);
	double seconds = rk_clock_seconds() - start;
	b->seconds += seconds;
	b->pairs++;
	if (seconds > b->slowest) {
		b->slowest = seconds;
		b->slowest_unit = recipe->unit;
	}
	return NULL;
}

/* A unit that doesn't compile by itself (it needs what another step of the kernel's build makes) is left out and counted. */
static struct rk_err *run_one(struct bench *b, const struct rk_recipe *recipe)
{
	static const char *const other_flags[] = {"-fno-schedule-insns2", NULL};
	_cleanup_free_ char *orig = rk_asprintf("%s/orig.o", b->work);
	_cleanup_free_ char *other = rk_asprintf("%s/other.o", b->work);
	struct rk_compile_job jobs[2] = {
		{.recipe = recipe, .output = orig, .root = b->target->source, .is_original = true},
		{.recipe = recipe,
		 .output = other,
		 .root = b->target->source,
		 .extra = other_flags},
	};

	if (!orig || !other)
		return rk_err_nomem();
	struct rk_err *err = rk_compile(b->kbuild, jobs, 2, 2, b->cli->reporter);
	rk_compile_jobs_deinit(jobs, 2);
	if (!err)
		return compare_pair(b, recipe, orig, other);
	if (rk_err_code(err) == RK_ERR_INTERRUPTED)
		return err;
	b->not_compiled++;
	rk_err_free(err);
	return NULL;
}

static struct rk_err *run_all(struct bench *b)
{
	const struct diff_values *v = b->cli->values;
	struct picks picks = {};
	struct rk_err *err = pick_units(b->target, b->kbuild, v->pairs ? v->pairs : DEFAULT_PAIRS,
					v->seed, b->cli->reporter, &picks);

	rk_report_phase(b->cli->reporter, "compare", "compiling and comparing %zu pairs",
			picks.list.nr);
	for (size_t i = 0; i < picks.list.nr && !err; i++) {
		err = run_one(b, picks.list.v[i]);
		rk_report_advance(b->cli->reporter, i, picks.list.nr, "pairs");
	}
	rk_vec_deinit(&picks.list);
	return err;
}

static struct rk_err *print(const struct bench *b)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	double per_second = b->seconds > 0 ? (double)b->pairs / b->seconds : 0;

	if (b->cli->json) {
		json_t *doc = rk_render_document("bench-diff", 1);
		json_object_set_new(doc, "pairs", json_integer((json_int_t)b->pairs));
		json_object_set_new(doc, "not_compiled", json_integer((json_int_t)b->not_compiled));
		json_object_set_new(doc, "seconds", json_real(b->seconds));
		json_object_set_new(doc, "pairs_per_second", json_real(per_second));
		json_object_set_new(doc, "changed_functions",
				    json_integer((json_int_t)b->functions));
		json_object_set_new(doc, "peak_kib", json_integer(usage.ru_maxrss));
		return rk_render_json(doc);
	}
	printf("pairs              %zu, %zu units left out\n", b->pairs, b->not_compiled);
	printf("reading, comparing %.2f s, %.1f pairs/s\n", b->seconds, per_second);
	printf("slowest            %.0f ms, %s\n", b->slowest * 1e3,
	       b->slowest_unit ? b->slowest_unit : "-");
	printf("changed functions  %zu, included spans %zu\n", b->functions, b->included);
	printf("peak memory        %ld MiB\n", usage.ru_maxrss / 1024);
	return NULL;
}

static void bench_deinit(struct bench *b)
{
	if (b->kbuild)
		rk_kbuild_close(b->kbuild);
	if (b->target)
		rk_target_close(b->target);
	if (b->work)
		rk_err_free(rk_fs_remove_tree(b->work));
	free(b->work);
}

static struct rk_err *run(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	_cleanup_(bench_deinit) struct bench b = {.cli = cli};
	const struct diff_values *v = cli->values;
	const char *tmp = getenv("TMPDIR");

	(void)ret_exit;
	RK_TRY(rk_cli_target_open(cli, &v->kernel, RK_TARGET_ALL, &b.target));
	RK_TRY(rk_kbuild_open(b.target, cli->reporter, &b.kbuild));
	RK_TRY(rk_fs_mkdtemp(tmp && *tmp ? tmp : "/tmp", "bench-diff-", &b.work));
	RK_TRY(run_all(&b));
	return print(&b);
}

static const struct rk_verb verb = {
	.name = "",
	.summary = "time reading and comparing object pairs",
	.options = options,
	.values_size = sizeof(struct diff_values),
	.has_json = true,
	.run = run,
};

int main(int argc, char **argv)
{
	static const struct rk_verb *const verbs[] = {&verb, NULL};
	static const struct rk_tool tool = {
		.name = "bench-diff", .summary = "time the diff", .verbs = verbs};

	return rk_cli_main(&tool, argc, argv);
}
