// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bench-load: what kpatch itself costs when it loads a patch: the time of the whole program, from its start to its end, less what it
 * measured of the kernel's own work (finit_module and the transition). Runs in a guest, as root.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/process.h"
#include "lib/base/str.h"
#include "tools/common/cli.h"

#define DEFAULT_ROUNDS 10
#define LIMIT_MS       300000

struct load_values {
	unsigned int rounds;
};

static const struct rk_option options[] = {
	RK_OPT_UINT('n', "rounds", struct load_values, rounds, "N",
		    "load and unload so often (default: 10)"),
	RK_OPT_END,
};

struct rounds {
	rk_vec(double) own, insert, transition, start, checks; /* seconds */
};

static struct rk_err *run(const char *const *argv, struct rk_process_result *ret)
{
	struct rk_process_spec spec = {.argv = argv, .timeout_ms = LIMIT_MS};

	return rk_process_check(&spec, ret);
}

/* What a start of the program costs at least, and what its checks do. */
static struct rk_err *time_part(const char *const *argv, double *ret)
{
	_cleanup_process_result_ struct rk_process_result result = {};

	RK_TRY(run(argv, &result));
	*ret = result.seconds;
	return NULL;
}

static struct rk_err *load_once(const char *file, struct rounds *rounds)
{
	const char *const argv[] = {"kpatch", "load", "--verbose", file, NULL};
	_cleanup_process_result_ struct rk_process_result result = {};
	const char *const start_argv[] = {"kpatch", "--version", NULL};
	const char *const check_argv[] = {"kpatch", "load", "--check", file, NULL};
	double insert, transition, start, checks;
	const char *line;

	RK_TRY(time_part(start_argv, &start));
	RK_TRY(time_part(check_argv, &checks));
	RK_TRY(run(argv, &result));
	line = strstr(rk_str_get(&result.output), "insert ");
	if (!line || sscanf(line, "insert %lf s, transition %lf s", &insert, &transition) != 2)
		return rk_err(RK_ERR_FORMAT, "'kpatch load --verbose' doesn't tell its times: %s",
			      rk_str_get(&result.output));
	if (!rk_vec_push(&rounds->own, result.seconds - insert - transition) ||
	    !rk_vec_push(&rounds->start, start) || !rk_vec_push(&rounds->checks, checks) ||
	    !rk_vec_push(&rounds->insert, insert) || !rk_vec_push(&rounds->transition, transition))
		return rk_err_nomem();
	return NULL;
}

static struct rk_err *unload(void)
{
	const char *const argv[] = {"kpatch", "unload", "--all", NULL};
	_cleanup_process_result_ struct rk_process_result result = {};

	return run(argv, &result);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void show(const char *name, double *seconds, size_t nr)
{
	qsort(seconds, nr, sizeof(*seconds), compare);
	printf("%-12s median %8.1f ms, least %8.1f ms, most %8.1f ms\n", name,
	       seconds[nr / 2] * 1000, seconds[0] * 1000, seconds[nr - 1] * 1000);
}

static struct rk_err *bench(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	const struct load_values *values = cli->values;
	unsigned int wanted = values->rounds ? values->rounds : DEFAULT_ROUNDS;
	struct rounds rounds = {};
	struct rk_err *err = NULL;

	(void)ret_exit;
	for (unsigned int i = 0; i < wanted && !err; i++) {
		err = load_once(cli->operands[0], &rounds);
		if (!err)
			err = unload();
	}
	if (!err) {
		show("kpatch", rounds.own.v, rounds.own.nr);
		show("its start", rounds.start.v, rounds.start.nr);
		show("its checks", rounds.checks.v, rounds.checks.nr);
		show("finit_module", rounds.insert.v, rounds.insert.nr);
		show("transition", rounds.transition.v, rounds.transition.nr);
	}
	rk_vec_deinit(&rounds.own);
	rk_vec_deinit(&rounds.start);
	rk_vec_deinit(&rounds.checks);
	rk_vec_deinit(&rounds.insert);
	rk_vec_deinit(&rounds.transition);
	return err;
}

static const struct rk_verb verb_bench = {
	.name = "",
	.operands = "MODULE",
	.summary = "measure what kpatch adds to the kernel's own work",
	.options = options,
	.values_size = sizeof(struct load_values),
	.min_operands = 1,
	.max_operands = 1,
	.run = bench,
};

int main(int argc, char **argv)
{
	static const struct rk_verb *const verbs[] = {&verb_bench, NULL};
	static const struct rk_tool tool = {
		.name = "bench-load",
		.summary = "measure what kpatch adds to the kernel's own work",
		.verbs = verbs,
	};

	return rk_cli_main(&tool, argc, argv);
}
