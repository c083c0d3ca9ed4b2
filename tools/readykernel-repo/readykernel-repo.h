/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the verbs of readykernel-repo share. */
#ifndef RK_TOOLS_READYKERNEL_REPO_H
#define RK_TOOLS_READYKERNEL_REPO_H

#include "lib/repo/repo.h"
#include "lib/repo/walk.h"
#include "tools/common/cli.h"

extern const struct rk_verb verb_init, verb_key_new, verb_key_show, verb_key_rotate, verb_add,
	verb_promote, verb_block, verb_withdraw, verb_minimum, verb_sign, verb_list, verb_status,
	verb_verify, verb_mirror, verb_bundle, verb_licence_issue, verb_licence_show, verb_packages;

/* The option that says where the repository is; values' struct has a member repo. */
#define REPO_OPTION(type) \
	RK_OPT_STR(0, "repo", type, repo, "DIR", "the repository (the working directory)")
#define KERNEL_OPTION(type)                          \
	RK_OPT_STR(                                  \
		0, "kernel", type, kernel, "KERNEL", \
		"a build-id, the beginning of one, or a release (uname -r); not needed when there is only one")

/* The same where several may be given: a member kernels, for repo_is_meant(). */
#define KERNELS_OPTION(type)                          \
	RK_OPT_LIST(                                  \
		0, "kernel", type, kernels, "KERNEL", \
		"only this one (again for more): a build-id, the beginning of one, or a release")
/* A member root, for repo_need_root(). */
#define ROOT_OPTION(type) \
	RK_OPT_STR(0, "root", type, root, "FILE", "the root that is trusted to begin with")

/* dir NULL: the working directory. */
struct rk_err *repo_open(const char *dir, enum rk_repo_mode mode, struct rk_repo **ret) __must_use;

/* Seconds since 1970, now. */
int64_t repo_now(void);
/* "2026-11-22" or "2026-11-22T13:30:00Z"; NULL is 0. */
struct rk_err *repo_parse_time(const char *text, int64_t *ret) __must_use;
/* The value of --days, from 1 to max; NULL is what is usual. */
struct rk_err *repo_parse_days(const char *text, unsigned int usual, unsigned int max,
			       unsigned int *ret) __must_use;
/* A level's number. */
struct rk_err *repo_parse_level(const char *text, uint64_t *ret) __must_use;

/* RK_ERR_INVALID where the option wasn't given. */
struct rk_err *repo_need_root(const char *root) __must_use;
/* Whether the kernel is one of those; all are where none was named. */
bool repo_is_meant(const struct rk_strings *kernels, const struct rk_index_kernel *kernel);

/* Private keys of several files; RK_ERR_INVALID where none was named. */
struct repo_keys {
	struct rk_private_key **v;
	size_t nr, cap;
};
struct rk_err *repo_read_keys(const struct rk_strings *paths, struct repo_keys *ret) __must_use;
void repo_keys_deinit(struct repo_keys *keys);
#define _cleanup_repo_keys_ _cleanup_(repo_keys_deinit)

/* Where a repository is read from: a directory, or a server when the text is a URL. */
struct repo_source {
	struct rk_trust_source source;
	bool is_directory;
	struct rk_bundle *bundle;
	int fd;
	void *http;
};
struct rk_err *repo_source_open(const char *where, struct repo_source *ret) __must_use;
void repo_source_close(struct repo_source *source);
#define _cleanup_repo_source_ _cleanup_(repo_source_close)

/* "2 kernels, 3 releases, 9 levels; root 1, timestamp 7, valid until …" */
void repo_show_walked(const struct rk_repo_walked *done);

#endif
