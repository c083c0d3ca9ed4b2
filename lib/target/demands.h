/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a kernel's configuration must be like, so that it can be patched live and its units compiled one by one. */
#ifndef RK_TARGET_DEMANDS_H
#define RK_TARGET_DEMANDS_H

#include "lib/base/err.h"

/* Reads the .config at path. RK_ERR_UNSUPPORTED names the first option that is in the way, and why. */
struct rk_err *rk_demands_check(const char *path) __must_use;

#endif
