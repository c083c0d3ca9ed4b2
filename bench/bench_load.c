// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bench-load: what 'kpatch load' costs beyond the kernel's own work: the time of the whole program, from its start to its end, less what it
 * measured of finit_module and the transition. In turns with it runs a bare loader that does these two and nothing else. Runs in a
 * guest, as root. --pace measures the machine: the same work in a guest and outside tells how much slower the guest is.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "tools/common/cli.h"

#define DEFAULT_ROUNDS 10
#define LIMIT_MS       300000
#define POLL_MS	       10 /* as often as kpatch looks */
#define PACE_STEPS     50000000
#define PACE_STARTS    20
#define PACE_FILES     5000

struct load_values {
	unsigned int rounds;
	bool bare;
	bool pace;
};

static const struct rk_option options[] = {
	RK_OPT_UINT('n', "rounds", struct load_values, rounds, "N",
		    "load and unload so often (default: 10)"),
	RK_OPT_FLAG(0, "bare", struct load_values, bare,
		    "only insert the module and wait for its transition"),
	RK_OPT_FLAG(0, "pace", struct load_values, pace,
		    "measure the machine instead: MODULE is a command that is started"),
	RK_OPT_END,
};

/* --- the bare loader --- */

static bool is_moving(const char *name)
{
	_cleanup_free_ char *path = rk_asprintf("/sys/kernel/livepatch/%s/transition", name);
	_cleanup_close_ int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	char c = '0';

	return fd >= 0 && read(fd, &c, 1) == 1 && c == '1';
}

static struct rk_err *load_bare(const char *file)
{
	const struct timespec pause = {.tv_nsec = POLL_MS * 1000000L};
	const char *base = strrchr(file, '/');
	_cleanup_free_ char *name = strdup(base ? base + 1 : file);
	_cleanup_close_ int fd = open(file, O_RDONLY | O_CLOEXEC);
	double start = rk_clock_seconds(), inserted;

	if (!name)
		return rk_err_nomem();
	name[strcspn(name, ".")] = 0;
	if (fd < 0 || syscall(SYS_finit_module, fd, "", 0))
		return rk_err_sys(errno, "cannot load '%s'", file);
	inserted = rk_clock_seconds();
	while (is_moving(name))
		nanosleep(&pause, NULL);
	printf("insert %.3f s, transition %.3f s\n", inserted - start,
	       rk_clock_seconds() - inserted);
	return NULL;
}

/* --- the machine --- */

static double compute(void)
{
	double start = rk_clock_seconds();
	volatile unsigned long sink;
	unsigned long x = 88172645463325252UL;

	for (unsigned int i = 0; i < PACE_STEPS; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
	}
	sink = x;
	(void)sink;
	return rk_clock_seconds() - start;
}

static struct rk_err *run(const char *const *argv, struct rk_process_result *ret)
{
	struct rk_process_spec spec = {.argv = argv, .timeout_ms = LIMIT_MS};

	return rk_process_check(&spec, ret);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* What a program that looks at processes does most: a small file of the kernel, opened, read, closed. */
static double read_files(void)
{
	double start = rk_clock_seconds();
	char text[4096];

	for (unsigned int i = 0; i < PACE_FILES; i++) {
		_cleanup_close_ int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);

		while (read(fd, text, sizeof(text)) > 0)
			;
	}
	return rk_clock_seconds() - start;
}

/* For bench/run-load: seconds of computing, of reading files, and of one start of the command. */
static struct rk_err *measure_pace(const char *command)
{
	const char *const argv[] = {command, "--version", NULL};
	double starts[PACE_STARTS], computing = compute(), reading = read_files();

	for (unsigned int i = 0; i < PACE_STARTS; i++) {
		_cleanup_process_result_ struct rk_process_result result = {};

		RK_TRY(run(argv, &result));
		starts[i] = result.seconds;
	}
	qsort(starts, PACE_STARTS, sizeof(*starts), compare);
	printf("pace %.6f %.6f %.6f\n", computing, reading, starts[PACE_STARTS / 2]);
	return NULL;
}

