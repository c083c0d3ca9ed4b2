/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A repository as those who publish see it: the static files of lib/trust/names.h, and beside them ".work", which no client asks for:
 * what is changed but not signed by enough people yet. Whatever is to be published is a draft first, a signed file whose signatures
 * are added one after another, by several people on several machines; with the last one it is moved to where clients find it.
 *
 *	.work/lock			one writer at a time
 *	.work/settings.json		the product
 *	.work/root.signed		the next root
 *	.work/releases/<build-id>.<channel>.signed
 *	.work/notices.json		blocked, withdrawn and minimum levels, for the next timestamp
 */
#ifndef RK_REPO_REPO_H
#define RK_REPO_REPO_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/vec.h"
#include "lib/trust/key.h"
#include "lib/trust/metadata.h"
#include "lib/trust/store.h"

#define RK_ROOT_DAYS	  365
#define RK_TIMESTAMP_DAYS 7

struct rk_repo;

enum rk_repo_mode {
	RK_REPO_READ,
	RK_REPO_WRITE
};

/* Makes a repository in dir, which is absent or empty; root (version 1) becomes a draft. */
struct rk_err *rk_repo_init(const char *dir, const char *product, const struct rk_root *root)
	__must_use;
/* RK_ERR_NOT_FOUND: no repository; RK_ERR_SYS (EBUSY): another writer is at work there. */
struct rk_err *rk_repo_open(const char *dir, enum rk_repo_mode mode, struct rk_repo **ret)
	__must_use;
void rk_repo_close(struct rk_repo *repo);

const char *rk_repo_dir(const struct rk_repo *repo);
const char *rk_repo_product(const struct rk_repo *repo);
/* The newest that is published; NULL before the first. */
const struct rk_root *rk_repo_root(const struct rk_repo *repo);
/* The draft of the next one; *ret is NULL when there is none. The caller frees it. */
struct rk_err *rk_repo_next_root(const struct rk_repo *repo, struct rk_root **ret) __must_use;
/* Makes root the draft; its version must be the next. Signatures that an earlier draft had are gone. */
struct rk_err *rk_repo_set_next_root(struct rk_repo *repo, const struct rk_root *root) __must_use;

/* --- kernels and their releases --- */

/* A kernel that has files here. */
struct rk_repo_kernel {
	char build_id[RK_BUILD_ID_LEN_MAX + 1];
	uint64_t published[RK_CHANNELS]; /* version of the newest release file; 0: none */
	bool has_draft[RK_CHANNELS];
};

struct rk_repo_kernels {
	struct rk_repo_kernel *v; /* by build-id */
	size_t nr, cap;
};

struct rk_err *rk_repo_kernels(const struct rk_repo *repo, struct rk_repo_kernels *ret) __must_use;
void rk_repo_kernels_deinit(struct rk_repo_kernels *kernels);

/* The published release; *ret is NULL when there is none. Not verified: rk_repo_walk() does that. The caller frees it. */
struct rk_err *rk_repo_published(const struct rk_repo *repo, const char *build_id,
				 enum rk_channel channel, struct rk_release **ret) __must_use;
/* The draft if there is one, else what is published, else NULL. */
struct rk_err *rk_repo_newest(const struct rk_repo *repo, const char *build_id,
			      enum rk_channel channel, struct rk_release **ret) __must_use;
/* Makes release the draft of its kernel and channel, with the next version. */
struct rk_err *rk_repo_set_draft(struct rk_repo *repo, struct rk_release *release, int64_t now)
	__must_use;

/* The build-id that text means: a build-id, the beginning of one, or a kernel release; NULL: the only kernel there is. RK_ERR_INVALID when it's none or
 * several. */
struct rk_err *rk_repo_find_kernel(const struct rk_repo *repo, const char *text,
				   char ret[RK_BUILD_ID_LEN_MAX + 1]) __must_use;

/* --- levels --- */

