/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where everything of the delivery to one host is. All paths hang below one root, "" on a real host, a directory in tests;
 * /sys, /proc, /dev/kmsg and /boot too, so that a whole host can be a tree of plain files. What the kernel does can't be a
 * file: it goes through a table of calls (struct rk_host_calls), by default lib/livepatch.
 *
 *	/etc/readykernel.conf			config.h
 *	/etc/readykernel/disable		kernel.h: its presence stops all loading
 *	/var/lib/readykernel/state.json		state.h
 *	/var/lib/readykernel/intent.json	intent.h
 *	/var/lib/readykernel/patches/<build-id>/	patches.h
 *	/var/lib/readykernel/trust/		lib/trust (root only)
 *	/var/lib/readykernel/incoming/		what the unprivileged part fetched; never trusted
 *	/var/lib/readykernel/queue/		queue.h (root only)
 *	/run/readykernel/			effective.h; lock
 */
#ifndef RK_HOST_HOST_H
#define RK_HOST_HOST_H

#include <stdint.h>
#include <sys/types.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/progress.h"
#include "lib/livepatch/livepatch.h"

/* What the kernel is asked to do: the functions of lib/livepatch with the same names and contracts. */
struct rk_host_calls {
	struct rk_err *(*list)(void *ctx, struct rk_livepatch_list *ret);
	struct rk_err *(*state)(void *ctx, const char *name, enum rk_livepatch_state *ret);
	struct rk_err *(*insert)(void *ctx, const char *path, const struct rk_reporter *reporter);
	struct rk_err *(*set_enabled)(void *ctx, const char *name, bool enabled);
	struct rk_err *(*remove)(void *ctx, const char *name, unsigned int limit_ms);
	struct rk_err *(*nudge)(void *ctx, const char *name); /* signals tasks in the way */
	struct rk_err *(*blockers)(void *ctx, bool enabling, struct rk_livepatch_blockers *ret);
	void (*sleep_ms)(void *ctx, unsigned int ms);
	unsigned long (*now_ms)(void *ctx); /* monotonic */
	int64_t (*time)(void *ctx);	    /* seconds since 1970 */
};

struct rk_host {
	struct rk_arena arena; /* all strings */
	const char *root;      /* "" or a directory without a slash at the end */
	const char *config_file, *disable_file;
	const char *state_dir, *state_file, *intent_file, *patches_dir, *trust_dir, *incoming_dir,
		*queue_dir;
	const char *run_dir, *lock_file, *effective_file, *cvelist_file;
	const char *sys, *proc, *kmsg, *boot;
	struct rk_livepatch_roots roots; /* sys and proc again, for lib/livepatch */
	uid_t owner;			 /* whose files are believed: 0; in tests the caller's */
	const struct rk_host_calls *calls;
	void *calls_ctx;
	/* Called before each step that changes what is on disk or in the kernel, with a name of the step; NULL outside tests,
	 * which end the process there. */
	void (*step)(void *ctx, const char *step);
	void *step_ctx;
};

/* Paths below root ("" for the real host), calls of the running kernel. owner: 0, or with a root the caller's uid. */
struct rk_err *rk_host_create(const char *root, struct rk_host **ret) __must_use;
void rk_host_free(struct rk_host *host);

/* Makes the directories that root's part needs (state, patches, trust, queue, run). Refuses one that belongs to somebody
 * else or that others can write to: RK_ERR_INVALID. */
struct rk_err *rk_host_prepare(const struct rk_host *host) __must_use;

/* One at a time changes the host: held by every verb that loads, unloads or writes state. Waits; with nowait a holder is
 * RK_ERR_VERDICT. The lock ends when *ret_fd is closed. */
struct rk_err *rk_host_lock(const struct rk_host *host, bool nowait, int *ret_fd) __must_use;

/* Refuses a file or directory (not followed if a link) that isn't owner's or that group or others can write to:
 * RK_ERR_INVALID; an absent one is RK_ERR_SYS with ENOENT. */
struct rk_err *rk_host_check_owner(const struct rk_host *host, const char *path) __must_use;

/* Seconds since 1970 by the host's calls. */
int64_t rk_host_time(const struct rk_host *host);
unsigned long rk_host_now_ms(const struct rk_host *host);

static inline void rk_host_step(const struct rk_host *host, const char *step)
{
	if (host->step)
		host->step(host->step_ctx, step);
}

static inline void rk_cleanup_host(struct rk_host **host)
{
	rk_host_free(*host);
}
#define _cleanup_host_ _cleanup_(rk_cleanup_host)

#endif
