/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signing: each key adds its signature to the drafts it may sign; a draft with enough of them is published. */
#include <stdio.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/repo/internal.h"

static bool may_sign(const struct rk_role *role, const struct rk_private_key *key)
{
	return rk_role_has_key(role, rk_private_key_public(key)->id);
}

static struct rk_err *add_signatures(const struct rk_repo_signing *signing,
				     const struct rk_role *role, struct rk_signed *file,
				     bool *ret_added)
{
	for (size_t i = 0; i < signing->nr_keys; i++) {
		if (!may_sign(role, signing->keys[i]))
			continue;
		RK_TRY(rk_signed_add(file, role->name, signing->keys[i]));
		*ret_added = true;
	}
	return NULL;
}

/* The draft stays, with its new signatures, or is published under that name. */
static struct rk_err *finish(struct rk_repo *repo, const char *draft, const struct rk_signed *file,
			     const char *published, struct rk_repo_draft *it)
{
	if (!it->was_signed)
		return NULL;
	if (it->have < it->need)
		return rk_repo_write_signed(repo, draft, file);
	RK_TRY(rk_repo_write_signed(repo, published, file));
	it->is_published = true;
	return rk_repo_remove(repo, draft);
}

/* --- root --- */

/* Signed by the old root and by itself; the smaller of what either has counts, as if it were one role. */
static void count_root(const struct rk_signed *file, const struct rk_root *old,
		       const struct rk_root *new, struct rk_repo_draft *it)
{
	const struct rk_role *role = &new->roles[RK_ROLE_ROOT];

	it->have = (unsigned int)rk_signed_count(file, role);
	it->need = role->threshold;
	if (!old || it->have < it->need)
		return;
	it->have = (unsigned int)rk_signed_count(file, &old->roles[RK_ROLE_ROOT]);
	it->need = old->roles[RK_ROLE_ROOT].threshold;
}

static struct rk_err *publish_root(struct rk_repo *repo, struct rk_signed *file,
				   struct rk_root **root, struct rk_repo_draft *it)
{
	_cleanup_free_ char *name = rk_name_root((*root)->version);

	if (!name)
		return rk_err_nomem();
	if (it->was_signed && it->have >= it->need)
		RK_TRY(rk_repo_write_signed(repo, RK_NAME_ROOT, file));
	RK_TRY(finish(repo, RK_REPO_DRAFT_ROOT, file, name, it));
	if (it->is_published) {
		rk_root_free(repo->root);
		repo->root = take_ptr(*root);
	}
	return NULL;
}

/* A draft that is published is none: whoever did it was interrupted, or it came back with a copy. */
static struct rk_err *settle_root(struct rk_repo *repo, const struct rk_repo_signing *signing,
				  const struct rk_repo_file *draft, bool *ret)
{
	_cleanup_repo_file_ struct rk_repo_file published = {};

	*ret = false;
	RK_TRY(rk_repo_read_signed(repo, RK_NAME_ROOT, RK_ROOT_SIZE_MAX, &published));
	if (!rk_repo_same_payload(draft, &published))
		return NULL;
	*ret = true;
	return signing->nr_keys ? rk_repo_remove(repo, draft->name) : NULL;
}

static struct rk_err *sign_root(struct rk_repo *repo, const struct rk_repo_signing *signing,
				struct rk_repo_signed *done)
{
	_cleanup_repo_file_ struct rk_repo_file draft = {};
	_cleanup_root_ struct rk_root *root = NULL;
	struct rk_repo_draft it = {};
	bool is_published;

	RK_TRY(rk_repo_read_signed(repo, RK_REPO_DRAFT_ROOT, RK_ROOT_SIZE_MAX, &draft));
	if (!draft.bytes)
		return NULL;
	RK_TRY(settle_root(repo, signing, &draft, &is_published));
	if (is_published)
		return NULL;
	RK_TRY(rk_root_parse(draft.name, draft.file.payload, draft.file.payload_len, &root));
	bool is_outdated = root->version != (repo->root ? repo->root->version + 1 : 1);
	snprintf(it.name, sizeof(it.name), "root %llu%s", (unsigned long long)root->version,
		 is_outdated ? " (outdated)" : "");
	RK_TRY(add_signatures(signing, &root->roles[RK_ROLE_ROOT], &draft.file, &it.was_signed));
	if (repo->root)
		RK_TRY(add_signatures(signing, &repo->root->roles[RK_ROLE_ROOT], &draft.file,
				      &it.was_signed));
	if (is_outdated && it.was_signed)
		return rk_repo_outdated(repo, draft.name);
	count_root(&draft.file, repo->root, root, &it);
	RK_TRY(publish_root(repo, &draft.file, &root, &it));
	return rk_vec_push(&done->drafts, it) ? NULL : rk_err_nomem();
}

/* --- releases --- */

