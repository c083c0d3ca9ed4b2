/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "dir:" targets: a kernel that was built on this machine, found by the directory it was built in. */
#ifndef RK_TARGET_BUILD_DIR_H
#define RK_TARGET_BUILD_DIR_H

#include <stdbool.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/target/target.h"

#define RK_DIR_PREFIX "dir:"

bool rk_build_dir_is_spec(const char *spec);

/*
 * spec: "dir:TREE" (a tree that was built in place, or a build directory of 'make O=', whose link "source" leads to the source), or
 * "dir:SOURCE,BUILD"; paths absolute. Sets the explicit paths of ret, in arena, except modules and image where they are given
 * already. Errors: RK_ERR_NOT_FOUND names what isn't there and which step of a kernel's build makes it, RK_ERR_INVALID.
 */
struct rk_err *rk_build_dir_find(const char *spec, struct rk_arena *arena,
				 struct rk_target_options *ret) __must_use;

#endif
