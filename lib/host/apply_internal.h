/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files of the apply sequence and the boot logic. */
#ifndef RK_HOST_APPLY_INTERNAL_H
#define RK_HOST_APPLY_INTERNAL_H

#include "lib/host/apply.h"

/* Is this, byte for byte, the module of this level, and for the kernel that runs? Sets code when it isn't. */
struct rk_err *rk_apply_verify(const struct rk_apply *apply, const struct rk_patch *patch,
			       enum rk_apply_code *ret_code) __must_use;

/* Writes down how it ended (last_error, a message in the queue), and sets ret->code. err may be NULL. Returns err, or, when there was none,
 * what went wrong in writing. */
struct rk_err *rk_apply_end(const struct rk_apply *apply, enum rk_apply_code code, uint64_t level,
			    struct rk_err *err, struct rk_apply_result *ret) __must_use;

/* The level of this load is good: state, then the record goes. */
struct rk_err *rk_apply_mark_good(const struct rk_apply *apply, const struct rk_intent *intent)
	__must_use;

/* Puts {"code","level","build_id","release","text"} into the queue; that it can't be kept is only noted. */
void rk_apply_report(const struct rk_host *host, const struct rk_host_kernel *kernel,
		     const struct rk_reporter *reporter, const char *kind, const char *code,
		     uint64_t level, const char *text);

/* What the kernel's clean-up and waiting may take, by the configuration. */
struct rk_livepatch_patience rk_apply_patience(const struct rk_settings *settings);

#endif
