/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files of the guest's init. */
#ifndef RK_KPATCH_TEST_GUEST_H
#define RK_KPATCH_TEST_GUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/vm/protocol.h"

struct guest {
	int port; /* where records go */
	int kmsg; /* the kernel's log, or -1 */
};

enum guest_outcome {
	GUEST_OK,
	GUEST_FAILED,
	GUEST_TIMEOUT
};

/* Sends one record; the list of fields ends with NULL. */
void guest_say(int fd, const char *kind, ...) __attribute__((sentinel));

/* Sends what the kernel logged since the last call. */
void guest_relay_log(const struct guest *guest);

double guest_seconds(void); /* of the monotonic clock */

/* Runs one step in a process of its own, relays what it says, ends it at its limit. */
enum guest_outcome guest_run_step(const struct guest *guest, size_t index,
				  const struct rk_vm_step *step);

/* What a step does, in its own process; standard output is the pipe to init. Does not return. */
_Noreturn void guest_do_step(const struct rk_vm_step *step);

#endif
