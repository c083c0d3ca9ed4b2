/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of a test: what to do and what it takes, doing it, what it means. */
#ifndef RK_VM_TEST_INTERNAL_H
#define RK_VM_TEST_INTERNAL_H

#include "lib/vm/initramfs.h"
#include "lib/vm/stock.h"
#include "lib/vm/test.h"

#define RK_VM_GUEST_BEFORE "/scripts/before"
#define RK_VM_GUEST_AFTER  "/scripts/after"

/* What goes into the guest of one session. */
struct rk_vm_payload {
	const struct rk_vm_test_spec *spec;
	struct rk_initramfs *fs;
	struct rk_stock *stock; /* NULL without modules_dir */
};

/* Starts the initramfs in the file path, with all that every test needs. */
struct rk_err *rk_vm_payload_open(const struct rk_vm_test_spec *spec, const char *path,
				  struct rk_vm_payload *ret) __must_use;
/* Adds the steps and ends the initramfs; payload is closed in any case. */
struct rk_err *rk_vm_payload_finish(struct rk_vm_payload *payload, const struct rk_vm_steps *steps)
	__must_use;
/* Gives up. */
void rk_vm_payload_abandon(struct rk_vm_payload *payload);

/* Fills test->steps and puts what they need into the payload. */
struct rk_err *rk_vm_test_plan(struct rk_vm_test *test, struct rk_vm_payload *payload) __must_use;

/* How long the kernel may take to redirect test's functions once, or to take them out again. */
unsigned int rk_vm_test_work_s(const struct rk_vm_test *test);

/* Moves to run what belongs to the steps first … first + nr - 1. What the guest ended with (panic, console) belongs to the last step
 * that began; what came before the first step belongs to the first. */
struct rk_err *rk_vm_result_cut(struct rk_vm_result *whole, size_t first, size_t nr,
				struct rk_vm_result *ret) __must_use;

/* Fills troubles, reasons and notes from the run. */
struct rk_err *rk_vm_test_judge(struct rk_vm_test *test) __must_use;

/* One more reason why test failed. */
struct rk_err *rk_vm_test_add_reason(struct rk_vm_test *test, const char *fmt, ...)
	__must_use __printf(2, 3);

#endif
