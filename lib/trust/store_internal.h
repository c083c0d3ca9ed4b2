/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inside of a store: its files, what was seen, and what was read of them. */
#ifndef RK_TRUST_STORE_INTERNAL_H
#define RK_TRUST_STORE_INTERNAL_H

#include "lib/trust/store.h"

/* A file of the store that is held in memory. */
struct rk_held_file {
	char *name, *bytes;
	size_t len;
};

struct rk_seen_release {
	char build_id[RK_BUILD_ID_LEN_MAX + 1];
	enum rk_channel channel;
	uint64_t version;
};

/* The highest versions that were accepted. */
struct rk_seen {
	uint64_t root;	    /* the root they were accepted under */
	uint64_t timestamp; /* 0: none yet */
	rk_vec(struct rk_seen_release) releases;
};

struct rk_read_release {
	char *build_id;
	enum rk_channel channel;
	struct rk_release *release;
};

struct rk_trust {
	char *dir; /* NULL: in memory only */
	enum rk_trust_mode mode;
	int lock;			   /* -1 unless writable */
	rk_vec(struct rk_held_file) files; /* what isn't written, in memory or read only */
	struct rk_seen seen;
	uint64_t stored_root, stored_timestamp; /* of seen, as it was read */
	struct rk_trust_witness witness;
	struct rk_root *root;
	rk_vec(struct rk_root *) earlier; /* those it followed from, the oldest first */
	struct rk_timestamp *timestamp;
	bool timestamp_counts;			 /* its version and time are lower bounds */
	rk_vec(struct rk_read_release) releases; /* read since the last update */
};

#define RK_SEEN_NAME "seen.json"

/* --- state.c: the files --- */

/* Checks or makes the directory, takes the lock. */
struct rk_err *rk_state_open(struct rk_trust *trust) __must_use;
/* A file of the store; *ret is NULL when there is none. malloc'ed. */
struct rk_err *rk_state_read(const struct rk_trust *trust, const char *name, size_t max, char **ret,
			     size_t *ret_len) __must_use;
/* On disk, whole and durable, or in memory. */
struct rk_err *rk_state_write(struct rk_trust *trust, const char *name, const char *bytes,
			      size_t len) __must_use;
struct rk_err *rk_state_read_seen(struct rk_trust *trust) __must_use;
struct rk_err *rk_state_write_seen(struct rk_trust *trust) __must_use;
/* 0: never seen. */
uint64_t rk_seen_release(const struct rk_seen *seen, const char *build_id, enum rk_channel channel);
struct rk_err *rk_seen_set_release(struct rk_seen *seen, const char *build_id,
				   enum rk_channel channel, uint64_t version) __must_use;
void rk_state_close(struct rk_trust *trust);

/* Names in the store; malloc'ed. */
char *rk_state_index_name(unsigned int shard) __must_use;
char *rk_state_release_name(const char *build_id, enum rk_channel channel) __must_use;

/* --- store.c --- */

/* The signed root in bytes follows from old: RK_ERR_CHAIN, RK_ERR_ROLLBACK. */
struct rk_err *rk_root_read_next(const struct rk_root *old, const char *name, const char *bytes,
				 size_t len, struct rk_root **ret) __must_use;
/* Takes over next as the trust's root, and forgets the versions that roles with other keys made. */
void rk_trust_take_root(struct rk_trust *trust, struct rk_root *next);
/* What was read before an update isn't what is stored after it. */
void rk_trust_forget_read(struct rk_trust *trust);

#endif
