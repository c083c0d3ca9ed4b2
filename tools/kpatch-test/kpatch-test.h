/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files of kpatch-test. */
#ifndef RK_KPATCH_TEST_H
#define RK_KPATCH_TEST_H

#include <stdio.h>

#include "lib/vm/test.h"
#include "tools/common/option.h"

extern const struct rk_verb verb_test;

/* Shows what happened: the steps with their times, what scripts printed (all of it when verbose), the verdict. */
void report_test(FILE *out, const struct rk_vm_test *test, bool verbose);

#endif
