/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a bootable x86 image says of itself before it is booted. */
#ifndef RK_VM_IMAGE_H
#define RK_VM_IMAGE_H

#include "lib/base/arena.h"
#include "lib/base/err.h"

struct rk_image_info {
	const char *release; /* uname -r */
	const char *version; /* uname -v */
};

/* Reads the version string of a bzImage (x86 boot protocol 2.00 and later, field kernel_version). Strings go to
 * arena. Errors: RK_ERR_SYS, RK_ERR_FORMAT (no bzImage). */
struct rk_err *rk_image_info_read(const char *path, struct rk_arena *arena,
				  struct rk_image_info *ret) __must_use;

#endif
