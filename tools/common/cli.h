/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every tool's main() does: find the verb, parse, run it, show its error, exit with the status
 * that fits. The tables are described in option.h.
 */
#ifndef RK_TOOLS_COMMON_CLI_H
#define RK_TOOLS_COMMON_CLI_H

#include "lib/base/progress.h"
#include "tools/common/option.h"

/* What a verb's run() gets. Everything is valid until it returns. */
struct rk_cli {
	const struct rk_tool *tool;
	const struct rk_verb *verb;
	const void *values;	     /* the verb's struct */
	const char *const *operands; /* nr_operands, in order */
	size_t nr_operands;
	bool json; /* print one JSON document on stdout (render.h) and nothing else there */
	bool quiet;
	bool verbose;
	const struct rk_reporter *reporter; /* hand it to the library; silent with --quiet */
	struct rk_progress *progress;	    /* behind it */
};

/*
 * The whole of main(). run() prints its result on stdout (render.h) and sets *ret_exit; an error it
 * returns is shown here ("error: …" on stderr, or as JSON on stdout with --json) and decides the
 * status: RK_ERR_INVALID is usage, RK_ERR_VERDICT a negative verdict, RK_ERR_INTERRUPTED ends as
 * killed by the signal that came, everything else failed.
 */
int rk_cli_main(const struct rk_tool *tool, int argc, char **argv);

/* Shows what was printed on stdout so far. Only needed by what prints while work goes on: while progress is drawn on a
 * terminal, stdout is kept until the end, lest both mix. */
void rk_cli_flush(const struct rk_cli *cli);

/* Where downloads and prepared targets are kept: $XDG_CACHE_HOME/readykernel, else
 * $HOME/.cache/readykernel. *ret is malloc'ed; the directory may not exist yet. */
struct rk_err *rk_cli_cache_dir(char **ret) __must_use;

/* path as seen from the working directory of the caller, absolute; *ret is malloc'ed. */
struct rk_err *rk_cli_absolute_path(const char *path, char **ret) __must_use;

#endif