struct rk_repo_addition {
	const char *module;	      /* path */
	const char *evidence;	      /* path of evidence.json; NULL only with without_evidence */
	const char *without_evidence; /* why there is none */
	const char *product;	      /* NULL: the repository's */
	const char *arch;	      /* NULL: x86_64 */
	enum rk_channel channel;
	int64_t covered_until; /* 0: as it was */
	int64_t now;
};

struct rk_repo_added {
	char build_id[RK_BUILD_ID_LEN_MAX + 1], sha256[RK_SHA256_HEX_SIZE];
	uint64_t level, fixes, cves_added;
};

/*
 * Takes a module into the repository and into the draft of its kernel's release. Its manifest must name the kernel by build-id and
 * version; the evidence must have passed, for exactly this file on exactly this kernel. RK_ERR_VERDICT: the evidence says failed;
 * RK_ERR_MISMATCH: module, manifest and evidence don't agree, or the level is there already as another file.
 */
struct rk_err *rk_repo_add(struct rk_repo *repo, const struct rk_repo_addition *addition,
			   struct rk_repo_added *ret) __must_use;

/* A release of the kernel that has the level, in any channel, published or not. RK_ERR_NOT_FOUND: none has. The caller frees it. */
struct rk_err *rk_repo_find_level(const struct rk_repo *repo, const char *build_id, uint64_t level,
				  struct rk_release **ret) __must_use;
/* Takes a level into another channel's draft, too. RK_ERR_NOT_FOUND: no channel has it. *ret_added is false when it was there. */
struct rk_err *rk_repo_promote(struct rk_repo *repo, const char *build_id, uint64_t level,
			       enum rk_channel channel, int64_t now, bool *ret_added) __must_use;

/* What the next timestamp says of levels; only blocked, withdrawn and minimum mean something. The caller frees it. */
struct rk_err *rk_repo_notices(const struct rk_repo *repo, struct rk_timestamp **ret) __must_use;
struct rk_err *rk_repo_set_notices(struct rk_repo *repo, const struct rk_timestamp *notices)
	__must_use;
/* The published timestamp, not verified; NULL when there is none. */
struct rk_err *rk_repo_timestamp(const struct rk_repo *repo, struct rk_timestamp **ret) __must_use;

/* --- signing --- */

struct rk_repo_signing {
	const struct rk_private_key *const *keys;
	size_t nr_keys;
	unsigned int timestamp_days; /* 0: RK_TIMESTAMP_DAYS */
	int64_t now;
};

/* One draft, as it stands after signing. */
struct rk_repo_draft {
	char name[128]; /* "root 2", "<build-id> stable 4" */
	unsigned int have, need;
	bool is_published; /* it was complete and is gone from the drafts */
	bool was_signed;   /* by one of the keys, now */
};

struct rk_repo_signed {
	rk_vec(struct rk_repo_draft) drafts;
	uint64_t timestamp; /* version of the new one; 0: no key of its role was given */
};

/* Signs what is to be signed with these keys: the next root, drafts of releases, and, with a key of its role, a new timestamp of all
 * that is published. A new timestamp is written after everything it speaks of. */
struct rk_err *rk_repo_sign(struct rk_repo *repo, const struct rk_repo_signing *signing,
			    struct rk_repo_signed *ret) __must_use;
void rk_repo_signed_deinit(struct rk_repo_signed *done);

/* The drafts there are, signed with nothing. */
struct rk_err *rk_repo_drafts(struct rk_repo *repo, struct rk_repo_signed *ret) __must_use;

static inline void rk_cleanup_repo(struct rk_repo **p)
{
	rk_repo_close(*p);
}

#define _cleanup_repo_	       _cleanup_(rk_cleanup_repo)
#define _cleanup_repo_kernels_ _cleanup_(rk_repo_kernels_deinit)
#define _cleanup_repo_signed_  _cleanup_(rk_repo_signed_deinit)

#endif
