/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files of kpatch-test. */
#ifndef RK_KPATCH_TEST_H
#define RK_KPATCH_TEST_H

#include <jansson.h>
#include <stdio.h>

#include "lib/vm/test.h"
#include "tools/common/cli.h"

extern const struct rk_verb verb_test;

/* Where results go as they come. */
struct results {
	size_t nr_modules;
	const char *output; /* --output or NULL */
	const struct rk_cli *cli;
	json_t *document; /* of one module: its evidence; of several: their entries, at the end the summary */
	size_t nr, failed;
};

/* An rk_vm_on_test: ctx is the struct results. Writes the evidence of one module. */
struct rk_err *results_add(void *ctx, const struct rk_vm_test *test) __must_use;
/* Shows the whole; writes summary.json for several modules with --output. */
struct rk_err *results_finish(struct results *results, const struct rk_vm_tests *tests,
			      enum rk_exit *ret_exit) __must_use;
void results_deinit(struct results *results);

/* Shows what happened: the steps with their times, what scripts printed (all of it when verbose), the verdict. */
void report_test(FILE *out, const struct rk_vm_test *test, bool verbose);

/* One of several: the verdict in one line, reasons and notes below it. */
void report_test_line(FILE *out, const struct rk_vm_test *test);

/* The last line about several. */
void report_tests(FILE *out, const struct rk_vm_tests *tests, size_t failed);

#endif
