/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From argv to exit status. The first SIGINT or SIGTERM asks the work to stop, so that it can clean up;
 * another one, once it had time for that, ends the tool at once.
 */
#include "tools/common/cli.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/base/fs.h"
#include "lib/base/process.h"
#include "tools/common/help.h"
#include "tools/common/progress.h"
#include "tools/common/render.h"

#define OUTPUT_KEPT (1u << 20) /* what is longer appears before the end */

static volatile sig_atomic_t caught_signal;

/* timeout(1) and some shells signal the process and its group: the second signal comes with the first. */
#define CLEANUP_SECONDS 2

static void on_signal(int sig)
{
	static time_t first;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (!caught_signal) {
		caught_signal = sig;
		first = now.tv_sec;
		rk_interrupt();
		return;
	}
	if (now.tv_sec - first < CLEANUP_SECONDS)
		return;
	signal(sig, SIG_DFL);
	raise(sig);
}

static void catch_signals(void)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		struct sigaction old;

		/* nohup and background jobs of a script have them ignored: keep that. */
		if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaction(signals[i], &(struct sigaction){.sa_handler = on_signal}, NULL);
	}
	/* A reader that went away shows as a failed write, after which we still clean up. */
	signal(SIGPIPE, SIG_IGN);
}

/* What was printed must have arrived: a full disk is a failure, a closed pipe is the reader's choice. */
static int finish_stdout(int status)
{
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	if (errno != EPIPE)
		fprintf(stderr, "error: cannot write to standard output: %s\n",
			errno ? strerror(errno) : "output is incomplete");
	return status == RK_EXIT_DONE ? RK_EXIT_FAILED : status;
}

static int print(const struct rk_str *text)
{
	_cleanup_err_ struct rk_err *err = rk_str_check(text);

	if (err) {
		rk_render_error(stderr, err);
		return RK_EXIT_FAILED;
	}
	fputs(rk_str_get(text), stdout);
	return finish_stdout(RK_EXIT_DONE);
}

static void show_error(const struct rk_err *err, bool json)
{
	json_t *doc = json ? rk_render_error_json(err) : NULL;

	if (!doc) {
		rk_render_error(stderr, err);
		return;
	}
	_cleanup_err_ struct rk_err *print_err = rk_render_json(doc);
	if (print_err)
		rk_render_error(stderr, err);
}

static void show_try(const struct rk_tool *tool, const struct rk_verb *verb)
{
	bool named = verb && *verb->name;

	fprintf(stderr, "try '%s%s%s --help'\n", tool->name, named ? " " : "",
		named ? verb->name : "");
}

static int exit_of(const struct rk_tool *tool, const struct rk_err *err)
{
	if (tool->exit_of)
		return tool->exit_of(err);
	switch (rk_err_code(err)) {
	case RK_ERR_INVALID: return RK_EXIT_USAGE;
	case RK_ERR_VERDICT: return RK_EXIT_VERDICT;
	default: return rk_err_is_distrust(err) ? RK_EXIT_VERDICT : RK_EXIT_FAILED;
	}
}

/* Ends as the signal would have ended us, so that the caller's shell and make see it. */
static int end_interrupted(void)
{
	signal(caught_signal, SIG_DFL);
	raise(caught_signal);
	return RK_EXIT_FAILED; /* reached only if the signal is blocked */
}

void rk_cli_flush(const struct rk_cli *cli)
{
	rk_progress_pause(cli->progress);
	fflush(stdout);
}

/* What is printed appears when the live line is gone: at the end, or with rk_cli_flush(). */
static void keep_output(enum rk_progress_style style)
{
	static char buffer[OUTPUT_KEPT];

	if (style == RK_PROGRESS_LIVE)
		setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
}

static int run(const struct rk_tool *tool, const struct rk_parsed *parsed)
{
	enum rk_exit status = RK_EXIT_DONE;
	enum rk_progress_style style = rk_progress_style(parsed->common.quiet);
	struct rk_progress *progress = NULL;
	_cleanup_err_ struct rk_err *err =
		rk_progress_create(style, parsed->common.verbose, &progress);

	if (!err) {
		keep_output(style);
		struct rk_cli cli = {
			.tool = tool,
			.verb = parsed->verb,
			.values = parsed->values,
			.operands = parsed->operands.v,
			.nr_operands = parsed->operands.nr,
			.json = parsed->common.json,
			.quiet = parsed->common.quiet,
			.verbose = parsed->common.verbose,
			.reporter = rk_progress_reporter(progress),
			.progress = progress,
		};

		err = parsed->verb->run(&cli, &status);
	}
	rk_progress_destroy(progress);
	if (err) {
		fflush(stdout);
		status = (enum rk_exit)exit_of(tool, err);
		show_error(err, parsed->common.json);
		if (rk_err_code(err) == RK_ERR_INVALID && !parsed->common.json)
			show_try(tool, parsed->verb);
		if (rk_err_code(err) == RK_ERR_INTERRUPTED && caught_signal) {
			fflush(stdout);
			return end_interrupted();
		}
	}
	return finish_stdout((int)status);
}

