/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel source of a target: what of it is unpacked, and the list of what it consists of. */
#ifndef RK_TARGET_SOURCE_TREE_H
#define RK_TARGET_SOURCE_TREE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"

#define RK_SOURCE_FILES "source-files.txt" /* every file of the source package, one path a line */
#define RK_SOURCE_SUMS	"source.sha256"	   /* those that are unpacked, as sha256sum(1) wants them */

/* Whether compiling x86 kernel code may need path; the rest stays packed. */
bool rk_source_tree_needs(const char *path);

/* Unpacks the archive nested in deb to build_dir/source and writes the two lists beside it. */
struct rk_err *rk_source_tree_unpack(const char *deb, const char *nested, const char *build_dir,
				     _Atomic uint64_t *packed, const atomic_bool *cancel)
	__must_use;

#endif
