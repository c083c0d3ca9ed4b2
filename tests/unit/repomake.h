/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A repository in memory, signed with keys made for it: right as repomake_init() leaves it. An attack changes what it says, in structs before
 * repomake_publish() or in files afterwards, and serves it as a source.
 */
#ifndef RK_TESTS_UNIT_REPOMAKE_H
#define RK_TESTS_UNIT_REPOMAKE_H

#include "lib/trust/key.h"
#include "lib/trust/metadata.h"
#include "lib/trust/signed.h"
#include "lib/trust/store.h"

#define REPOMAKE_NOW	  INT64_C(1795348800) /* 2026-11-22T12:00:00Z */
#define REPOMAKE_BUILD_ID "0123456789abcdef0123456789abcdef01234567"

enum repomake_key {
	REPOMAKE_ROOT1,
	REPOMAKE_ROOT2,
	REPOMAKE_ROOT3,
	REPOMAKE_TIMESTAMP,
	REPOMAKE_BUILDER,
	REPOMAKE_RELEASER,
	REPOMAKE_LICENCE,
	REPOMAKE_STRANGER, /* in no root */
	REPOMAKE_KEYS
};

struct repomake_file {
	char *name, *bytes;
	size_t len;
};

struct repomake {
	struct rk_private_key *keys[REPOMAKE_KEYS];
	rk_vec(struct repomake_file) files;
	/* what the next publish says */
	struct rk_timestamp timestamp;
	struct rk_release release;
	struct rk_kernel_id kernel; /* as the host sees itself */
	char *module;		    /* the bytes of level 1 */
	size_t module_len;
	/* what the source was asked */
	size_t nr_gets, nr_bytes;
	size_t ignore_limit; /* serve up to so many bytes whatever was asked for */
};

void repomake_init(struct repomake *repo);
void repomake_deinit(struct repomake *repo);

/* Root version 1: root 2 of 3, release-stable 2 of 2, all others 1; to be changed and given to repomake_put_root(). */
struct rk_root *repomake_root(const struct repomake *repo);
/* The signed root becomes root/<version>.signed, and root.signed. keys: bits of enum repomake_key. */
void repomake_put_root(struct repomake *repo, const struct rk_root *root, unsigned int keys);

/* Signs as role; the file becomes name. */
void repomake_put_signed(struct repomake *repo, const char *name, const char *role,
			 const char *payload, unsigned int keys);
/* Adds or replaces a file. */
void repomake_put(struct repomake *repo, const char *name, const void *bytes, size_t len);
struct repomake_file *repomake_find(struct repomake *repo, const char *name);
void repomake_remove(struct repomake *repo, const char *name);

/* Signs the release with these keys, makes the index and signs the timestamp with the timestamp's key, with the versions as they stand. */
void repomake_publish(struct repomake *repo, unsigned int release_keys);
/* The steps of it. repomake_put_release() returns what stands in the index then. */
struct rk_index_release repomake_put_release(struct repomake *repo, unsigned int keys);
void repomake_put_index(struct repomake *repo, const struct rk_index_release *entry,
			enum rk_channel channel);
void repomake_put_timestamp(struct repomake *repo, enum repomake_key key);

/* Appends a level to the release whose module is these bytes. */
void repomake_add_level(struct repomake *repo, uint64_t level, const char *name, const void *module,
			size_t len);
/* A module with a manifest; malloc'ed. */
char *repomake_module(const char *name, uint64_t level, const struct rk_kernel_id *kernel,
		      size_t *ret_len);

/* Serves the files. */
struct rk_trust_source repomake_source(struct repomake *repo);

/* Writes all files below dir. */
void repomake_write(const struct repomake *repo, const char *dir);
/* Writes root/1.signed to a new file and returns its path, malloc'ed. */
char *repomake_root_path(struct repomake *repo);

#define REPOMAKE_BIT(key)    (1u << (key))
#define REPOMAKE_STABLE_KEYS (REPOMAKE_BIT(REPOMAKE_BUILDER) | REPOMAKE_BIT(REPOMAKE_RELEASER))
#define REPOMAKE_ROOT_KEYS   (REPOMAKE_BIT(REPOMAKE_ROOT1) | REPOMAKE_BIT(REPOMAKE_ROOT2))

#endif
