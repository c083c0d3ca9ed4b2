/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the process that talks to servers gives up before it does. */
#ifndef READYKERNEL_SANDBOX_H
#define READYKERNEL_SANDBOX_H

#include <stdint.h>

#include "lib/base/err.h"

/*
 * For the rest of this process's life: no new privileges, no core, no file larger than max_file bytes, few descriptors; writing only
 * below the working directory (Landlock, where the kernel has it); no other program, no namespace, no module, no tracing
 * (seccomp). What a kernel lacks of it is left out: the user that it runs as is what matters most.
 */
struct rk_err *readykernel_sandbox(uint64_t max_file) __must_use;

#endif
