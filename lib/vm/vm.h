/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One boot of one kernel image under QEMU: an initramfs with our init and a list of steps goes in, what happened in each
 * step and all the kernel logged comes out. A guest that panics or hangs is a result, never a hung caller. What the
 * steps mean is decided above (lib/vm/test.h); a list may hold the steps of many modules.
 */
#ifndef RK_VM_VM_H
#define RK_VM_VM_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/str.h"
#include "lib/base/vec.h"
#include "lib/vm/protocol.h"

#define RK_VM_QEMU "qemu-system-x86_64"

enum rk_vm_outcome {
	RK_VM_NOT_RUN, /* the guest ended, or an earlier step failed */
	RK_VM_OK,
	RK_VM_FAILED,
	RK_VM_TIMED_OUT, /* the step's own limit */
	RK_VM_DIED,	 /* the guest ended or hung in it */
	RK_VM_OUTCOMES
};

/* "not-run", "ok", "failed", "timed-out", "died": part of evidence. */
const char *rk_vm_outcome_name(enum rk_vm_outcome outcome);

struct rk_vm_task {
	int pid;
	const char *comm, *stack; /* stack: lines separated by '\n' */
};

struct rk_vm_step_result {
	enum rk_vm_outcome outcome;
	double seconds;		     /* by the guest's clock */
	const char *detail;	     /* why it failed; "" */
	rk_vec(const char *) output; /* lines of a script */
	rk_vec(const char *) notes;
	rk_vec(struct rk_vm_task) tasks; /* that held it up */
	size_t transcript_at;		 /* where it begins in the transcript; 0: it never began */
};

#define RK_VM_STEP_BOOT ((size_t)-1) /* before the first step */

struct rk_vm_log_line {
	unsigned int priority; /* as in <linux/kern_levels.h>: 0 emergency … 7 debug */
	double seconds;	       /* since the kernel started */
	const char *text;
	size_t step; /* under way when it came, or RK_VM_STEP_BOOT */
};

struct rk_vm_machine {
	const char *image;
	const char *initramfs;
	const char *console; /* file for the kernel's console; overwritten */
	unsigned int memory_mib;
	unsigned int cpus;
	unsigned int boot_s;	     /* until init says hello; at most timeout_s */
	unsigned int timeout_s;	     /* of the whole run, as long as more_ms doesn't grow */
	const unsigned int *more_ms; /* added to timeout_s; on_step() may raise it. NULL: nothing */
	void (*on_step)(void *ctx, size_t step); /* a step begins; or NULL */
	void *on_step_ctx;
};

struct rk_vm_result {
	struct rk_arena arena;
	bool is_up;				  /* init said hello */
	bool is_finished;			  /* init said bye */
	bool is_timed_out;			  /* one of the machine's limits ended it */
	const char *release, *version, *build_id; /* as the guest says; NULL unless is_up */
	double boot_seconds;			  /* from the start of QEMU to hello */
	double seconds;				  /* of the whole run */
	rk_vec(struct rk_vm_step_result) steps;	  /* one for each of the list */
	size_t last_step;			  /* the last that began, or RK_VM_STEP_BOOT */
	rk_vec(struct rk_vm_log_line) log;
	struct rk_str transcript; /* what came, in order, readable */
	char *console;		  /* what the console showed; "" */
	const char *panic;	  /* the console's panic line, NULL if there is none */
	int qemu_status;
	const char *qemu_output; /* what QEMU itself said; "" */
};

/* Boots machine, whose initramfs holds init and the same list of steps, and waits for its end. Errors: RK_ERR_NOT_FOUND (no QEMU: says which package),
 * RK_ERR_TOOL (QEMU couldn't start the guest at all), RK_ERR_INTERRUPTED. Free with rk_vm_result_deinit(). */
struct rk_err *rk_vm_boot(const struct rk_vm_machine *machine, const struct rk_vm_steps *steps,
			  struct rk_vm_result *ret) __must_use;
void rk_vm_result_deinit(struct rk_vm_result *result);

/* First line of "qemu-system-x86_64 --version", malloc'ed. RK_ERR_NOT_FOUND when it isn't installed. */
struct rk_err *rk_vm_qemu_version(char **ret) __must_use;

#define _cleanup_vm_result_ _cleanup_(rk_vm_result_deinit)

#endif
