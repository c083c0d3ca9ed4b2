/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Progress on stderr. On a terminal one line that shows after a second what is being done, how far it
 * is and for how long, and vanishes when it is done; elsewhere one line per phase. Notes are shown
 * with --verbose; what a user waits for (a lock, a download) is to be a phase.
 */
#ifndef RK_TOOLS_COMMON_PROGRESS_H
#define RK_TOOLS_COMMON_PROGRESS_H

#include <stdbool.h>

#include "lib/base/err.h"
#include "lib/base/progress.h"
#include "lib/base/str.h"

enum rk_progress_style {
	RK_PROGRESS_SILENT, /* --quiet */
	RK_PROGRESS_LINES,  /* one line per phase */
	RK_PROGRESS_LIVE,   /* a terminal: one line that changes */
};

struct rk_progress;

/* The style that fits stderr: a terminal that can move its cursor, or not. */
enum rk_progress_style rk_progress_style(bool quiet);

struct rk_err *rk_progress_create(enum rk_progress_style style, bool verbose,
				  struct rk_progress **ret) __must_use;
/* Clears the line and frees. NULL is allowed. */
void rk_progress_destroy(struct rk_progress *p);

/* Valid until rk_progress_destroy(). */
const struct rk_reporter *rk_progress_reporter(const struct rk_progress *p);

/* Takes the live line off the terminal until the next report, so that other text can be printed. */
void rk_progress_pause(struct rk_progress *p);

/* What the live line says, cut to width columns: "compile: net/ipv4/tcp.c  3/40 units  12 s". */
struct rk_progress_state {
	const char *phase;
	const char *text;
	uint64_t done;
	uint64_t total; /* 0: unknown */
	const char *unit;
	unsigned int seconds;
};
void rk_progress_format(struct rk_str *out, const struct rk_progress_state *state, size_t width);

#endif