static bool has_word(int argc, char **argv, const char *word)
{
	for (int i = 0; i < argc && !rk_streq(argv[i], "--"); i++) {
		if (rk_streq(argv[i], word))
			return true;
	}
	return false;
}

static int fail_usage(const struct rk_tool *tool, const struct rk_verb *verb,
		      const struct rk_err *err, bool json)
{
	show_error(err, json);
	if (!json)
		show_try(tool, verb);
	return finish_stdout(exit_of(tool, err));
}

static int show_help(const struct rk_tool *tool, const struct rk_verb *verb)
{
	_cleanup_str_ struct rk_str text = RK_STR_INIT;

	rk_help(&text, tool, verb);
	return print(&text);
}

/* --version, and what build scripts and tests ask for. False if argv is none of these. */
static bool run_tool_option(const struct rk_tool *tool, int argc, char **argv, int *ret_status)
{
	_cleanup_str_ struct rk_str text = RK_STR_INIT;

	if (argc == 1 && rk_streq(argv[0], "--version")) {
		rk_str_addf(&text, "%s %s\n", tool->name, RK_VERSION);
	} else if (argc == 1 && rk_streq(argv[0], "--list-options")) {
		rk_help_list_options(&text, tool);
	} else if (argc == 2 && rk_streq(argv[0], "--completion")) {
		_cleanup_err_ struct rk_err *err = rk_help_completion(&text, tool, argv[1]);

		if (err) {
			*ret_status = fail_usage(tool, NULL, err, false);
			return true;
		}
	} else if (argc == 1 && (rk_streq(argv[0], "--help") || rk_streq(argv[0], "-h"))) {
		rk_help(&text, tool, NULL);
	} else {
		return false;
	}
	*ret_status = print(&text);
	return true;
}

static void cleanup_parsed(struct rk_parsed *parsed)
{
	rk_parsed_deinit(parsed);
}

int rk_cli_main(const struct rk_tool *tool, int argc, char **argv)
{
	_cleanup_(cleanup_parsed) struct rk_parsed parsed = {};
	int words, status;

	if (argc > 0) {
		argc--;
		argv++;
	}
	catch_signals();
	if (run_tool_option(tool, argc, argv, &status))
		return status;

	bool json = has_word(argc, argv, "--json");
	_cleanup_err_ struct rk_err *err = rk_verb_find(tool, argc, argv, &parsed.verb, &words);
	if (!err)
		err = rk_options_parse(argc - words, argv + words, &parsed);
	if (err)
		return fail_usage(tool, parsed.verb, err, json);
	if (parsed.common.help)
		return show_help(tool, parsed.verb);
	return run(tool, &parsed);
}

struct rk_err *rk_cli_absolute_path(const char *path, char **ret)
{
	_cleanup_free_ char *cwd = path[0] == '/' ? strdup("/") : getcwd(NULL, 0);

	if (!cwd)
		return rk_err_sys(errno, "cannot read the working directory");
	char *absolute = rk_path_join(cwd, path);
	if (!absolute)
		return rk_err_nomem();
	*ret = absolute;
	return NULL;
}

struct rk_err *rk_cli_cache_dir(char **ret)
{
	const char *cache = getenv("XDG_CACHE_HOME");
	const char *home = getenv("HOME");
	char *dir;

	/* The XDG base directory specification: a relative path is to be ignored. */
	if (cache && cache[0] == '/')
		dir = rk_path_join(cache, "readykernel");
	else if (home && home[0] == '/')
		dir = rk_path_join(home, ".cache/readykernel");
	else
		return rk_err(RK_ERR_INVALID,
			      "no cache directory: set XDG_CACHE_HOME or HOME, or use --cache");
	if (!dir)
		return rk_err_nomem();
	*ret = dir;
	return NULL;
}
