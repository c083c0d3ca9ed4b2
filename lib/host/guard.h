/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What kpatch(8) loads at boot, kept from doing so for ever: each patch is in a record that is durable before the kernel gets the module.
 * One that the host went down with, without a shutdown, is left out at the next boots until somebody loads or installs it by command.
 * It needs nothing of readykernel's; what readykernel blocked is left out, too.
 */
#ifndef RK_HOST_GUARD_H
#define RK_HOST_GUARD_H

#include "lib/base/vec.h"
#include "lib/host/host.h"

#define RK_GUARD_SCHEMA "kpatch-boot/1"
#define RK_GUARD_MAX	(1u << 20)
/* What crash_window and crash_limit are when nobody says otherwise (readykernel.conf(5)). */
#define RK_GUARD_WINDOW \
	600 /* seconds: a host that goes down so soon after the last load does so because of it */
#define RK_GUARD_LIMIT \
	3 /* boots in a row that ended without a shutdown, however long they lasted */

enum rk_guard_phase {
	RK_GUARD_IDLE,	  /* not loaded in this boot; only its count is kept */
	RK_GUARD_LOADING, /* from before the load until the kernel has taken or refused it */
	RK_GUARD_LOADED,
	RK_GUARD_SKIPPED, /* the host went down with it */
	RK_GUARD_PHASES
};

/* A file of that content: another one of the same name is another patch. */
struct rk_guarded {
	const char *name, *sha256;
	enum rk_guard_phase phase;
	uint32_t unclean;   /* boots in a row that ended without a shutdown while it was loaded */
	const char *reason; /* of RK_GUARD_SKIPPED; "" */
};

struct rk_guard {
	struct rk_arena arena; /* all strings */
	const char *path;
	const char *boot_id; /* of the boot that the phases are of */
	int64_t at;	     /* seconds since 1970: the last load */
	bool stopped;	     /* the host was shut down in order after it */
	rk_vec(struct rk_guarded) patches;
};

/*
 * The record. keep: as of this boot, one of another boot is judged, and all that is written down; else as it is. One that can't be
 * believed is RK_ERR_STATE; with keep it is set aside, and what is called next begins anew.
 */
struct rk_err *rk_guard_open(const struct rk_host *host, bool keep, struct rk_guard **ret)
	__must_use;
void rk_guard_free(struct rk_guard *guard);

/* NULL, or why this patch isn't to be loaded at boot, RK_ERR_VERDICT with what to do. */
struct rk_err *rk_guard_check(const struct rk_guard *guard, const char *name, const char *sha256)
	__must_use;
/* The same for a level of readykernel's; a state that can't be read forbids nothing. */
struct rk_err *rk_guard_check_level(const struct rk_host *host, const char *build_id,
				    uint64_t level) __must_use;

/* Durable when it returns: the kernel may get the module. */
struct rk_err *rk_guard_begin(const struct rk_host *host, struct rk_guard *guard, const char *name,
			      const char *sha256) __must_use;
/* Afterwards; one that isn't loaded has nothing to do with what happens from here on. */
struct rk_err *rk_guard_end(struct rk_guard *guard, const char *name, const char *sha256,
			    bool loaded) __must_use;

/* The host is being shut down in order: what is loaded is not to blame for it. */
struct rk_err *rk_guard_stopped(const struct rk_host *host) __must_use;
/* Somebody wants name to be tried again. */
struct rk_err *rk_guard_retry(const struct rk_host *host, const char *name) __must_use;
/* Somebody unloaded name. */
struct rk_err *rk_guard_unloaded(const struct rk_host *host, const char *name) __must_use;

static inline void rk_cleanup_guard(struct rk_guard **guard)
{
	rk_guard_free(*guard);
}
#define _cleanup_guard_ _cleanup_(rk_cleanup_guard)

#endif
