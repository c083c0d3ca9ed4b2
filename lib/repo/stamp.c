/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A new timestamp: the index of all that is published is written first, under names that no reader knows yet, then the one file that names it. Files of
 * the timestamp before the last are removed then; a host that is in the middle of an update still finds those of the last.
 */
#include <string.h>

#include "lib/base/map.h"
#include "lib/base/str.h"
#include "lib/base/utc.h"
#include "lib/repo/internal.h"

#define NOTICES RK_REPO_WORK "/notices.json"

/* --- notices --- */

static struct rk_err *empty_notices(struct rk_timestamp **ret)
{
	struct rk_timestamp *t = calloc(1, sizeof(*t));

	if (!t)
		return rk_err_nomem();
	*ret = t;
	return NULL;
}

struct rk_err *rk_repo_notices(const struct rk_repo *repo, struct rk_timestamp **ret)
{
	_cleanup_free_ char *text = NULL;
	size_t len;

	RK_TRY(rk_repo_read(repo, NOTICES, RK_TIMESTAMP_SIZE_MAX, &text, &len));
	return text ? rk_timestamp_parse(NOTICES, text, len, ret) : empty_notices(ret);
}

struct rk_err *rk_repo_set_notices(struct rk_repo *repo, const struct rk_timestamp *notices)
{
	struct rk_timestamp t = *notices;
	_cleanup_free_ char *text = NULL;

	/* the form of a timestamp, so that one reader does for both */
	t.version = 1;
	t.issued = 0;
	t.expires = 1;
	for (size_t i = 0; i < RK_INDEX_SHARDS; i++)
		t.shards[i] = (struct rk_shard){
			0, "0000000000000000000000000000000000000000000000000000000000000000"};
	RK_TRY(rk_timestamp_write(&t, &text));
	return rk_repo_write(repo, NOTICES, text, strlen(text));
}

struct rk_err *rk_repo_timestamp(const struct rk_repo *repo, struct rk_timestamp **ret)
{
	_cleanup_repo_file_ struct rk_repo_file file = {};

	*ret = NULL;
	RK_TRY(rk_repo_read_signed(repo, RK_NAME_TIMESTAMP, RK_TIMESTAMP_SIZE_MAX, &file));
	if (!file.bytes)
		return NULL;
	return rk_timestamp_parse(file.name, file.file.payload, file.file.payload_len, ret);
}

/* --- index --- */

static struct rk_err *index_release(const struct rk_repo *repo, const struct rk_repo_kernel *kernel,
				    enum rk_channel channel, struct rk_index *index,
				    struct rk_index_kernel *entry)
{
	uint64_t version = kernel->published[channel];
	_cleanup_free_ char *name = rk_name_release(kernel->build_id, channel, version);
	_cleanup_repo_file_ struct rk_repo_file file = {};
	_cleanup_release_ struct rk_release *release = NULL;
	struct rk_index_release *to = &entry->channels[channel];
	const struct rk_role *role = &repo->root->roles[rk_role_of_channel(channel)];

	if (!name)
		return rk_err_nomem();
	RK_TRY(rk_repo_read_signed(repo, name, RK_RELEASE_SIZE_MAX, &file));
	if (!file.bytes)
		return rk_err(RK_ERR_NOT_FOUND, "'%s/%s' is gone", repo->dir, name);
	RK_TRY(rk_release_parse(name, file.file.payload, file.file.payload_len, &release));
	/* signed by somebody who may sign no more, or another version than its name says: every host would refuse it; it waits as a draft */
	if (rk_signed_count(&file.file, role) < role->threshold || release->version != version)
		return NULL;
	RK_TRY(rk_sha256_bytes(file.bytes, file.len, to->sha256));
	to->version = version;
	to->length = file.len;
	if (entry->release)
		return NULL;
	entry->release = rk_arena_strdup(&index->arena, release->kernel.release);
	return entry->release ? NULL : rk_err_nomem();
}

static struct rk_err *index_kernel(const struct rk_repo *repo, const struct rk_repo_kernel *kernel,
				   struct rk_index *index)
{
	struct rk_index_kernel entry = {.build_id = kernel->build_id};

	for (size_t i = 0; i < RK_CHANNELS; i++)
		if (kernel->published[i])
			RK_TRY(index_release(repo, kernel, (enum rk_channel)i, index, &entry));
	if (!entry.release)
		return NULL;
	return rk_vec_push(&index->kernels, entry) ? NULL : rk_err_nomem();
}

