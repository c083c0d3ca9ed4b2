/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the guest's records to a result: the receiving end of protocol.h. */
#ifndef RK_VM_EVENTS_H
#define RK_VM_EVENTS_H

#include <time.h>

#include "lib/vm/vm.h"

struct rk_vm_events {
	const struct rk_vm_steps *steps;
	void (*on_step)(void *ctx, size_t step); /* a step begins; or NULL */
	void *on_step_ctx;
	struct rk_vm_result *result; /* its steps vector has one element for each step */
	struct timespec started;
	size_t step; /* under way, or RK_VM_STEP_BOOT */
	bool is_in_step;
	struct rk_str other; /* lines that are no records: QEMU's own words */
	bool failed;	     /* out of memory */
};

/* Takes one line. Records of unknown kind or with wrong fields are dropped: a dying guest may cut one short. */
void rk_vm_events_line(struct rk_vm_events *events, const char *line);

/* The guest is gone: a step under way becomes RK_VM_DIED. */
void rk_vm_events_end(struct rk_vm_events *events);

#endif
