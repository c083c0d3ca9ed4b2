/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The record of one part of a target ("image", "build"): written last, so that a part without one isn't there;
 * it says what the part came from and what must still be true of it.
 */
#ifndef RK_TARGET_RECORD_H
#define RK_TARGET_RECORD_H

#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/vec.h"

#define RK_RECORD_SCHEMA "readykernel-target-part/1"

struct rk_record_package {
	const char *name, *version, *sha256;
	uint64_t size;
};

struct rk_record {
	struct rk_arena arena; /* all strings of a record that was read */
	const char *id;	       /* of the target */
	const char *release;
	const char *version;
	const char *source_version; /* NULL for explicit paths */
	const char *build_id;	    /* NULL where the kernel has none */
	const char *compiler;	    /* CONFIG_CC_VERSION_TEXT; NULL in an image part */
	const char *origin;	    /* explicit paths: the user's source tree, else NULL */
	uint64_t bytes;		    /* on disk when it was made */
	rk_vec(struct rk_record_package) packages;
};

void rk_record_deinit(struct rk_record *record);
#define _cleanup_record_ _cleanup_(rk_record_deinit)

struct rk_err *rk_record_write(const char *path, const struct rk_record *record) __must_use;
/* RK_ERR_SYS (ENOENT) if there is none, RK_ERR_FORMAT if it isn't a record of this schema. */
struct rk_err *rk_record_read(const char *path, struct rk_record *ret) __must_use;

#endif
