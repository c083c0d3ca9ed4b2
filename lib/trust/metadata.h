/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a repository says: root (whom to trust), timestamp (what is current, and what must not be used), index (which releases a
 * kernel has) and release (the levels of one kernel in one channel). This is reading and writing of payloads; whether
 * they may be believed is decided in signed.h and store.h before anything here is called.
 *
 * Readers take JSON, refuse what is missing, of the wrong type or out of range with RK_ERR_FORMAT and the path
 * ("levels[2].length"), names that could lead elsewhere with RK_ERR_NAME, and ignore unknown keys. Strings live in the
 * struct's arena. Writers give canonical JSON (fixed order of keys, a newline at the end), *ret malloc'ed.
 */
#ifndef RK_TRUST_METADATA_H
#define RK_TRUST_METADATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/vec.h"
#include "lib/trust/key.h"
#include "lib/trust/names.h"
#include "lib/trust/signed.h"

#define RK_ROOT_SCHEMA	    "readykernel-root/1"
#define RK_TIMESTAMP_SCHEMA "readykernel-timestamp/1"
#define RK_INDEX_SCHEMA	    "readykernel-index/1"
#define RK_RELEASE_SCHEMA   "readykernel-release/1"

#define RK_ROOT_KEYS_MAX 64
/* Whoever can keep new timestamps from a host can do so for as long as the last one is valid: four times what is usual, and no more. */
#define RK_TIMESTAMP_DAYS_MAX 30
#define RK_BUNDLE_DAYS_MAX    365
#define RK_INDEX_SHARDS	      16 /* by the first digit of the build-id */

/* --- root: the keys and what each may sign --- */

enum rk_role_kind {
	RK_ROLE_ROOT,
	RK_ROLE_TIMESTAMP,
	RK_ROLE_LICENCE,
	RK_ROLE_RELEASE_TEST, /* RK_ROLE_RELEASE_TEST + channel */
	RK_ROLE_RELEASE_EARLY,
	RK_ROLE_RELEASE_STABLE,
	RK_ROLES
};

struct rk_root_key {
	struct rk_public_key key;
	const char *name; /* whose it is, for people */
};

struct rk_root {
	struct rk_arena arena;
	uint64_t version; /* 1, 2, … */
	int64_t issued, expires;
	rk_vec(const struct rk_root_key *) keys;
	struct rk_role roles[RK_ROLES]; /* keys are keys of this root */
};

/* "root", "timestamp", "licence", "release-test", "release-early", "release-stable". */
const char *rk_role_name(enum rk_role_kind kind);
enum rk_role_kind rk_role_of_channel(enum rk_channel channel);

struct rk_err *rk_root_parse(const char *name, const char *json, size_t len, struct rk_root **ret)
	__must_use;
/* The root in a file that is trusted because of where it lies; its own signatures show that it is whole. */
struct rk_err *rk_root_read(const char *path, struct rk_root **ret) __must_use;
/* An empty one without a threshold for any role: it verifies nothing and can't be written yet. */
struct rk_err *rk_root_create(struct rk_root **ret) __must_use;
/* A key that is there already stays as it is. *ret may be NULL. */
struct rk_err *rk_root_add_key(struct rk_root *root, const struct rk_public_key *key,
			       const char *name, const struct rk_root_key **ret) __must_use;
/* Sets who may sign for the role: keys of this root, by their ids. RK_ERR_INVALID: an id that the root doesn't have or that comes twice, a threshold of
 * 0 or more than there are keys. */
struct rk_err *rk_root_set_role(struct rk_root *root, enum rk_role_kind kind,
				unsigned int threshold, const char *const *ids, size_t nr)
	__must_use;
struct rk_err *rk_root_write(const struct rk_root *root, char **ret) __must_use;
void rk_root_free(struct rk_root *root);
/* The key of that id, NULL if the root has none. */
const struct rk_root_key *rk_root_find_key(const struct rk_root *root, const char *id);

/* --- timestamp --- */

struct rk_shard {
	uint64_t length;
	char sha256[RK_SHA256_HEX_SIZE];
};

/* A level of which something is said. */
struct rk_notice {
	const char *build_id;
	uint64_t level;
	uint64_t to; /* withdrawn: the level to go back to, 0: none is left, unload. Else 0 */
	const char *reason; /* or NULL (minimum has none) */
};

struct rk_notices {
	struct rk_notice *v;
	size_t nr, cap;
};

struct rk_timestamp {
	struct rk_arena arena;
	uint64_t version;
	int64_t issued, expires;
	bool is_bundle; /* made for bundles: long-lived, not to be had from a server */
	struct rk_shard shards[RK_INDEX_SHARDS];
	struct rk_notices blocked;   /* never to be loaded */
	struct rk_notices withdrawn; /* not to be loaded; a host that has it goes back */
	struct rk_notices
		minimum; /* a level below isn't to be loaded any more; at most one a kernel */
};

struct rk_err *rk_timestamp_parse(const char *name, const char *json, size_t len,
				  struct rk_timestamp **ret) __must_use;
