/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the verbs of readykernel share: this host as lib/host sees it and what it trusts as lib/trust sees it, opened together and
 * as far as a verb needs it.
 */
#ifndef READYKERNEL_CLIENT_H
#define READYKERNEL_CLIENT_H

#include <jansson.h>

#include "lib/host/apply.h"
#include "lib/host/kernel.h"
#include "lib/host/patches.h"
#include "lib/host/settings.h"
#include "lib/host/state.h"
#include "lib/host/status.h"
#include "lib/trust/licence.h"
#include "lib/trust/store.h"
#include "tools/common/cli.h"

extern const struct rk_verb readykernel_info, readykernel_status, readykernel_uname,
	readykernel_cvelist, readykernel_patches, readykernel_check_update, readykernel_update,
	readykernel_load, readykernel_unload, readykernel_rollback, readykernel_autoupdate_enable,
	readykernel_autoupdate_disable, readykernel_autoload_enable, readykernel_autoload_disable,
	readykernel_freeze, readykernel_licence_install, readykernel_licence_status,
	readykernel_licence_remove, readykernel_bundle_install, readykernel_doctor,
	readykernel_mok_enroll, readykernel_boot, readykernel_confirm, readykernel_shutdown;

/* The option every verb has. */
struct readykernel_common {
	const char *root;
};
/* member: the path to it within type. */
#define READYKERNEL_OPT_ROOT(type, member)         \
	RK_OPT_STR(0, "root", type, member, "DIR", \
		   "the host whose files are below DIR, in place of this one")
/* For verbs without options of their own. */
extern const struct rk_option readykernel_root_options[];

enum readykernel_need {
	READYKERNEL_READ,	 /* anybody may, nothing is changed */
	READYKERNEL_CHANGE,	 /* root; one at a time: RK_ERR_VERDICT names who is at it */
	READYKERNEL_CHANGE_WAIT, /* the same, after READYKERNEL_LOCK_MS: for units */
	READYKERNEL_UNLOAD,	 /* as CHANGE, also where what is installed can't be believed */
	READYKERNEL_SHUTDOWN,	 /* as CHANGE_WAIT, likewise */
};

/* As long as an update that was told to end may need for it. */
#define READYKERNEL_LOCK_MS 30000

struct readykernel {
	const struct rk_cli *cli;
	enum readykernel_need need;
	struct rk_arena arena;
	struct rk_host *host;
	struct rk_settings *settings;
	struct rk_settings_problems problems;
	struct rk_host_kernel *kernel;
	struct rk_host_state *state;
	struct rk_patches *patches; /* of the running kernel */
	struct rk_trust *trust;	    /* NULL: nothing is trusted yet; problem says why */
	struct rk_err *trust_problem;
	const struct rk_release
		*release;	    /* of this kernel and the channel, newest known; or NULL */
	struct rk_licence *licence; /* or NULL */
	struct rk_err *licence_problem;
	int lock;
};

#define READYKERNEL_INIT   \
	{                  \
		.lock = -1 \
	}

/* *ret is READYKERNEL_INIT before. Call readykernel_close() in any case. */
struct rk_err *readykernel_open(const struct rk_cli *cli, const char *root,
				enum readykernel_need need, struct readykernel *ret) __must_use;
void readykernel_close(struct readykernel *rk);

/* One at a time fetches, with or without the host's lock: RK_ERR_VERDICT names who is at it. It ends when *ret_fd is closed. */
struct rk_err *readykernel_lock_fetch(const struct readykernel *rk, int *ret_fd) __must_use;

/* For the time in which this host isn't changed: gives the lock up, and takes it again, however long that takes. State and patches are
 * read anew then; an interrupted caller waits READYKERNEL_LOCK_MS. */
void readykernel_leave(struct readykernel *rk);
struct rk_err *readykernel_enter(struct readykernel *rk) __must_use;

/* Reads what is installed anew. */
struct rk_err *readykernel_reread_patches(struct readykernel *rk) __must_use;

/* The exit status of an operation's error: Uptrack's numbers where it has one, else those of all our tools. */
int readykernel_exit(const struct rk_err *err);

#define _cleanup_readykernel_ _cleanup_(readykernel_close)

/* --- trusted.c: what lib/trust says, in lib/host's words --- */

/* In rk->arena, NULL without memory. */
const char *readykernel_root_file(struct readykernel *rk);
const char *readykernel_licence_file(struct readykernel *rk);

