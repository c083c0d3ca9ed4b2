/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which kernels there are, and their releases as published and as drafts. */
#include <stdio.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/repo/internal.h"

char *rk_repo_draft_name(const char *build_id, enum rk_channel channel)
{
	return rk_asprintf(RK_REPO_RELEASES "/%s.%s.signed", build_id, rk_channel_name(channel));
}

/* The version in "<channel>.<version>.signed". */
static bool parse_release_name(const char *build_id, const char *name, enum rk_channel *ret_channel,
			       uint64_t *ret_version)
{
	for (size_t i = 0; i < RK_CHANNELS; i++) {
		const char *channel = rk_channel_name((enum rk_channel)i);
		size_t len = strlen(channel);

		if (!rk_has_prefix(name, channel) || name[len] != '.')
			continue;
		uint64_t version = strtoull(name + len + 1, NULL, 10);
		_cleanup_free_ char *full = rk_name_release(build_id, (enum rk_channel)i, version);

		*ret_channel = (enum rk_channel)i;
		*ret_version = version;
		return full && rk_has_suffix(full, name) && version > 0;
	}
	return false;
}

struct rk_err *rk_repo_look(const struct rk_repo *repo, const char *build_id,
			    struct rk_repo_kernel *ret)
{
	_cleanup_free_ char *dir = rk_asprintf("kernels/%s", build_id);
	_cleanup_repo_names_ struct rk_repo_names names = {};
	struct rk_repo_kernel kernel = {};

	if (!dir)
		return rk_err_nomem();
	snprintf(kernel.build_id, sizeof(kernel.build_id), "%s", build_id);
	RK_TRY(rk_repo_list(repo, dir, &names));
	rk_vec_for_each(&names, name) {
		enum rk_channel channel;
		uint64_t version;

		if (parse_release_name(build_id, *name, &channel, &version) &&
		    version > kernel.published[channel])
			kernel.published[channel] = version;
	}
	for (size_t i = 0; i < RK_CHANNELS; i++) {
		_cleanup_free_ char *name = rk_repo_draft_name(build_id, (enum rk_channel)i);
		_cleanup_free_ char *path = name ? rk_path_join(repo->dir, name) : NULL;

		if (!path)
			return rk_err_nomem();
		kernel.has_draft[i] = rk_fs_exists(path);
	}
	*ret = kernel;
	return NULL;
}

struct rk_err *rk_repo_kernels(const struct rk_repo *repo, struct rk_repo_kernels *ret)
{
	_cleanup_repo_names_ struct rk_repo_names names = {};
	_cleanup_repo_kernels_ struct rk_repo_kernels kernels = {};

	RK_TRY(rk_repo_list(repo, "kernels", &names));
	rk_vec_for_each(&names, name) {
		struct rk_repo_kernel kernel;

		if (!rk_is_build_id(*name))
			continue;
		RK_TRY(rk_repo_look(repo, *name, &kernel));
		if (!rk_vec_push(&kernels, kernel))
			return rk_err_nomem();
	}
	*ret = kernels;
	kernels = (struct rk_repo_kernels){};
	return NULL;
}

void rk_repo_kernels_deinit(struct rk_repo_kernels *kernels)
{
	rk_vec_deinit(kernels);
}

static struct rk_err *read_release(const struct rk_repo *repo, const char *name,
				   struct rk_release **ret)
{
	_cleanup_repo_file_ struct rk_repo_file file = {};

	RK_TRY(rk_repo_read_signed(repo, name, RK_RELEASE_SIZE_MAX, &file));
	if (!file.bytes) {
		*ret = NULL;
		return NULL;
	}
	return rk_release_parse(name, file.file.payload, file.file.payload_len, ret);
}

struct rk_err *rk_repo_published(const struct rk_repo *repo, const char *build_id,
				 enum rk_channel channel, struct rk_release **ret)
{
	struct rk_repo_kernel kernel;
	_cleanup_free_ char *name = NULL;

	*ret = NULL;
	RK_TRY(rk_repo_look(repo, build_id, &kernel));
	if (!kernel.published[channel])
		return NULL;
	name = rk_name_release(build_id, channel, kernel.published[channel]);
	return name ? read_release(repo, name, ret) : rk_err_nomem();
}

struct rk_err *rk_repo_newest(const struct rk_repo *repo, const char *build_id,
			      enum rk_channel channel, struct rk_release **ret)
{
	_cleanup_free_ char *name = rk_repo_draft_name(build_id, channel);