struct rk_err *rk_timestamp_write(const struct rk_timestamp *timestamp, char **ret) __must_use;
/* The signed file, by enough of the role's keys: the bytes, malloc'ed. Signatures of other keys count for nothing. Errors: those of
 * rk_signed_verify(). */
struct rk_err *rk_timestamp_sign(const struct rk_timestamp *timestamp, const struct rk_role *role,
				 const struct rk_private_key *const *keys, size_t nr_keys,
				 char **ret, size_t *ret_len) __must_use;
void rk_timestamp_free(struct rk_timestamp *timestamp);

enum rk_level_state {
	RK_LEVEL_GOOD,
	RK_LEVEL_BLOCKED,
	RK_LEVEL_WITHDRAWN,
	RK_LEVEL_BELOW_MINIMUM
};

/* "good", "blocked", "withdrawn", "below-minimum". */
const char *rk_level_state_name(enum rk_level_state state);

/* What the timestamp (NULL: nothing) says of a level. *ret (may be NULL) is the notice; its level is the minimum for RK_LEVEL_BELOW_MINIMUM, NULL
 * for RK_LEVEL_GOOD. */
enum rk_level_state rk_timestamp_level_state(const struct rk_timestamp *timestamp,
					     const char *build_id, uint64_t level,
					     const struct rk_notice **ret);

/* --- index --- */

/* The release file of a channel; version 0: the channel has none for this kernel. */
struct rk_index_release {
	uint64_t version, length;
	char sha256[RK_SHA256_HEX_SIZE]; /* of the whole signed file */
};

struct rk_index_kernel {
	const char *build_id;
	const char *release; /* uname -r, for people and 'verify' */
	struct rk_index_release channels[RK_CHANNELS];
};

struct rk_index {
	struct rk_arena arena;
	rk_vec(struct rk_index_kernel) kernels; /* by build_id, ascending */
};

/* The shard of a build-id: its first digit. */
unsigned int rk_shard_of(const char *build_id);

struct rk_err *rk_index_parse(const char *name, const char *json, size_t len, struct rk_index **ret)
	__must_use;
struct rk_err *rk_index_write(const struct rk_index *index, char **ret) __must_use;
void rk_index_free(struct rk_index *index);
/* NULL when the kernel isn't in it. */
const struct rk_index_kernel *rk_index_find(const struct rk_index *index, const char *build_id);

/* --- release --- */

/* Exactly one kernel build. */
struct rk_kernel_id {
	const char *release;  /* uname -r */
	const char *version;  /* uname -v */
	const char *build_id; /* lower-case hexadecimal */
	const char *arch;     /* uname -m */
};

struct rk_release_strings {
	const char **v;
	size_t nr, cap;
};

struct rk_release_level {
	uint64_t level;	  /* 1, 2, …: greater is newer */
	const char *name; /* the module's: "kpatch_cumulative_33" */
	const char *file; /* "<sha256>.ko" in kernels/<build-id>/files */
	uint64_t length;
	const char *sha256;
	const char *evidence_sha256;	      /* of its evidence, or NULL: published without */
	const char *without_evidence;	      /* the reason why, then; else NULL */
	uint64_t fixes;			      /* how many fixes the module holds */
	struct rk_release_strings cves_added; /* CVEs it fixes that the level below doesn't */
	rk_vec(uint64_t) supersedes;	      /* levels that it may take the place of */
	int64_t released;		      /* when it came into this channel */
};

struct rk_release {
	struct rk_arena arena;
	const char *product; /* "debian-12" */
	struct rk_kernel_id kernel;
	enum rk_channel channel;
	uint64_t version;			/* of this file: greater with each change */
	int64_t issued;				/* when this version was made */
	int64_t covered_until;			/* 0: not said */
	rk_vec(struct rk_release_level) levels; /* ascending; may be empty */
};

struct rk_err *rk_release_parse(const char *name, const char *json, size_t len,
				struct rk_release **ret) __must_use;
struct rk_err *rk_release_write(const struct rk_release *release, char **ret) __must_use;
void rk_release_free(struct rk_release *release);
/* The level of that number, NULL if there is none. */
const struct rk_release_level *rk_release_find(const struct rk_release *release, uint64_t level);

static inline void rk_cleanup_root(struct rk_root **p)
{
	rk_root_free(*p);
}
static inline void rk_cleanup_timestamp(struct rk_timestamp **p)
{
	rk_timestamp_free(*p);
}
static inline void rk_cleanup_index(struct rk_index **p)
{
	rk_index_free(*p);
}
static inline void rk_cleanup_release(struct rk_release **p)
{
	rk_release_free(*p);
}

#define _cleanup_root_	    _cleanup_(rk_cleanup_root)
#define _cleanup_timestamp_ _cleanup_(rk_cleanup_timestamp)
#define _cleanup_index_	    _cleanup_(rk_cleanup_index)
#define _cleanup_release_   _cleanup_(rk_cleanup_release)

#endif