static struct rk_err *write_shard(struct rk_repo *repo, const struct rk_repo_kernels *kernels,
				  unsigned int nr, struct rk_shard *ret)
{
	_cleanup_index_ struct rk_index *index = calloc(1, sizeof(*index));
	_cleanup_free_ char *text = NULL;
	_cleanup_free_ char *name = NULL;

	if (!index)
		return rk_err_nomem();
	rk_vec_for_each(kernels, kernel)
		if (rk_shard_of(kernel->build_id) == nr)
			RK_TRY(index_kernel(repo, kernel, index));
	RK_TRY(rk_index_write(index, &text));
	ret->length = strlen(text);
	RK_TRY(rk_sha256_bytes(text, strlen(text), ret->sha256));
	name = rk_name_index(ret->sha256);
	return name ? rk_repo_write(repo, name, text, strlen(text)) : rk_err_nomem();
}

/* --- timestamp --- */

static struct rk_err *write_timestamp(struct rk_repo *repo, const struct rk_repo_signing *signing,
				      const struct rk_timestamp *t)
{
	_cleanup_free_ char *bytes = NULL;
	size_t len;

	RK_TRY(rk_timestamp_sign(t, &repo->root->roles[RK_ROLE_TIMESTAMP], signing->keys,
				 signing->nr_keys, &bytes, &len));
	return rk_repo_write(repo, RK_NAME_TIMESTAMP, bytes, len);
}

static bool is_named(const struct rk_timestamp *t, const char *file)
{
	for (size_t i = 0; t && i < RK_INDEX_SHARDS; i++)
		if (rk_has_prefix(file, t->shards[i].sha256))
			return true;
	return false;
}

static struct rk_err *prune_index(struct rk_repo *repo, const struct rk_timestamp *old,
				  const struct rk_timestamp *new)
{
	_cleanup_repo_names_ struct rk_repo_names names = {};

	RK_TRY(rk_repo_list(repo, "index", &names));
	rk_vec_for_each(&names, name) {
		_cleanup_free_ char *path = rk_asprintf("index/%s", *name);

		if (!path)
			return rk_err_nomem();
		if (!is_named(old, *name) && !is_named(new, *name))
			RK_TRY(rk_repo_remove(repo, path));
	}
	return NULL;
}

/* Releases from the one that is published down to the first that is gone, but for the two newest. */
static struct rk_err *prune_releases(struct rk_repo *repo, const struct rk_repo_kernels *kernels)
{
	rk_vec_for_each(kernels, kernel)
		for (size_t i = 0; i < RK_CHANNELS; i++) {
			if (kernel->published[i] <= 2)
				continue;
			_cleanup_free_ char *name = rk_name_release(
				kernel->build_id, (enum rk_channel)i, kernel->published[i] - 2);

			if (!name)
				return rk_err_nomem();
			RK_TRY(rk_repo_remove(repo, name));
		}
	return NULL;
}

static struct rk_err *stamp(struct rk_repo *repo, const struct rk_repo_signing *signing,
			    const struct rk_timestamp *old, struct rk_timestamp *new)
{
	unsigned int days = signing->timestamp_days ? signing->timestamp_days : RK_TIMESTAMP_DAYS;
	_cleanup_repo_kernels_ struct rk_repo_kernels kernels = {};

	new->version = old ? old->version + 1 : 1;
	new->issued = signing->now;
	new->expires = signing->now + days *RK_DAY_SECONDS;
	RK_TRY(rk_repo_kernels(repo, &kernels));
	for (unsigned int i = 0; i < RK_INDEX_SHARDS; i++)
		RK_TRY(write_shard(repo, &kernels, i, &new->shards[i]));
	RK_TRY(write_timestamp(repo, signing, new));
	RK_TRY(prune_index(repo, old, new));
	return prune_releases(repo, &kernels);
}

struct rk_err *rk_repo_stamp(struct rk_repo *repo, const struct rk_repo_signing *signing,
			     uint64_t *ret_version)
{
	_cleanup_timestamp_ struct rk_timestamp *old = NULL;
	_cleanup_timestamp_ struct rk_timestamp *new = NULL;

	RK_TRY(rk_repo_timestamp(repo, &old));
	RK_TRY(rk_repo_notices(repo, &new));
	RK_TRY(stamp(repo, signing, old, new));
	*ret_version = new->version;
	return NULL;
}
