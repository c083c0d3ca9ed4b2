/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What host and guest say to each other: records of text fields, one a line. The list of steps goes into the guest
 * as a file of records, what happens comes back as marked records over the guest's second serial port. Both
 * sides compile this file, so a step or record looks the same to both.
 *
 * Records from the guest (fields behind the mark):
 *   hello RELEASE VERSION BUILD-ID          the kernel is up, init runs
 *   begin STEP                              STEP counts from 0
 *   out STEP TEXT                           a line that a script printed
 *   note STEP TEXT                          a thing worth saying
 *   task STEP PID COMM STACK                a task that holds the step up
 *   end STEP ok|failed|timeout SECONDS TEXT
 *   log PRIORITY SECONDS TEXT               a line of the kernel's log
 *   bye                                     all steps are over, the guest ends
 */
#ifndef RK_VM_PROTOCOL_H
#define RK_VM_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/str.h"
#include "lib/base/vec.h"

#define RK_VM_MARK	 "@rk\t"
#define RK_VM_FIELDS_MAX 8
#define RK_VM_PORT	 "/dev/ttyS1" /* in the guest */
#define RK_VM_STEPS_PATH "/kpatch-test/steps"
/* One line a function: klp object, name, position as in sysfs (1 for a unique name), separated by tabs. */
#define RK_VM_FUNCTION_FIELDS 3
#define RK_VM_FILES_DIR	      "/files" /* where --file puts things; scripts start there */

enum rk_vm_verb {
	RK_VM_INSMOD, /* path: a stock module */
	RK_VM_LOAD,   /* path: the patch module; arg: its name. Ends when the transition does */
	RK_VM_CHECK,  /* path: a script; arg: the phase it is run in */
	RK_VM_UNLOAD, /* arg: the patch module's name. Disable, wait for the transition, remove */
	RK_VM_FUNCTIONS, /* path: a list (RK_VM_FUNCTION_FIELDS), arg: the patch module's name. All are replaced */
	RK_VM_REPLACED, /* arg: the patch that a newer one took the place of: remove it; path: "" when it may also stay */
	RK_VM_UNLOAD_REST, /* arg: a patch module's name. RK_VM_UNLOAD if it is still there */
	RK_VM_VERBS
};

struct rk_vm_step {
	enum rk_vm_verb verb;
	unsigned int limit_s; /* LOAD, UNLOAD: of the transition; else of the whole step */
	unsigned int work_s; /* of redirecting the functions: the kernel does one after the other */
	bool optional; /* a failure doesn't fail the test (stock modules without their hardware) */
	unsigned int
		group; /* a failed step ends its group; the next one follows if no live patch is left */
	const char *title; /* "load", "check before": for people, unique in a list */
	const char *path;  /* in the guest; "" if the verb has none */
	const char *arg;   /* "" if the verb has none */
	const char *patch; /* name of the patch module that is tested: for scripts */
};

/* All strings are in the arena of whoever made the list. */
struct rk_vm_steps {
	rk_vec(struct rk_vm_step) list;
};

const char *rk_vm_verb_name(enum rk_vm_verb verb);

/* Appends one record with its newline: fields separated by tabs; backslash, tab, newline and other control bytes escaped. */
void rk_vm_record_add(struct rk_str *str, const char *const *fields, size_t nr);

/* Splits a record in place into at most max fields and unescapes them; what is beyond is dropped. */
size_t rk_vm_record_split(char *line, char **fields, size_t max);

/* The list as a file of records, and back. Errors: RK_ERR_NOMEM; RK_ERR_FORMAT names the line. */
struct rk_err *rk_vm_steps_format(const struct rk_vm_steps *steps, struct rk_str *ret) __must_use;
struct rk_err *rk_vm_steps_parse(const char *text, struct rk_arena *arena, struct rk_vm_steps *ret)
	__must_use;

#endif
