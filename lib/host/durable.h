/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes of directories that are on the disk when the call returns. */
#ifndef RK_HOST_DURABLE_H
#define RK_HOST_DURABLE_H

#include "lib/base/err.h"

/* fsync of a directory; file systems that can't (EINVAL) promise nothing. */
struct rk_err *rk_durable_dir(const char *dir) __must_use;
/* Removes a file, durably; an absent one is success. */
struct rk_err *rk_durable_unlink(const char *path) __must_use;

#endif
