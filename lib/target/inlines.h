/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The index of inlined functions of one target: what it is made from, and when. See inline_index.h for what is in it. */
#ifndef RK_TARGET_INLINES_H
#define RK_TARGET_INLINES_H

#include "lib/base/arena.h"
#include "lib/base/progress.h"
#include "lib/target/inline_index.h"
#include "lib/target/target.h"

#define RK_INLINES "inlines" /* in a target's build part */

/* Adds each module below dir that the builder doesn't have, as one of which no debug info is there. */
struct rk_err *rk_inlines_add_unknown(struct rk_inline_builder *builder, const char *dir)
	__must_use;

/*
 * Opens the target's index. One that was made while the target was fetched is taken as it is; else it is made from vmlinux and the modules
 * as they are now, kept, and made again when one of them changes. Errors: RK_ERR_FORMAT (index or debug info damaged), RK_ERR_SYS,
 * RK_ERR_INTERRUPTED.
 */
struct rk_err *rk_target_inlines(const struct rk_target *target, unsigned int jobs,
				 const struct rk_reporter *reporter, struct rk_inline_index **ret)
	__must_use;

#endif
