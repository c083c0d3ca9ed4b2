/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a host trusts and has seen. It begins with a root that came with the package; every update goes root chain → timestamp →
 * index → release, each authenticated by the one before, at one fixed time (so that nothing expires in mid-run), and is kept
 * only when all of it holds. Versions that were seen never go back.
 *
 * The store is a directory that only its owner (root) may write; what is in it is public. A power cut at any moment leaves
 * the old or the new, never less than was seen. The same code runs twice: in the unprivileged process that fetches
 * (RK_TRUST_READ_ONLY, get() asks a server and keeps what came) and in the privileged one (get() reads what the other kept).
 *
 * How wrong clocks are met: the time of the newest timestamp that was accepted is a signed lower bound. now is never taken as
 * earlier than that; a timestamp issued more than RK_CLOCK_SKEW after now is refused (RK_ERR_CLOCK), since either this host's clock
 * is behind, which would let expired files pass, or the signer's is ahead. The host's own clock is never recorded: one that ran
 * ahead for a while does no lasting harm. A timestamp that is valid for longer than RK_TIMESTAMP_DAYS_MAX is refused as RK_ERR_CLOCK, too.
 */
#ifndef RK_TRUST_STORE_H
#define RK_TRUST_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/trust/metadata.h"

#define RK_CLOCK_SKEW	      (INT64_C(1) * 86400) /* seconds */
#define RK_ROOT_ROTATIONS_MAX 1000 /* roots followed in one update: three a day for a year */

struct rk_trust;

enum rk_trust_mode {
	RK_TRUST_READ_ONLY, /* an update is checked and held in memory only */
	RK_TRUST_READ_WRITE
};

/* Where files come from. */
struct rk_trust_source {
	/*
	 * The file of that name (one of names.h's forms), *ret malloc'ed. It must stop reading after max bytes and return
	 * RK_ERR_TOO_LARGE; RK_ERR_NOT_FOUND when there is none. Anything else ends the update with that error.
	 */
	struct rk_err *(*get)(void *ctx, const char *name, size_t max, char **ret, size_t *ret_len);
	void *ctx;
};

/* What is asked of an update. */
struct rk_trust_request {
	const struct rk_kernel_id
		*kernel; /* build_id must be set; what else is NULL isn't compared */
	enum rk_channel channel;
	int64_t now;	   /* when the update began, by the host's clock */
	bool allow_bundle; /* take a timestamp made for bundles, too */
};

struct rk_trust_news {
	bool root_changed, timestamp_changed, release_changed;
	bool is_known;		/* the repository has a release for this kernel in this channel */
	int64_t clock_behind_s; /* > 0: the host's clock is at least this much behind signed times */
};

/*
 * Opens the store in dir (made if absent and writable; NULL: in memory only), which begins with the root in the file
 * root_path; newer roots in the store must follow from it, one by one. With RK_TRUST_READ_WRITE it waits for another process
 * that has it open so. RK_ERR_STATE when somebody else could write there, a file isn't what was stored, or is older than what
 * was seen; an expired root is no error here.
 */
struct rk_err *rk_trust_open(const char *dir, const char *root_path, enum rk_trust_mode mode,
			     struct rk_trust **ret) __must_use;
void rk_trust_free(struct rk_trust *trust);

/*
 * One update. Nothing is stored and what was known stays in use when it fails; only root rotations that hold are kept, as a newer
 * timestamp can't be checked without them. *ret may be NULL. Errors, beside get()'s: RK_ERR_FORMAT, RK_ERR_KEY, RK_ERR_SIGNATURE,
 * RK_ERR_THRESHOLD, RK_ERR_CHAIN, RK_ERR_EXPIRED, RK_ERR_CLOCK, RK_ERR_ROLLBACK, RK_ERR_MIX, RK_ERR_HASH, RK_ERR_TARGET (the
 * release is for a kernel of that build-id with another release, version or arch), RK_ERR_NAME, RK_ERR_TOO_LARGE, RK_ERR_WITNESS.
 */
struct rk_err *rk_trust_update(struct rk_trust *trust, const struct rk_trust_request *request,
			       const struct rk_trust_source *source, struct rk_trust_news *ret)
	__must_use;

/* What a host knows of earlier updates from elsewhere than its store; 0: nothing. */
struct rk_trust_witness {
	uint64_t root, timestamp; /* versions, of a timestamp that was accepted under that root */
	char build_id[RK_BUILD_ID_LEN_MAX + 1]; /* of the release below; "" */
	enum rk_channel channel;
	uint64_t release; /* version; counts only where nothing else is known */
};

/*
 * For a store that was removed, or replaced by an older one: updates to less than the witness saw are RK_ERR_WITNESS. One that knows no
 * more than the store does is ignored, and a root that takes a key away makes it forget what that key signed, as the store does. NULL
 * takes it away: the host begins anew.
 */
