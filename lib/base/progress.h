/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What long work tells about itself. The library reports, tools render (tools/common/progress.c):
 * lib code never prints. A NULL reporter is allowed everywhere and silent.
 */
#ifndef RK_BASE_PROGRESS_H
#define RK_BASE_PROGRESS_H

#include <stdint.h>

#include "lib/base/cleanup.h"

struct rk_reporter {
	/* A phase begins ("fetch", "compile" …), text says what is done, with subject. */
	void (*phase)(void *ctx, const char *phase, const char *text);
	/* How far the phase is; total 0 when unknown; unit "bytes", "files", "units". */
	void (*advance)(void *ctx, uint64_t done, uint64_t total, const char *unit);
	/* A thing worth saying that is no error (verbose output, retries, what we wait for). */
	void (*note)(void *ctx, const char *text);
	void *ctx;
};

void rk_report_phase(const struct rk_reporter *r, const char *phase, const char *fmt, ...)
	__printf(3, 4);
void rk_report_advance(const struct rk_reporter *r, uint64_t done, uint64_t total,
		       const char *unit);
void rk_report_note(const struct rk_reporter *r, const char *fmt, ...) __printf(2, 3);

#endif