/* Opens rk->trust and what depends on it; a store that can't be used is no error here, but rk->trust_problem. */
struct rk_err *readykernel_open_trust(struct readykernel *rk) __must_use;
/* Gives up the store, which has a lock of its own. */
void readykernel_close_trust(struct readykernel *rk);
/* Release and licence anew, after what they depend on changed. */
struct rk_err *readykernel_reread_trust(struct readykernel *rk) __must_use;
/* The problem, for verbs that can't do without trust. */
struct rk_err *readykernel_need_trust(struct readykernel *rk) __must_use;

/* What the newest timestamp says of levels; valid as long as rk. */
struct rk_policy readykernel_policy(struct readykernel *rk);
/* What the release says of a level, as a record. Strings are the release's, lists in arena. */
struct rk_err *readykernel_record(const struct rk_release *release,
				  const struct rk_release_level *level, struct rk_arena *arena,
				  struct rk_patch *ret) __must_use;
/* rk_apply.verify: the level's own signed file, held against the root that is trusted now, and the module against it; a level
 * that its publisher blocked or withdrew is RK_ERR_VERDICT. ctx: struct readykernel. */
struct rk_err *readykernel_verify(void *ctx, const struct rk_patch *patch) __must_use;

enum rk_licence_state readykernel_licence_state(const struct readykernel *rk);
/* The reason why nothing may be fetched: a licence that ended (RK_ERR_EXPIRED) or that is wrong. Without one there is none. */
struct rk_err *readykernel_may_fetch(const struct readykernel *rk) __must_use;

/* --- overview.c: what info and status show --- */

/* Valid as long as rk and until it changes. */
struct rk_err *readykernel_overview(struct readykernel *rk, struct rk_status **ret) __must_use;
/* Renews what other programs read: /run/readykernel, metrics. */
struct rk_err *readykernel_publish(struct readykernel *rk) __must_use;

/* A level as people write it. RK_ERR_INVALID. */
struct rk_err *readykernel_parse_level(const char *text, uint64_t *ret) __must_use;

/* --- change.c: loading and unloading, and what is told of it --- */

/* Whether patch could be loaded now; changes nothing. */
struct rk_err *readykernel_check_patch(struct readykernel *rk, const struct rk_patch *patch)
	__must_use;
/* Loads patch and, with wait, watches it for its quiet time. What failed is in the state, too. */
struct rk_err *readykernel_load_patch(struct readykernel *rk, const struct rk_patch *patch,
				      bool force, bool wait, enum rk_exit *ret_exit) __must_use;
/* Watches what is loaded until it is good. */
struct rk_err *readykernel_watch(struct readykernel *rk, enum rk_exit *ret_exit) __must_use;
/* The same for a load whose watch was cut off; nothing when there is none. */
struct rk_err *readykernel_resume_watch(struct readykernel *rk) __must_use;
/* all: live patches of others, too. */
struct rk_err *readykernel_unload_patch(struct readykernel *rk, bool all, enum rk_exit *ret_exit)
	__must_use;
/* At boot: what the last one ended with, and the level that is loaded now. */
struct rk_err *readykernel_boot_patch(struct readykernel *rk, enum rk_exit *ret_exit) __must_use;

/* --- update.c: from the repository, or a bundle, to an installed level --- */

struct readykernel_update {
	const char *bundle; /* path of a bundle; NULL: the repository */
	bool fetch;	    /* and install the level that is chosen */
	bool begin_anew;    /* what the host saw before its store was removed doesn't count */
	uint64_t level;	    /* this one, and no other; 0: the best */
};

struct readykernel_updated {
	uint64_t loaded, chosen; /* levels; 0: none */
	enum rk_level_state loaded_state;
	bool is_downgrade; /* chosen takes the place of a withdrawn level */
	bool is_known;	   /* the repository has levels for this kernel */
	bool installed;	   /* chosen came to this disk just now */
};

/* Renews what is trusted, chooses the level that this host should have, installs it; loads nothing. The outcome is in the state. While
 * something is fetched others may change this host: state and patches are read anew then. */
struct rk_err *readykernel_renew(struct readykernel *rk, const struct readykernel_update *what,
				 struct readykernel_updated *ret) __must_use;

/* --- report.c --- */

/* Sends what is queued to report_url, if there is one. That it fails is noted, and no error of the verb's. The last that a verb does: it
 * leaves this host to others. */
void readykernel_report(struct readykernel *rk);

/* --- prune.c --- */

/* Removes levels that nobody will want again; what was read of them (struct rk_patch) is gone, too. */
struct rk_err *readykernel_prune(struct readykernel *rk) __must_use;

#endif
