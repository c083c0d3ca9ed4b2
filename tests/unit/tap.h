/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unit tests speak TAP (version 13): one line per check on stdout, diagnostics behind '#'. A test program
 * is a main() that calls checks and ends with `return done_testing();`.
 *
 *	int main(void)
 *	{
 *		is_int(add(1, 2), 3, "adds");
 *		is_err(parse("x"), RK_ERR_FORMAT, "'x' is not a number", "refuses letters");
 *		return done_testing();
 *	}
 */
#ifndef RK_TESTS_UNIT_TAP_H
#define RK_TESTS_UNIT_TAP_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/err.h"

/* Each check returns whether it passed, so that what depends on it can be left out. */
bool tap_ok(const char *file, int line, bool passed, const char *fmt, ...) __printf(4, 5);
bool tap_is_int(const char *file, int line, long long got, long long want, const char *name);
bool tap_is_str(const char *file, int line, const char *got, const char *want, const char *name);
bool tap_is_mem(const char *file, int line, const void *got, size_t got_len, const void *want,
		size_t want_len, const char *name);
void tap_must(const char *file, int line, struct rk_err *err);
bool tap_no_err(const char *file, int line, struct rk_err *err, const char *name);
bool tap_is_err(const char *file, int line, struct rk_err *err, enum rk_err_code code,
		const char *message, const char *name);
bool tap_is_err_like(const char *file, int line, struct rk_err *err, enum rk_err_code code,
		     const char *part, const char *name);

/* ok(cond, "name %d", …) */
#define ok(cond, ...)		tap_ok(__FILE__, __LINE__, (cond), __VA_ARGS__)
#define is_int(got, want, name) tap_is_int(__FILE__, __LINE__, (got), (want), (name))
/* NULL equals NULL only. */
#define is_str(got, want, name) tap_is_str(__FILE__, __LINE__, (got), (want), (name))
#define is_mem(got, got_len, want, want_len, name) \
	tap_is_mem(__FILE__, __LINE__, (got), (got_len), (want), (want_len), (name))
/* These consume err. The message must be equal; with is_err_like() it must contain part. */
#define no_err(err, name) tap_no_err(__FILE__, __LINE__, (err), (name))
#define is_err(err, code, message, name) \
	tap_is_err(__FILE__, __LINE__, (err), (code), (message), (name))
#define is_err_like(err, code, part, name) \
	tap_is_err_like(__FILE__, __LINE__, (err), (code), (part), (name))

/* Counts one check as skipped, with its reason. */
void skip(const char *name, const char *fmt, ...) __printf(2, 3);
/* A line of diagnostics. */
void diag(const char *fmt, ...) __printf(1, 2);
/* Ends the program at once as failed: nothing after this could be tested. */
_Noreturn void bail_out(const char *fmt, ...) __printf(1, 2);
/* bail_out() with err, unless it is NULL: of what a test only needs and doesn't check. */
#define must(err) tap_must(__FILE__, __LINE__, (err))
/* Prints the plan; the exit status of main(): 0 only if there were checks and none failed. */
int done_testing(void) __must_use;

/* A fresh directory for this program, removed by done_testing(). */
const char *tap_tmpdir(void);

#endif
