/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inside of a repository that is being published. */
#ifndef RK_REPO_INTERNAL_H
#define RK_REPO_INTERNAL_H

#include "lib/repo/repo.h"

#define RK_REPO_WORK	   ".work"
#define RK_REPO_DRAFT_ROOT ".work/root.signed"
#define RK_REPO_RELEASES   RK_REPO_WORK "/releases"

struct rk_repo {
	char *dir, *product;
	int lock; /* -1 when it is only read */
	struct rk_root *root;
};

/* --- repo.c: files, by their names below the repository --- */

/* *ret is NULL when there is none. malloc'ed. */
struct rk_err *rk_repo_read(const struct rk_repo *repo, const char *name, size_t max, char **ret,
			    size_t *ret_len) __must_use;
/* With its directories, whole and durable. */
struct rk_err *rk_repo_write(struct rk_repo *repo, const char *name, const void *bytes, size_t len)
	__must_use;
struct rk_err *rk_repo_remove(struct rk_repo *repo, const char *name) __must_use;
/* The names in a directory, sorted; none when it isn't there. Those that begin with a dot are left out. */
struct rk_repo_names {
	char **v;
	size_t nr, cap;
};
struct rk_err *rk_repo_list(const struct rk_repo *repo, const char *name, struct rk_repo_names *ret)
	__must_use;
void rk_repo_names_deinit(struct rk_repo_names *names);
#define _cleanup_repo_names_ _cleanup_(rk_repo_names_deinit)

/* A file with its signatures taken apart; NULL in file.payload when there is none. Free bytes. */
struct rk_repo_file {
	char *name, *bytes;
	size_t len;
	struct rk_signed file;
};
struct rk_err *rk_repo_read_signed(const struct rk_repo *repo, const char *name, size_t max,
				   struct rk_repo_file *ret) __must_use;
struct rk_err *rk_repo_write_signed(struct rk_repo *repo, const char *name,
				    const struct rk_signed *file) __must_use;
/* The payload as a draft without signatures. */
struct rk_err *rk_repo_write_draft(struct rk_repo *repo, const char *name, const char *payload)
	__must_use;
void rk_repo_file_deinit(struct rk_repo_file *file);
#define _cleanup_repo_file_ _cleanup_(rk_repo_file_deinit)
bool rk_repo_same_payload(const struct rk_repo_file *a, const struct rk_repo_file *b);

/* --- kernels.c --- */

char *rk_repo_draft_name(const char *build_id, enum rk_channel channel) __must_use;
/* What the draft of a release is to what is published. */
enum rk_repo_draft_state {
	RK_REPO_DRAFT_NONE,
	RK_REPO_DRAFT_NEXT,
	RK_REPO_DRAFT_PUBLISHED, /* it is what is published: whoever did that was interrupted, or it came back with a copy */
	RK_REPO_DRAFT_OUTDATED, /* made to follow something else */
};
struct rk_err *rk_repo_draft_state(const struct rk_repo *repo, const struct rk_repo_kernel *kernel,
				   enum rk_channel channel, enum rk_repo_draft_state *ret)
	__must_use;
/* The refusal of one that is outdated. */
struct rk_err *rk_repo_outdated(const struct rk_repo *repo, const char *draft) __must_use;
/* One kernel's channels. */
struct rk_err *rk_repo_look(const struct rk_repo *repo, const char *build_id,
			    struct rk_repo_kernel *ret) __must_use;

/* --- evidence.c --- */

struct rk_manifest;

/* NULL when the evidence in bytes has passed, for the module of that SHA-256 on the kernel of the manifest. */
struct rk_err *rk_evidence_check(const char *name, const char *bytes, size_t len,
				 const struct rk_manifest *manifest, const char *sha256) __must_use;

/* --- levels.c --- */

/* Puts the level into the release in order, with the CVEs that it fixes and the level below it doesn't, by the manifests in the repository. */
struct rk_err *rk_repo_insert_level(const struct rk_repo *repo, struct rk_release *release,
				    const struct rk_release_level *level) __must_use;

/* --- stamp.c --- */

/* A new timestamp of all that is published; *ret_version is its version. */
struct rk_err *rk_repo_stamp(struct rk_repo *repo, const struct rk_repo_signing *signing,
			     uint64_t *ret_version) __must_use;

#endif
