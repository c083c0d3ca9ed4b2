/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bench-command: how long a command takes and how much memory it needs at most, the median of many runs. */
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/process.h"
#include "tools/common/cli.h"

#define DEFAULT_ROUNDS 21
#define LIMIT_MS       300000
#define STATUS_MAX     5 /* of 'readykernel status': a verdict is no failure */

struct command_values {
	unsigned int rounds;
};

static const struct rk_option options[] = {
	RK_OPT_UINT('n', "rounds", struct command_values, rounds, "N",
		    "run it so often (default: 21)"),
	RK_OPT_END,
};

struct rounds {
	rk_vec(double) seconds, cpu, kib;
};

static struct rk_err *run_once(const char *const *argv, struct rounds *rounds)
{
	struct rk_process_spec spec = {.argv = argv, .timeout_ms = LIMIT_MS};
	_cleanup_process_result_ struct rk_process_result result = {};

	RK_TRY(rk_process_run(&spec, &result));
	if (result.status > STATUS_MAX)
		return rk_err(RK_ERR_TOOL, "'%s' ended with status %d: %s", argv[0], result.status,
			      rk_str_get(&result.output));
	if (!rk_vec_push(&rounds->seconds, result.seconds) ||
	    !rk_vec_push(&rounds->cpu, result.cpu_seconds) ||
	    !rk_vec_push(&rounds->kib, (double)result.peak_kib))
		return rk_err_nomem();
	return NULL;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void show(struct rounds *rounds)
{
	size_t nr = rounds->seconds.nr;

	qsort(rounds->seconds.v, nr, sizeof(double), compare);
	qsort(rounds->cpu.v, nr, sizeof(double), compare);
	qsort(rounds->kib.v, nr, sizeof(double), compare);
	/* processor time means something also while others work */
	printf("median %7.1f ms (%.1f to %.1f), processor %6.1f ms, %.1f MB\n",
	       rounds->seconds.v[nr / 2] * 1e3, rounds->seconds.v[0] * 1e3,
	       rounds->seconds.v[nr - 1] * 1e3, rounds->cpu.v[nr / 2] * 1e3,
	       rounds->kib.v[nr / 2] * 1024 / 1e6);
}

static struct rk_err *bench(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	const struct command_values *values = cli->values;
	unsigned int wanted = values->rounds ? values->rounds : DEFAULT_ROUNDS;
	const char **argv = calloc(cli->nr_operands + 1, sizeof(*argv));
	struct rounds rounds = {};
	struct rk_err *err = argv ? NULL : rk_err_nomem();

	for (size_t i = 0; i < cli->nr_operands && !err; i++)
		argv[i] = cli->operands[i];
	for (unsigned int i = 0; i < wanted && !err; i++)
		err = run_once(argv, &rounds);
	if (!err)
		show(&rounds);
	rk_vec_deinit(&rounds.seconds);
	rk_vec_deinit(&rounds.cpu);
	rk_vec_deinit(&rounds.kib);
	free(argv);
	return err;
}

int main(int argc, char **argv)
{
	static const struct rk_verb verb = {
		.name = "",
		.operands = "COMMAND...",
		.summary = "measure time and memory of a command",
		.options = options,
		.values_size = sizeof(struct command_values),
		.min_operands = 1,
		.max_operands = RK_OPERANDS_MAX,
		.run = bench,
	};
	static const struct rk_verb *const verbs[] = {&verb, NULL};
	static const struct rk_tool tool = {
		.name = "bench-command",
		.summary = "measure time and memory of a command",
		.verbs = verbs,
	};

	return rk_cli_main(&tool, argc, argv);
}