	if (!name)
		return rk_err_nomem();
	RK_TRY(read_release(repo, name, ret));
	return *ret ? NULL : rk_repo_published(repo, build_id, channel, ret);
}

struct rk_err *rk_repo_draft_state(const struct rk_repo *repo, const struct rk_repo_kernel *kernel,
				   enum rk_channel channel, enum rk_repo_draft_state *ret)
{
	uint64_t version = kernel->published[channel];
	_cleanup_free_ char *draft_name = rk_repo_draft_name(kernel->build_id, channel);
	_cleanup_free_ char *name = rk_name_release(kernel->build_id, channel, version);
	_cleanup_repo_file_ struct rk_repo_file draft = {};
	_cleanup_repo_file_ struct rk_repo_file published = {};
	_cleanup_release_ struct rk_release *release = NULL;

	if (!draft_name || !name)
		return rk_err_nomem();
	RK_TRY(read_release(repo, draft_name, &release));
	*ret = RK_REPO_DRAFT_NONE;
	if (!release)
		return NULL;
	*ret = RK_REPO_DRAFT_NEXT;
	if (release->version == version + 1)
		return NULL;
	RK_TRY(rk_repo_read_signed(repo, draft_name, RK_RELEASE_SIZE_MAX, &draft));
	RK_TRY(rk_repo_read_signed(repo, name, RK_RELEASE_SIZE_MAX, &published));
	*ret = rk_repo_same_payload(&draft, &published) ? RK_REPO_DRAFT_PUBLISHED
							: RK_REPO_DRAFT_OUTDATED;
	return NULL;
}

struct rk_err *rk_repo_outdated(const struct rk_repo *repo, const char *draft)
{
	return rk_err(RK_ERR_MISMATCH,
		      "'%s/%s' doesn't follow from what is published; remove it, and add again "
		      "what it was for",
		      repo->dir, draft);
}

struct rk_err *rk_repo_set_draft(struct rk_repo *repo, struct rk_release *release, int64_t now)
{
	_cleanup_free_ char *name = rk_repo_draft_name(release->kernel.build_id, release->channel);
	_cleanup_free_ char *payload = NULL;
	enum rk_repo_draft_state state;
	struct rk_repo_kernel kernel;

	if (!name)
		return rk_err_nomem();
	RK_TRY(rk_repo_look(repo, release->kernel.build_id, &kernel));
	RK_TRY(rk_repo_draft_state(repo, &kernel, release->channel, &state));
	if (state == RK_REPO_DRAFT_OUTDATED)
		return rk_repo_outdated(repo, name);
	release->version = kernel.published[release->channel] + 1;
	release->issued = now;
	RK_TRY(rk_release_write(release, &payload));
	return rk_repo_write_draft(repo, name, payload);
}

/* --- by name --- */

/* Any of the kernel's releases says what the kernel is. */
static struct rk_err *has_release(const struct rk_repo *repo, const struct rk_repo_kernel *kernel,
				  const char *text, bool *ret)
{
	*ret = false;
	for (size_t i = 0; i < RK_CHANNELS; i++) {
		_cleanup_release_ struct rk_release *release = NULL;

		RK_TRY(rk_repo_newest(repo, kernel->build_id, (enum rk_channel)i, &release));
		if (!release)
			continue;
		*ret = rk_streq(release->kernel.release, text);
		return NULL;
	}
	return NULL;
}

struct rk_err *rk_repo_find_kernel(const struct rk_repo *repo, const char *text,
				   char ret[RK_BUILD_ID_LEN_MAX + 1])
{
	_cleanup_repo_kernels_ struct rk_repo_kernels kernels = {};
	const struct rk_repo_kernel *found = NULL;
	size_t nr = 0;

	RK_TRY(rk_repo_kernels(repo, &kernels));
	rk_vec_for_each(&kernels, kernel) {
		bool is_it = !text || rk_has_prefix(kernel->build_id, text);

		if (!is_it)
			RK_TRY(has_release(repo, kernel, text, &is_it));
		if (!is_it)
			continue;
		nr++;
		found = kernel;
	}
	if (nr == 1) {
		memcpy(ret, found->build_id, sizeof(found->build_id));
		return NULL;
	}
	if (!text)
		return rk_err(
			RK_ERR_INVALID,
			"there are %zu kernels; say which with '--kernel' (build-id or release)",
			nr);
	return rk_err(RK_ERR_INVALID, "%zu kernels are meant by '%s'", nr, text);
}