/* --- the rounds --- */

enum part {
	OWN,	    /* of kpatch load, less the kernel's two */
	BARE,	    /* the same of the bare loader */
	START,	    /* a start of kpatch that does nothing */
	CHECKS,	    /* start and checks */
	INSERT,	    /* finit_module */
	TRANSITION, /* as the kernel's work sees it: once a second */
	PARTS
};

static const char *const part_names[PARTS] = {
	[OWN] = "kpatch load, its own", [BARE] = "a bare loader's own", [START] = "kpatch's start",
	[CHECKS] = "start and checks",	[INSERT] = "finit_module",	[TRANSITION] = "transition",
};

struct rounds {
	rk_vec(double) seconds[PARTS];
};

static struct rk_err *add(struct rounds *rounds, enum part part, double seconds)
{
	return rk_vec_push(&rounds->seconds[part], seconds) ? NULL : rk_err_nomem();
}

static struct rk_err *add_run(struct rounds *rounds, enum part part, const char *const *argv)
{
	_cleanup_process_result_ struct rk_process_result result = {};

	RK_TRY(run(argv, &result));
	return add(rounds, part, result.seconds);
}

/* A load that tells its two times. */
static struct rk_err *add_load(struct rounds *rounds, enum part part, const char *const *argv)
{
	const char *const unload[] = {"kpatch", "unload", "--all", NULL};
	_cleanup_process_result_ struct rk_process_result result = {}, unloaded = {};
	double insert, transition;
	const char *line;

	RK_TRY(run(argv, &result));
	line = strstr(rk_str_get(&result.output), "insert ");
	if (!line || sscanf(line, "insert %lf s, transition %lf s", &insert, &transition) != 2)
		return rk_err(RK_ERR_FORMAT, "'%s' doesn't tell its times: %s", argv[0],
			      rk_str_get(&result.output));
	RK_TRY(add(rounds, part, result.seconds - insert - transition));
	RK_TRY(add(rounds, INSERT, insert));
	RK_TRY(add(rounds, TRANSITION, transition));
	return run(unload, &unloaded);
}

static struct rk_err *add_round(struct rounds *rounds, const char *file)
{
	const char *const load[] = {"kpatch", "load", "--verbose", file, NULL};
	const char *const bare[] = {"bench-load", "--bare", file, NULL};
	const char *const start[] = {"kpatch", "--version", NULL};
	const char *const check[] = {"kpatch", "load", "--check", file, NULL};

	RK_TRY(add_load(rounds, BARE, bare));
	RK_TRY(add_run(rounds, START, start));
	RK_TRY(add_run(rounds, CHECKS, check));
	return add_load(rounds, OWN, load);
}

static void show(struct rounds *rounds)
{
	for (enum part part = 0; part < PARTS; part++) {
		size_t nr = rounds->seconds[part].nr;
		double *v = rounds->seconds[part].v;

		qsort(v, nr, sizeof(*v), compare);
		printf("%-22s median %8.1f ms (%.1f to %.1f)\n", part_names[part], v[nr / 2] * 1000,
		       v[0] * 1000, v[nr - 1] * 1000);
	}
}

static struct rk_err *bench(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	const struct load_values *values = cli->values;
	unsigned int wanted = values->rounds ? values->rounds : DEFAULT_ROUNDS;
	struct rounds rounds = {};
	struct rk_err *err = NULL;

	(void)ret_exit;
	if (values->pace)
		return measure_pace(cli->operands[0]);
	if (values->bare)
		return load_bare(cli->operands[0]);
	for (unsigned int i = 0; i < wanted && !err; i++)
		err = add_round(&rounds, cli->operands[0]);
	if (!err)
		show(&rounds);
	for (enum part part = 0; part < PARTS; part++)
		rk_vec_deinit(&rounds.seconds[part]);
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
