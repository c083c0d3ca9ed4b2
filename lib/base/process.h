/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Running other programs: no shell, explicit argv and environment, output captured or sent to a
 * file, a limit in time, and an end when the user interrupts. Every child is a process group of its
 * own, so that ending it ends what it started.
 */
#ifndef RK_BASE_PROCESS_H
#define RK_BASE_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

struct rk_process_spec {
	const char *const *argv; /* NULL-terminated; argv[0] is looked up in PATH */
	const char *const *env;	 /* NULL-terminated "K=V": the whole environment; NULL inherits */
	const char *cwd;	 /* NULL inherits */
	const char *stdin_path;	 /* NULL: /dev/null */
	const char *output_path; /* stdout and stderr go to this file (truncated); NULL: captured */
	unsigned int timeout_ms; /* 0: none */
	const unsigned int
		*more_ms; /* added to timeout_ms; may grow from on_line(). NULL: nothing */
	/* Called for each captured line as it comes (without newline), or NULL. */
	void (*on_line)(void *ctx, const char *line);
	void *on_line_ctx;
};

struct rk_process; /* a started child */

struct rk_process_result {
	int status;	      /* exit status; 128 + signal if it was killed */
	struct rk_str output; /* captured stdout and stderr in the order they came (at most
				 * RK_PROCESS_OUTPUT_MAX bytes; the middle is cut) */
	double seconds;	      /* wall time */
	double cpu_seconds;   /* user + system of the child and its waited-for children */
	long peak_kib;	      /* largest resident set */
};

#define RK_PROCESS_OUTPUT_MAX (4u << 20)

void rk_process_result_deinit(struct rk_process_result *res);

/* Starts spec. Everything spec points to must live until rk_process_wait(). */
struct rk_err *rk_process_start(const struct rk_process_spec *spec, struct rk_process **ret)
	__must_use;
/* Waits for one, frees it. A non-zero exit status is not an error here: look at ret->status.
 * Errors: RK_ERR_TIMEOUT, RK_ERR_INTERRUPTED (the child's group has been killed and reaped), RK_ERR_SYS. */
struct rk_err *rk_process_wait(struct rk_process *process, struct rk_process_result *ret)
	__must_use;
/* Start and wait. */
struct rk_err *rk_process_run(const struct rk_process_spec *spec, struct rk_process_result *ret)
	__must_use;
/* Start and wait; a non-zero status is RK_ERR_TOOL with the last lines of the output. */
struct rk_err *rk_process_check(const struct rk_process_spec *spec, struct rk_process_result *ret)
	__must_use;

/* Set from a signal handler; every wait in this library ends with RK_ERR_INTERRUPTED soon after. */
void rk_interrupt(void);
bool rk_is_interrupted(void);

#define _cleanup_process_result_ _cleanup_(rk_process_result_deinit)

#endif
