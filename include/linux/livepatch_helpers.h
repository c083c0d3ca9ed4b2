/* SPDX-License-Identifier: GPL-2.0 */
/* Kernels that have this header of their own use theirs; for those before it, what patches expect of it. */
#ifndef KPATCH_LIVEPATCH_HELPERS_H
#define KPATCH_LIVEPATCH_HELPERS_H

#include "../kpatch-macros.h"
#include "../kpatch-syscall.h"

#endif
