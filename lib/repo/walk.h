/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A whole repository as clients would see it, beginning with a root that is trusted: every file of it is verified and handed over. Checking
 * a repository, copying it, making bundles and packages of it are all this.
 */
#ifndef RK_REPO_WALK_H
#define RK_REPO_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/progress.h"
#include "lib/base/vec.h"
#include "lib/trust/metadata.h"
#include "lib/trust/store.h"

struct rk_repo_walk {
	const struct rk_trust_source *source;
	const char *root_path; /* of the trusted root */
	int64_t now;
	bool allow_bundle;
	bool is_partial; /* a bundle: kernels that it doesn't hold are no error */
	/* Which kernels and channels; NULL: all. */
	bool (*wants)(void *ctx, const struct rk_index_kernel *kernel, enum rk_channel channel);
	/* A file, verified, in an order in which everything a file speaks of comes before it; timestamp.signed last. May be NULL. */
	struct rk_err *(*on_file)(void *ctx, const char *name, const char *bytes, size_t len);
	/* Is this file there already, with this SHA-256? Then it isn't fetched. May be NULL. */
	bool (*has_file)(void *ctx, const char *name, uint64_t length, const char *sha256);
	/* A release with all its files. May be NULL. */
	struct rk_err *(*on_release)(void *ctx, const struct rk_release *release);
	void *ctx;
	const struct rk_reporter *reporter;
};

struct rk_repo_walked {
	uint64_t root, timestamp; /* versions */
	int64_t timestamp_expires;
	size_t kernels, releases, levels, files;
	uint64_t bytes;
};

/* Errors: as rk_trust_update(), RK_ERR_HASH and RK_ERR_TARGET for modules and evidence, what on_file() and on_release() return. */
struct rk_err *rk_repo_walk(const struct rk_repo_walk *walk, struct rk_repo_walked *ret) __must_use;

#endif
