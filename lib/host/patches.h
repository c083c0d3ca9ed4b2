/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Levels that are installed on this host, ready to be loaded without any network: patches/<build-id>/<level>.json says what a level
 * is, written by root after everything was verified, and names by its hash the module beside it, <sha256>.ko, and the release file
 * it came from, <sha256>.signed, so that its signature can be checked again (absent for an unofficial one). A level without a
 * readable record doesn't count.
 */
#ifndef RK_HOST_PATCHES_H
#define RK_HOST_PATCHES_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/vec.h"
#include "lib/host/host.h"
#include "lib/host/kernel.h"

struct rk_patch {
	uint64_t level;
	const char *name;				 /* of the kernel module: "kpatch_12" */
	const char *build_id, *release, *version, *arch; /* of the kernel it is for */
	const char *sha256;
	uint64_t length;
	const char *channel;   /* it came from; "" for an unofficial one */
	const char *product;   /* "debian-12"; or NULL */
	int64_t released;      /* seconds since 1970; 0 unknown */
	int64_t covered_until; /* the same */
	bool official;	       /* from a signed release */
	const char **cves;     /* all it fixes, sorted */
	size_t nr_cves;
	/* set by rk_patches_list(), not in the record: */
	const char *module_path, *signed_path; /* signed_path NULL if there is none */
};

struct rk_patches {
	struct rk_arena arena;
	rk_vec(struct rk_patch) list; /* by level, ascending */
	rk_vec(const char *) damaged; /* one message per level that can't be used */
};

/* Of the kernel with this build-id; none is not an error. */
struct rk_err *rk_patches_list(const struct rk_host *host, const char *build_id,
			       struct rk_patches **ret) __must_use;
void rk_patches_free(struct rk_patches *patches);
/* NULL if it isn't installed. */
const struct rk_patch *rk_patches_find(const struct rk_patches *patches, uint64_t level);
const struct rk_patch *rk_patches_find_name(const struct rk_patches *patches, const char *name);

/* Puts a module that the caller has verified in its place, durable when this returns: module, signed file, and last the
 * record, so that a power cut leaves what was before or the whole level. The file's SHA-256 and length must be the record's:
 * RK_ERR_HASH. Installing the same again is success. signed_file: bytes or NULL. */
struct rk_err *rk_patches_install(const struct rk_host *host, const struct rk_patch *patch,
				  const char *module_path, const void *signed_file,
				  size_t signed_len) __must_use;
/* What is installed gets the record and the signed file that are its publisher's now: whose keys may sign changes, and what only keys
 * of before have signed could not be loaded any more. Another level or module than patch, and one that has them: nothing is done. */
struct rk_err *rk_patches_renew(const struct rk_host *host, const struct rk_patch *installed,
				const struct rk_patch *patch, const void *signed_file,
				size_t signed_len) __must_use;
/* Whether the file is the module of this patch, by length and SHA-256: RK_ERR_HASH. */
struct rk_err *rk_patch_check_file(const struct rk_patch *patch, const char *path) __must_use;
/* Removes what no record names: what a power cut or a full disk left. */
struct rk_err *rk_patches_sweep(const struct rk_host *host, const char *build_id) __must_use;
/* Record first; an absent one is success. Never asks whether it is loaded. */
struct rk_err *rk_patches_remove(const struct rk_host *host, const char *build_id, uint64_t level)
	__must_use;

/* The record's bytes, and back; unknown keys are ignored. Errors: RK_ERR_FORMAT with the key. */
struct rk_err *rk_patch_to_json(const struct rk_patch *patch, char **ret) __must_use;
struct rk_err *rk_patch_parse(const char *name, const char *json, size_t len,
			      struct rk_arena *arena, struct rk_patch *ret) __must_use;

static inline void rk_cleanup_patches(struct rk_patches **patches)
{
	rk_patches_free(*patches);
}
#define _cleanup_patches_ _cleanup_(rk_cleanup_patches)

#endif
