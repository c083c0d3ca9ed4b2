// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bench-build: a whole build of one fix against the two compiler calls it can't do without. In each round, in turn: a build with no cached
 * original, a build with it, and the bare compiler on the original and the patched units, one after the other. Prints
 * medians, the ratio pair by pair, the split by phase, and what our own process used (compiler and objtool are not it).
 */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "lib/pipeline/build.h"
#include "tools/common/cli.h"
#include "tools/common/render.h"
#include "tools/common/target.h"

#define ROUNDS_MAX 50

struct build_values {
	struct rk_cli_target kernel;
	unsigned int rounds;
};

/* clang-format off */
static const struct rk_option options[] = {
	RK_OPT_TARGET(struct build_values, kernel),
	RK_OPT_UINT('n', "rounds", struct build_values, rounds, "N", "how many rounds (default: 5)"),
	RK_OPT_TARGET_OFFLINE(struct build_values, kernel),
	RK_OPT_END,
};
/* clang-format on */

struct samples {
	double v[ROUNDS_MAX];
	size_t nr;
};

struct bench {
	const struct rk_cli *cli;
	struct rk_target *target;
	struct rk_patch_file *patch;
	struct samples cold, warm, bare, ratio, own, phase[RK_PHASES];
	size_t module_size;
};

static double own_seconds(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void add(struct samples *s, double value)
{
	if (s->nr < ROUNDS_MAX)
		s->v[s->nr++] = value;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

static double median(struct samples *s)
{
	qsort(s->v, s->nr, sizeof(*s->v), compare);
	return s->nr ? s->v[s->nr / 2] : 0;
}

/* One compiler call, nothing around it. */
static struct rk_err *compile_bare(const struct rk_recipe *recipe, const char *root,
				   const char *output)
{
	size_t n = 0;
	while (recipe->cc_argv[n])
		n++;
	const char **argv = calloc(n + 5, sizeof(*argv));
	if (!argv)
		return rk_err_nomem();
	for (size_t i = 0; i < n; i++)
		argv[i] = recipe->cc_argv[i];
	const char *const tail[] = {"-c", "-o", output, recipe->unit, NULL};
	for (size_t i = 0; i < ARRAY_SIZE(tail); i++)
		argv[n + i] = tail[i];
	struct rk_process_spec spec = {.argv = argv, .cwd = root};
	struct rk_process_result result = {};
	struct rk_err *err = rk_process_check(&spec, &result);
	rk_process_result_deinit(&result);
	free(argv);
	return err;
}

static struct rk_err *time_bare(struct bench *b, const struct rk_build *build, const char *work,
				double *ret)
{
	_cleanup_free_ char *output = rk_asprintf("%s/bare.o", work);
	if (!output)
		return rk_err_nomem();
	double start = rk_clock_seconds();
	rk_vec_for_each(&build->units, unit) {
		RK_TRY(compile_bare(unit->recipe, b->target->source, output));
		RK_TRY(compile_bare(unit->recipe, build->view->dir, output));
	}
	*ret = rk_clock_seconds() - start;
	return NULL;
}

static struct rk_err *build_once(struct bench *b, const char *work, double *ret_seconds,
				 struct rk_build **ret)
{
	static const struct rk_reporter silent;
	struct rk_build_options o = {
		.work_dir = work,
		.patches = &b->patch,
		.nr_patches = 1,
		.name = "kpatch_bench",
		.level = 1,
		.replace = true,
		.tool_version = RK_VERSION,
		.reporter = &silent,
	};
	struct rk_build_options *kept = malloc(sizeof(*kept)); /* the build refers to it */
	if (!kept)
		return rk_err_nomem();
	*kept = o;
	double start = rk_clock_seconds();
	struct rk_err *err = rk_build_run(b->target, kept, ret);
	*ret_seconds = rk_clock_seconds() - start;
	if (err)
		free(kept);
	return err;
}

static void end_build(struct rk_build *build)
{
	const struct rk_build_options *kept = build->options;
	rk_build_free(build);
	free((void *)kept);
}

static struct rk_err *check_built(const struct rk_build *build)
{
	return build->module
		       ? NULL
		       : rk_err(RK_ERR_VERDICT, "the fix can't be patched live: take another one");
}

static struct rk_err *run_warm(struct bench *b, const char *top)
{
	_cleanup_free_ char *work = NULL;
	struct rk_build *build;
	double seconds;

	RK_TRY(rk_fs_mkdtemp(top, "warm-", &work));
	RK_TRY(build_once(b, work, &seconds, &build));
	end_build(build);
	add(&b->warm, seconds);
	return NULL;
}

/* The object cache of the target is emptied. */
static struct rk_err *forget_originals(const struct bench *b)
{
	_cleanup_free_ char *pattern = rk_asprintf("%s/kbuild-*/objects", b->target->dir);
	struct rk_err *err = NULL;
	glob_t found;

	if (!pattern)
		return rk_err_nomem();
	if (glob(pattern, 0, NULL, &found) != 0)
		return NULL;
	for (size_t i = 0; i < found.gl_pathc && !err; i++)
		err = rk_fs_remove_tree(found.gl_pathv[i]);
	globfree(&found);
	return err;
}

static struct rk_err *run_round(struct bench *b, const char *top)
{
	_cleanup_free_ char *work = NULL;
	struct rk_build *build;
	double seconds, bare = 0;

	RK_TRY(rk_fs_mkdtemp(top, "cold-", &work));
	RK_TRY(forget_originals(b));
	double own = own_seconds();
	RK_TRY(build_once(b, work, &seconds, &build));
	own = own_seconds() - own;
	struct rk_err *err = check_built(build);
	if (!err)
		err = time_bare(b, build, work, &bare);
	if (!err) {
		add(&b->cold, seconds);
		add(&b->own, own);
		add(&b->bare, bare);
		add(&b->ratio, seconds / bare);
		for (int p = 0; p < RK_PHASES; p++)
			add(&b->phase[p], build->seconds[p]);
		b->module_size = build->module_size;
	}
	end_build(build);
	return err ? err : run_warm(b, top);
}

static void print(struct bench *b)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	double ratio = median(&b->ratio); /* sorts the rounds */
	printf("fix -> module, original not cached  %6.2f s\n", median(&b->cold));
	printf("the two bare compiler calls         %6.2f s\n", median(&b->bare));
	printf("ratio, round by round               %6.2f (%.2f to %.2f in %zu rounds)\n", ratio,
	       b->ratio.v[0], b->ratio.v[b->ratio.nr - 1], b->ratio.nr);
	printf("fix -> module, original cached      %6.2f s\n", median(&b->warm));
	printf("our own code                        %6.2f s of processor time, %ld MiB at most\n",
	       median(&b->own), usage.ru_maxrss / 1024);
	printf("by phase                           ");
	for (int p = 0; p < RK_PHASES; p++)
		printf(" %s %.2f", rk_build_phase_name(p), median(&b->phase[p]));
	printf(" s\nmodule                              %zu bytes\n", b->module_size);
}

static struct rk_err *run_in(struct bench *b, const char *top)
{
	const struct build_values *v = b->cli->values;
	unsigned int rounds = v->rounds ? v->rounds : 5;

	for (unsigned int i = 0; i < rounds && i < ROUNDS_MAX; i++) {
		rk_report_phase(b->cli->reporter, "round", "round %u of %u", i + 1, rounds);
		RK_TRY(run_round(b, top));
	}
	print(b);
	return NULL;
}

static struct rk_err *run(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	struct bench b = {.cli = cli};
	const struct build_values *v = cli->values;
	const char *tmp = getenv("TMPDIR");
	_cleanup_free_ char *top = NULL;

	(void)ret_exit;
	RK_TRY(rk_patch_file_read(cli->operands[0], &b.patch));
	struct rk_err *err = rk_cli_target_open(cli, &v->kernel, RK_TARGET_ALL, &b.target);
	if (!err)
		err = rk_fs_mkdtemp(tmp && *tmp ? tmp : "/tmp", "bench-build-", &top);
	if (!err)
		err = run_in(&b, top);
	if (top)
		rk_err_free(rk_fs_remove_tree(top));
	if (b.target)
		rk_target_close(b.target);
	rk_patch_file_free(b.patch);
	return err;
}

static const struct rk_verb verb = {
	.name = "",
	.operands = "PATCH",
	.summary = "time builds of one fix against the bare compiler",
	.options = options,
	.values_size = sizeof(struct build_values),
	.min_operands = 1,
	.max_operands = 1,
	.run = run,
};

int main(int argc, char **argv)
{
	static const struct rk_verb *const verbs[] = {&verb, NULL};
	static const struct rk_tool tool = {
		.name = "bench-build", .summary = "time builds", .verbs = verbs};

	return rk_cli_main(&tool, argc, argv);
}
