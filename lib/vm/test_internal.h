/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The three parts of a test: what to do, doing it, what it means. */
#ifndef RK_VM_TEST_INTERNAL_H
#define RK_VM_TEST_INTERNAL_H

#include "lib/vm/test.h"

/* Fills test->steps and writes the initramfs to path. */
struct rk_err *rk_vm_test_plan(struct rk_vm_test *test, const char *path) __must_use;

/* Fills troubles, reasons and notes from the run. */
struct rk_err *rk_vm_test_judge(struct rk_vm_test *test) __must_use;

#endif