void rk_trust_set_witness(struct rk_trust *trust, const struct rk_trust_witness *witness);

/* All of these are valid until the next update or free. */
const struct rk_root *rk_trust_root(const struct rk_trust *trust);
/* The newest that was accepted, expired or not; NULL before the first update. */
const struct rk_timestamp *rk_trust_timestamp(const struct rk_trust *trust);
/* What is stored for this kernel and channel, verified again as it is read; *ret is NULL when nothing is. The trust owns it. Errors:
 * RK_ERR_STATE, and RK_ERR_KEY, RK_ERR_SIGNATURE or RK_ERR_THRESHOLD when the current root no longer lets its signers sign. */
struct rk_err *rk_trust_release(struct rk_trust *trust, const char *build_id,
				enum rk_channel channel, const struct rk_release **ret) __must_use;
/* The same as the signed file's bytes, to be kept beside what is installed from it; *ret malloc'ed. RK_ERR_NOT_FOUND when nothing is stored. */
struct rk_err *rk_trust_release_bytes(const struct rk_trust *trust, const char *build_id,
				      enum rk_channel channel, char **ret, size_t *ret_len)
	__must_use;

/* A file that was believed under one root or another of the stored chain, and kept since: what is fetched is held against the newest
 * alone. Errors: the newest root's, as of rk_signed_verify(). */
struct rk_err *rk_trust_verify_kept(const struct rk_trust *trust, const struct rk_signed *file,
				    enum rk_role_kind role) __must_use;

/* --- which level --- */

/* rk_timestamp_level_state() of the newest timestamp; all levels are good before the first update. */
enum rk_level_state rk_trust_level_state(const struct rk_trust *trust, const char *build_id,
					 uint64_t level, const struct rk_notice **ret);

struct rk_level_request {
	uint64_t loaded; /* the level that is loaded, 0: none */
	/* Levels this host won't have (blocked after a crash, beyond a freeze), or NULL. */
	bool (*is_refused)(void *ctx, const struct rk_release_level *level);
	void *ctx;
};

enum rk_level_action {
	RK_LEVEL_ACTION_KEEP, /* what is loaded, or nothing when nothing is */
	RK_LEVEL_ACTION_LOAD, /* level, in place of what is loaded */
	RK_LEVEL_ACTION_UNLOAD
};

struct rk_level_choice {
	enum rk_level_action action;
	const struct rk_release_level *level; /* with RK_LEVEL_ACTION_LOAD */
	bool is_downgrade; /* lower than what is loaded, because that was withdrawn */
	enum rk_level_state loaded_state;
};

/*
 * The level of the release (NULL: there is none) that a host should have: the greatest that is good and not refused, if it is greater than what is loaded. A loaded level that was withdrawn makes way for one below: the level it was withdrawn to, or
 * the greatest that may be used, or none. A loaded level that is blocked stays until there is something better: blocking is
 * about loading.
 */
void rk_trust_choose(const struct rk_trust *trust, const char *build_id,
		     const struct rk_release *release, const struct rk_level_request *request,
		     struct rk_level_choice *ret);

/* --- modules --- */

/*
 * Copies the module of this level from the descriptor to path, and checks what was written there, not what was read from where others may
 * write: whole and right, or not at all. Reads at most level->length + 1 bytes. Afterwards the module's manifest must name this kernel, name
 * and level. Errors: RK_ERR_HASH, RK_ERR_TARGET, RK_ERR_SYS.
 */
struct rk_err *rk_trust_copy_module(int from, const struct rk_release *release,
				    const struct rk_release_level *level, const char *path)
	__must_use;

/* The same checks of a file that only root can write, without copying it: before it is loaded again. */
struct rk_err *rk_trust_check_module(const char *path, const struct rk_release *release,
				     const struct rk_release_level *level) __must_use;

/* The same of a module in memory; name is for messages. */
struct rk_err *rk_trust_check_module_bytes(const char *name, const char *bytes, size_t len,
					   const struct rk_release *release,
					   const struct rk_release_level *level) __must_use;

/* --- sources --- */

/* Files below a directory that somebody else may write: symbolic links, special files and names outside are refused. *ret's ctx is
 * owned by the caller: rk_trust_directory_free(). */
struct rk_err *rk_trust_directory_open(const char *dir, struct rk_trust_source *ret) __must_use;
/* A descriptor of one of its files, for rk_trust_copy_module(). */
struct rk_err *rk_trust_directory_file(const struct rk_trust_source *source, const char *name,
				       int *ret_fd) __must_use;
void rk_trust_directory_free(struct rk_trust_source *source);

static inline void rk_cleanup_trust(struct rk_trust **p)
{
	rk_trust_free(*p);
}

#define _cleanup_trust_		  _cleanup_(rk_cleanup_trust)
#define _cleanup_trust_directory_ _cleanup_(rk_trust_directory_free)

#endif
