/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The apply sequence: verify, record the intent, load, wait for the transition (signal, then take back), watch the kernel log for a
 * quiet time, mark good. Each step leaves the host so that the next boot knows what to do, wherever the power goes. The
 * caller holds rk_host_lock().
 */
#ifndef RK_HOST_APPLY_H
#define RK_HOST_APPLY_H

#include "lib/host/intent.h"
#include "lib/host/kernel.h"
#include "lib/host/patches.h"
#include "lib/host/settings.h"
#include "lib/host/state.h"

/* How a change ended: state's last_error, --json, refusals in the queue. */
enum rk_apply_code {
	RK_APPLY_OK,
	RK_APPLY_ALREADY,      /* nothing to do: it is loaded (or, unloading, nothing is) */
	RK_APPLY_DISABLED,     /* command line or disable file */
	RK_APPLY_BLOCKED,      /* blocked on this host; force lifts it */
	RK_APPLY_UNVERIFIED,   /* signature, hash, or record; nothing was loaded */
	RK_APPLY_WRONG_KERNEL, /* build-id, version or release; nothing was loaded */
	RK_APPLY_NO_INTENT,    /* the record couldn't be written (disk full); nothing was loaded */
	RK_APPLY_REFUSED,      /* checks before the load, or the kernel, said no */
	RK_APPLY_BUSY,	       /* another live patch is in transition */
	RK_APPLY_STALLED,      /* the transition didn't end; it was taken back */
	RK_APPLY_STUCK,	       /* and couldn't be taken back: still in transition */
	RK_APPLY_WARNED,       /* the kernel log named the patch in trouble */
	RK_APPLY_CRASHED,      /* the host went down with it */
	RK_APPLY_VANISHED,     /* it was unloaded behind our back while it was watched */
	RK_APPLY_INTERRUPTED,
	RK_APPLY_FAILED, /* anything else; the error tells */
	RK_APPLY_CODES
};
/* "ok", "already", "disabled", "blocked", "unverified", "wrong-kernel", …: stable. */
const char *rk_apply_code_name(enum rk_apply_code code);

/* Watching takes long and changes nothing: meanwhile others may change this host. */
struct rk_apply_pause {
	/* Gives up rk_host_lock(). */
	void (*leave)(void *ctx);
	/* Takes it again, however long somebody else has it, and reads anew what the other may have changed; both are borrowed. */
	struct rk_err *(*enter)(void *ctx, struct rk_host_state **ret_state,
				const struct rk_patches **ret_patches);
	void *ctx;
};

struct rk_apply {
	const struct rk_host *host;
	const struct rk_settings *settings;
	const struct rk_host_kernel *kernel;
	struct rk_host_state *state; /* changed and written */
	/* Is this patch what its publisher signed? Called twice: at the beginning and just before the load. NULL: only the record's hash
	 * counts (unofficial patches). */
	struct rk_err *(*verify)(void *ctx, const struct rk_patch *patch);
	void *verify_ctx;
	bool force;   /* also a level that is blocked here; what was known of it is forgotten */
	bool at_boot; /* no messages in the kernel log before the load count, kpatch.enable=0 does */
	const struct rk_apply_pause *pause; /* NULL: the lock is held while a level is watched */
	const struct rk_reporter *reporter;
};

struct rk_apply_result {
	enum rk_apply_code code;
	uint64_t before, after; /* levels loaded; 0 none */
	uint32_t transition_ms;
	struct rk_livepatch_blockers blockers; /* who held it up, with stacks */
	struct rk_str log;		       /* lines of the kernel log that told of trouble */
	bool restored;			       /* what was loaded before is loaded again */
};
void rk_apply_result_deinit(struct rk_apply_result *result);

/*
 * Loads patch and waits until every task runs it. What is loaded is replaced at once when patch is newer and both are
 * official; else it is unloaded first, and loaded again if patch then fails. Afterwards the level is loaded but not good: go on
 * with rk_apply_confirm(). When it returns an error the host is as it was before (except RK_APPLY_STUCK), state is
 * written, and ret says how; ret is set in any case and to be freed.
 */
struct rk_err *rk_apply_load(const struct rk_apply *apply, const struct rk_patch *patch,
			     struct rk_apply_result *ret) __must_use;

/* The checks that rk_apply_load() begins with, for whoever has to do something before it; nothing is written. */
struct rk_err *rk_apply_check(const struct rk_apply *apply, const struct rk_patch *patch)
	__must_use;

/* Whether a load of this boot is still to be judged and nobody can be at it any more: whoever watched it was killed, or couldn't write. */
struct rk_err *rk_apply_is_unwatched(const struct rk_apply *apply, bool *ret) __must_use;

/*
 * The quiet time of the intent that is on disk: watches the kernel log until quiet_time after the load, then marks the level good. On
 * trouble that names the patch the level is blocked and, unless on_warning = keep, the newest good level takes its
 * place (patches: what is installed). Without an intent of this boot, or when somebody else loaded or unloaded something while apply->pause
 * let them: RK_APPLY_ALREADY, with before the level that is not watched any more. One that is in
 * transition (RK_APPLY_STUCK) is left as it is: RK_ERR_TIMEOUT. rk_interrupt() ends it as
 * RK_APPLY_INTERRUPTED: loaded, not good, and not to be taken for a crash.
 */
struct rk_err *rk_apply_confirm(const struct rk_apply *apply, const struct rk_patches *patches,
				struct rk_apply_result *ret) __must_use;

/* Unloads the loaded patch of ours (and with all also any other live patch); its transition has the same limits and is reversed
 * when it doesn't end. */
struct rk_err *rk_apply_unload(const struct rk_apply *apply, const struct rk_patches *patches,
			       bool all, struct rk_apply_result *ret) __must_use;

/* What is loaded of ours: NULL in *ret if nothing. A live patch that isn't installed by us is reported by its name in *ret_foreign
 * (may be NULL; in arena). */
struct rk_err *rk_apply_loaded(const struct rk_host *host, const struct rk_patches *patches,
			       struct rk_arena *arena, const struct rk_patch **ret,
			       enum rk_livepatch_state *ret_state, const char **ret_foreign)
	__must_use;

static inline void rk_cleanup_apply_result(struct rk_apply_result *result)
{
	rk_apply_result_deinit(result);
}
#define _cleanup_apply_result_ _cleanup_(rk_cleanup_apply_result)

#endif
