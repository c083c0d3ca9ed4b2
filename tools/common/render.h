/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How results look on the terminal and in JSON. Results are filled first and rendered afterwards;
 * nothing in here decides anything.
 */
#ifndef RK_TOOLS_COMMON_RENDER_H
#define RK_TOOLS_COMMON_RENDER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/base/err.h"
#include "lib/base/finding.h"

/* True when out is a terminal that wants colour: NO_COLOR is empty, TERM isn't "dumb". */
bool rk_render_has_color(FILE *out);

/* "error: <message>", and " [rollback]" behind it for an error of trust (rk_err_is_distrust()). */
void rk_render_error(FILE *out, const struct rk_err *err);
/* "warning: <text>": the work goes on. */
void rk_render_warning(FILE *out, const char *fmt, ...) __printf(2, 3);

/* {"error":{"code":"not-found","message":"…"}}, a new reference, NULL without memory. */
json_t *rk_render_error_json(const struct rk_err *err);

/* One paragraph a finding: severity, unit, symbol, text and code; below it advice, or why it was accepted. Show them in
 * the order of rk_findings_sort(). */
void rk_render_findings(FILE *out, const struct rk_findings *findings);

/* An array of {"code","severity","unit","object","symbol","text","advice","accepted","reason"} (absent members are
 * left out); a new reference, NULL without memory. */
json_t *rk_render_findings_json(const struct rk_findings *findings);

/* A new document {"schema": "<name>/<version>"}: name is "<tool>-<verb>", "kpatch-build-target-list".
 * NULL without memory. */
json_t *rk_render_document(const char *name, int version);

/* Prints doc with a newline on stdout and drops the reference; NULL is reported as out of memory. */
struct rk_err *rk_render_json(json_t *doc) __must_use;

/* "1.4 GB", "12 kB", "0 bytes" (powers of 1000, as apt and ls --si show them). */
#define RK_SIZE_TEXT 32
const char *rk_render_size(uint64_t bytes, char buf[RK_SIZE_TEXT]);

#endif
