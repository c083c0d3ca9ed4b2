/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A patch is either there or not when this returns: loading waits for the transition, signals, waits on, and takes back what doesn't
 * come to its end; what had to go for it comes back. Nothing is ever forced.
 */
#ifndef RK_LIVEPATCH_APPLY_H
#define RK_LIVEPATCH_APPLY_H

#include "lib/livepatch/plan.h"

struct rk_livepatch_patience {
	unsigned int first_ms; /* for a transition; then the tasks that are left are signalled … */
	unsigned int second_ms;	   /* … and given so long; then it is reversed … */
	unsigned int finish_ms;	   /* … unless no task is left: see rk_livepatch_limits */
	unsigned int reference_ms; /* until nobody refers to a module whose patch is disabled */
	unsigned int tries;	   /* to insert while another transition runs, 2 s apart */
};

/* 15 s, 60 s, 5 min (some thousand functions), 15 s, 5 */
extern const struct rk_livepatch_patience rk_livepatch_patience;

/* What came of it. Filled in also when a function returns an error; start with {} and always deinit. */
struct rk_livepatch_outcome {
	enum rk_livepatch_state state;	       /* of the patch at the end */
	bool stalled;			       /* the transition didn't end in time … */
	struct rk_livepatch_blockers blockers; /* … because of these */
	bool reversed; /* … and was turned round: the patch is disabled again (unloading: enabled) */
	bool restored;	     /* what had been disabled for the new patch is enabled again */
	double insert_s;     /* the kernel's part: finit_module … */
	double transition_s; /* … and the transition */
};
void rk_livepatch_outcome_deinit(struct rk_livepatch_outcome *outcome);

/*
 * Does what plan says for the module at path; what is loaded is written down before (known.h). Modules of patches that are disabled are
 * removed; one that can't be is only reported, unless it has the new one's name. Errors: those of rk_livepatch_insert(),
 * RK_ERR_TIMEOUT (stalled: taken back, or the message says that even that did not end), RK_ERR_INTERRUPTED (taken back as well),
 * RK_ERR_TOOL (it ended in another state).
 */
struct rk_err *rk_livepatch_apply(const struct rk_livepatch_roots *roots, const char *path,
				  const struct rk_module_info *info,
				  const struct rk_livepatch_plan *plan,
				  const struct rk_livepatch_patience *patience,
				  const struct rk_reporter *reporter,
				  struct rk_livepatch_outcome *outcome) __must_use;

/* Disables name, waits until no task runs it, removes its module. A transition that doesn't end is reversed: the patch is enabled again.
 * A module that something still refers to is only reported: outcome->state is RK_LIVEPATCH_DISABLED then. RK_ERR_NOT_FOUND: no such
 * patch is loaded; RK_ERR_TIMEOUT also: it was disabled already, and its module can't be removed. */
struct rk_err *rk_livepatch_unload(const struct rk_livepatch_roots *roots, const char *name,
				   const struct rk_livepatch_patience *patience,
				   const struct rk_reporter *reporter,
				   struct rk_livepatch_outcome *outcome) __must_use;

/* One at a time: what loads or unloads holds this lock. Waits for it; close *ret_fd to give it back. */
struct rk_err *rk_livepatch_lock(const struct rk_livepatch_roots *roots, int *ret_fd) __must_use;

#define _cleanup_outcome_ _cleanup_(rk_livepatch_outcome_deinit)

#endif
