/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a patch comes in when others are there. Cumulative patches follow one another atomically, the greater level takes the place of the
 * smaller; to go back to a smaller one, or from or to a patch outside of the series, what is loaded is disabled first. Modules
 * whose patch is disabled only lie about, and go before anything is loaded.
 */
#ifndef RK_LIVEPATCH_PLAN_H
#define RK_LIVEPATCH_PLAN_H

#include "lib/livepatch/known.h"

enum rk_livepatch_way {
	RK_LIVEPATCH_NOTHING,  /* this very module is enabled */
	RK_LIVEPATCH_CONTINUE, /* it is being enabled: wait for its end */
	RK_LIVEPATCH_TURN,     /* it is being disabled: turn that round */
	RK_LIVEPATCH_ADD,      /* insert it; what is loaded stays below it */
	RK_LIVEPATCH_REPLACE,  /* insert it; the kernel takes it for all others atomically */
	RK_LIVEPATCH_CHANGE,   /* disable and remove what is loaded, then insert it */
	RK_LIVEPATCH_REFUSED,  /* not without disabling what is loaded, which wasn't allowed */
	RK_LIVEPATCH_WAYS
};

/* "nothing", "continue", "turn", "add", "replace", "change", "refused": part of --json. */
const char *rk_livepatch_way_name(enum rk_livepatch_way way);

/* A patch that is there before the new one. */
struct rk_livepatch_before {
	const char *name;
	enum rk_livepatch_state state;
	struct rk_livepatch_known known;
};

struct rk_livepatch_plan {
	struct rk_arena arena;
	struct rk_livepatch_list loaded; /* what it was made from */
	enum rk_livepatch_way way;
	const char *reason; /* one line, "level 3 takes the place of level 2" */
	rk_vec(struct rk_livepatch_before) enabled;  /* also those in transition */
	rk_vec(struct rk_livepatch_before) disabled; /* modules to remove first */
};

/*
 * allow_change: the new one is wanted whatever is loaded ("replace"); without it a patch that needs RK_LIVEPATCH_CHANGE is
 * RK_LIVEPATCH_REFUSED (an error of the check "patches"), and one that isn't cumulative is added on top. Another patch that is in transition
 * is in nobody's way here: inserting waits for its end. ret is untouched on failure.
 */
struct rk_err *rk_livepatch_plan(const struct rk_livepatch_roots *roots,
				 const struct rk_running *running,
				 const struct rk_module_info *info, bool allow_change,
				 struct rk_livepatch_plan *ret) __must_use;
void rk_livepatch_plan_deinit(struct rk_livepatch_plan *plan);

#define _cleanup_plan_ _cleanup_(rk_livepatch_plan_deinit)

#endif
