/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where everything of the delivery to one host is. All paths hang below one root, "" on a real host, a directory in tests;
 * /sys, /proc, /dev/kmsg and /boot too, so that a whole host can be a tree of plain files. What can't be a file, the two
 * system calls that load and unload, is replaced through roots (lib/livepatch).
 *
 *	/etc/readykernel.conf			settings.h
 *	/etc/readykernel/disable		kernel.h: its presence stops all loading
 *	/var/lib/readykernel/state.json		state.h
 *	/var/lib/readykernel/intent.json	intent.h
 *	/var/lib/readykernel/kpatch-boot.json	guard.h
 *	/var/lib/readykernel/patches/<build-id>/	patches.h
 *	/var/lib/readykernel/trust/		lib/trust (root only)
 *	/var/lib/readykernel/incoming/		what the unprivileged part fetched; never trusted
 *	/var/lib/readykernel/queue/		queue.h (root only)
 *	/run/readykernel/			effective.h; lock, fetch-lock
 */
#ifndef RK_HOST_HOST_H
#define RK_HOST_HOST_H

#include <stdint.h>
#include <sys/types.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/progress.h"
#include "lib/livepatch/livepatch.h"

struct rk_host {
	struct rk_arena arena; /* all strings */
	const char *root;      /* "" or a directory without a slash at the end */
	const char *config_file, *disable_file;
	const char *state_dir, *state_file, *intent_file, *patches_dir, *trust_dir, *incoming_dir,
		*queue_dir;
	const char *run_dir, *lock_file, *fetch_lock_file, *effective_file, *cvelist_file;
	const char *sys, *proc, *kmsg, *boot;
	struct rk_livepatch_roots roots; /* for lib/livepatch, below the same root */
	uid_t owner;			 /* whose files are believed: 0; in tests the caller's */
	/* Seconds since 1970; NULL: the clock. */
	int64_t (*time)(void *ctx);
	void *time_ctx;
};

/* Paths below root ("" for the real host). owner: 0, or with a root the caller's uid. */
struct rk_err *rk_host_create(const char *root, struct rk_host **ret) __must_use;
void rk_host_free(struct rk_host *host);

/* Makes the directories that root's part needs (state, patches, trust, queue, run). Refuses one that belongs to somebody
 * else or that others can write to: RK_ERR_STATE. */
struct rk_err *rk_host_prepare(const struct rk_host *host) __must_use;

/* One at a time changes the host: held by every verb that loads, unloads or writes state. Waits; with nowait a holder is
 * RK_ERR_VERDICT. The lock ends when *ret_fd is closed. */
struct rk_err *rk_host_lock(const struct rk_host *host, bool nowait, int *ret_fd) __must_use;

/* Refuses a file or directory (not followed if a link) that isn't owner's or that group or others can write to:
 * RK_ERR_STATE; an absent one is RK_ERR_SYS with ENOENT. */
struct rk_err *rk_host_check_owner(const struct rk_host *host, const char *path) __must_use;

/* Renames a file of state_dir that can't be believed to <path>.damaged, durable: out of the way of the next one, for whoever wants to know.
 * An absent one is success. */
struct rk_err *rk_host_set_aside(const struct rk_host *host, const char *path) __must_use;

/* Seconds since 1970. */
int64_t rk_host_time(const struct rk_host *host);

static inline void rk_cleanup_host(struct rk_host **host)
{
	rk_host_free(*host);
}
#define _cleanup_host_ _cleanup_(rk_cleanup_host)

#endif