static struct rk_err *sign_release(struct rk_repo *repo, const struct rk_repo_signing *signing,
				   const struct rk_repo_kernel *kernel, enum rk_channel channel,
				   bool is_outdated, struct rk_repo_signed *done)
{
	const char *build_id = kernel->build_id;
	uint64_t version = kernel->published[channel] + 1;
	const struct rk_role *role = &repo->root->roles[rk_role_of_channel(channel)];
	_cleanup_repo_file_ struct rk_repo_file draft = {};
	_cleanup_free_ char *name = rk_repo_draft_name(build_id, channel);
	_cleanup_free_ char *published = rk_name_release(build_id, channel, version);
	struct rk_repo_draft it = {};

	if (!name || !published)
		return rk_err_nomem();
	RK_TRY(rk_repo_read_signed(repo, name, RK_RELEASE_SIZE_MAX, &draft));
	snprintf(it.name, sizeof(it.name), "%s %s %llu%s", build_id, rk_channel_name(channel),
		 (unsigned long long)version, is_outdated ? " (outdated)" : "");
	RK_TRY(add_signatures(signing, role, &draft.file, &it.was_signed));
	if (is_outdated && it.was_signed)
		return rk_repo_outdated(repo, name);
	it.have = (unsigned int)rk_signed_count(&draft.file, role);
	it.need = role->threshold;
	RK_TRY(finish(repo, name, &draft.file, published, &it));
	return rk_vec_push(&done->drafts, it) ? NULL : rk_err_nomem();
}

/* What hosts would refuse becomes a draft again: its signatures count no more, since the root has changed, or it is another version than its name says. */
static struct rk_err *renew(struct rk_repo *repo, const struct rk_repo_signing *signing,
			    struct rk_repo_kernel *kernel, enum rk_channel channel)
{
	const struct rk_role *role = &repo->root->roles[rk_role_of_channel(channel)];
	_cleanup_free_ char *name =
		rk_name_release(kernel->build_id, channel, kernel->published[channel]);
	_cleanup_repo_file_ struct rk_repo_file file = {};
	_cleanup_release_ struct rk_release *release = NULL;

	if (!name)
		return rk_err_nomem();
	RK_TRY(rk_repo_read_signed(repo, name, RK_RELEASE_SIZE_MAX, &file));
	if (!file.bytes)
		return NULL;
	RK_TRY(rk_release_parse(name, file.file.payload, file.file.payload_len, &release));
	if (rk_signed_count(&file.file, role) >= role->threshold &&
	    release->version == kernel->published[channel])
		return NULL;
	RK_TRY(rk_repo_set_draft(repo, release, signing->now));
	kernel->has_draft[channel] = true;
	return NULL;
}

static struct rk_err *sign_channel(struct rk_repo *repo, const struct rk_repo_signing *signing,
				   struct rk_repo_kernel *kernel, enum rk_channel channel,
				   struct rk_repo_signed *done)
{
	enum rk_repo_draft_state state;

	RK_TRY(rk_repo_draft_state(repo, kernel, channel, &state));
	if (state == RK_REPO_DRAFT_PUBLISHED) {
		_cleanup_free_ char *name = rk_repo_draft_name(kernel->build_id, channel);

		if (!name)
			return rk_err_nomem();
		if (signing->nr_keys)
			RK_TRY(rk_repo_remove(repo, name));
		kernel->has_draft[channel] = false;
	}
	if (signing->nr_keys && kernel->published[channel] && !kernel->has_draft[channel])
		RK_TRY(renew(repo, signing, kernel, channel));
	if (!kernel->has_draft[channel])
		return NULL;
	return sign_release(repo, signing, kernel, channel, state == RK_REPO_DRAFT_OUTDATED, done);
}

static struct rk_err *sign_releases(struct rk_repo *repo, const struct rk_repo_signing *signing,
				    struct rk_repo_signed *done)
{
	_cleanup_repo_kernels_ struct rk_repo_kernels kernels = {};

	RK_TRY(rk_repo_kernels(repo, &kernels));
	rk_vec_for_each(&kernels, kernel)
		for (size_t i = 0; i < RK_CHANNELS; i++)
			RK_TRY(sign_channel(repo, signing, kernel, (enum rk_channel)i, done));
	return NULL;
}

/* --- all --- */

static bool has_timestamp_key(const struct rk_repo *repo, const struct rk_repo_signing *signing)
{
	for (size_t i = 0; i < signing->nr_keys; i++)
		if (may_sign(&repo->root->roles[RK_ROLE_TIMESTAMP], signing->keys[i]))
			return true;
	return false;
}

static struct rk_err *sign(struct rk_repo *repo, const struct rk_repo_signing *signing,
			   struct rk_repo_signed *done)
{
	RK_TRY(sign_root(repo, signing, done));
	/* without a root nobody may sign anything else */
	if (!repo->root)
		return NULL;
	RK_TRY(sign_releases(repo, signing, done));
	if (has_timestamp_key(repo, signing))
		RK_TRY(rk_repo_stamp(repo, signing, &done->timestamp));
	return NULL;
}

struct rk_err *rk_repo_sign(struct rk_repo *repo, const struct rk_repo_signing *signing,
			    struct rk_repo_signed *ret)
{
	struct rk_repo_signed done = {};
	struct rk_err *err = sign(repo, signing, &done);

	if (err) {
		rk_repo_signed_deinit(&done);
		return err;
	}
	*ret = done;
	return NULL;
}

void rk_repo_signed_deinit(struct rk_repo_signed *done)
{
	rk_vec_deinit(&done->drafts);
}

struct rk_err *rk_repo_drafts(struct rk_repo *repo, struct rk_repo_signed *ret)
{
	return rk_repo_sign(repo, &(struct rk_repo_signing){}, ret);
}
