/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * At boot, before the network: what did the last boot end with, what follows from it, and which level is loaded now. A level the
 * host went down with is blocked until `load --force` or a newer level; the newest good one takes its place.
 */
#ifndef RK_HOST_BOOT_H
#define RK_HOST_BOOT_H

#include "lib/host/apply.h"
#include "lib/host/choose.h"

enum rk_boot_finding {
	RK_BOOT_FINE,
	RK_BOOT_CRASHED,       /* went down while a level was being tried: it is blocked now */
	RK_BOOT_CRASHED_EARLY, /* went down within crash_window of a load: the same */
	RK_BOOT_CRASHED_OFTEN, /* crash_limit boots in a row without a shutdown: the same */
	RK_BOOT_STOPPED,       /* shut down while a level was watched: it is tried again */
	RK_BOOT_FINISHED,      /* it had become good, only the record was left */
	RK_BOOT_DAMAGED,       /* an intent that can't be read: nothing is loaded in this boot */
	RK_BOOT_THIS_BOOT,     /* the intent is of this boot: nothing went down */
	RK_BOOT_FINDINGS
};
const char *rk_boot_finding_name(enum rk_boot_finding finding);

struct rk_boot_review {
	enum rk_boot_finding finding;
	uint64_t level;	  /* concerned, 0 none */
	const char *text; /* one line for the journal; "" when fine; in the state's arena */
};

/* Judges the last boot, writes what follows from it. A shutdown that was noted for this boot is taken back: it goes on. Safe to call any
 * number of times. */
struct rk_err *rk_boot_review(const struct rk_host *host, const struct rk_settings *settings,
			      const struct rk_host_kernel *kernel, struct rk_host_state *state,
			      struct rk_boot_review *ret) __must_use;

/* Review, choose, load. No level for this kernel is no error: RK_APPLY_ALREADY with after 0. If the choice can't be loaded, the next
 * good one is tried. */
struct rk_err *rk_boot_load(const struct rk_apply *apply, const struct rk_patches *patches,
			    const struct rk_policy *policy, struct rk_boot_review *ret_review,
			    struct rk_apply_result *ret) __must_use;

/* The host is being shut down in order (ExecStop of the unit that loaded at boot): what is loaded is not to blame for it. */
struct rk_err *rk_boot_stopped(const struct rk_host *host, const struct rk_host_kernel *kernel,
			       struct rk_host_state *state) __must_use;

/* Somebody else (kpatch) unloaded this module: it is not to blame for what happens from here on, and is not watched any more. */
struct rk_err *rk_boot_unloaded(const struct rk_host *host, const char *name) __must_use;

#endif
