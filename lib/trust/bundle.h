/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bundle carries a repository, or what of it some kernels need, to a host without a network: one tar file (POSIX ustar) of regular
 * files whose names are those of names.h, with a timestamp that lives longer. Whoever reads it trusts nothing of it: names,
 * kinds and sizes are checked as the archive is opened, contents by rk_trust_update() as if they came from a server.
 */
#ifndef RK_TRUST_BUNDLE_H
#define RK_TRUST_BUNDLE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/trust/store.h"

#define RK_BUNDLE_DAYS	      90
#define RK_BUNDLE_ENTRIES_MAX 100000
#define RK_BUNDLE_SIZE_MAX    (UINT64_C(16) << 30)

struct rk_bundle;

struct rk_bundle_entry {
	const char *name;
	uint64_t offset, length;
};

/*
 * Opens and lists it; fd stays the caller's and must be seekable. RK_ERR_BUNDLE: an entry is no regular file (symbolic link,
 * device, directory …), comes twice, or its header is wrong; RK_ERR_NAME: its name is no repository's; RK_ERR_TOO_LARGE; RK_ERR_FORMAT:
 * no tar file, or cut off.
 */
struct rk_err *rk_bundle_open(int fd, const char *name, struct rk_bundle **ret) __must_use;
void rk_bundle_free(struct rk_bundle *bundle);

size_t rk_bundle_nr_entries(const struct rk_bundle *bundle);
const struct rk_bundle_entry *rk_bundle_entry(const struct rk_bundle *bundle, size_t i);

/* The bundle as a source for rk_trust_update(); valid as long as the bundle. */
struct rk_trust_source rk_bundle_source(struct rk_bundle *bundle);

/* Writes all entries below dir, which exists; directories are made as needed. Existing files are replaced. */
struct rk_err *rk_bundle_extract(struct rk_bundle *bundle, const char *dir) __must_use;

/* --- writing --- */

struct rk_bundle_writer;

/* Writes to path when it is finished, whole or not at all. Same entries in the same order give the same bytes. */
struct rk_err *rk_bundle_writer_create(const char *path, struct rk_bundle_writer **ret) __must_use;
struct rk_err *rk_bundle_writer_add(struct rk_bundle_writer *writer, const char *name,
				    const void *data, size_t len) __must_use;
/* Frees the writer in any case. */
struct rk_err *rk_bundle_writer_finish(struct rk_bundle_writer *writer) __must_use;
/* Gives up: nothing is left. */
void rk_bundle_writer_abandon(struct rk_bundle_writer *writer);

static inline void rk_cleanup_bundle(struct rk_bundle **p)
{
	rk_bundle_free(*p);
}

#define _cleanup_bundle_ _cleanup_(rk_cleanup_bundle)

#endif
