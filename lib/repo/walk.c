/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every file of a repository, each fetched and verified as a host would do it. */
#include "lib/repo/walk.h"

#include <string.h>

#include "lib/base/map.h"
#include "lib/base/str.h"

/* A build-id that no kernel has: an update for it brings root and timestamp only. */
#define NO_BUILD_ID "0000000000000000000000000000000000000000"

struct bytes {
	char *v;
	size_t len;
};

struct walker {
	const struct rk_repo_walk *walk;
	struct rk_trust *trust;
	struct rk_repo_walked done;
	struct bytes timestamp;	   /* as the update got it; handed over last */
	struct bytes release_file; /* the release that was fetched last */
	struct rk_arena arena;
	struct rk_map
		visited; /* names that were handed over: channels share modules, kernels the empty index */
};

static bool is_visited(const struct walker *w, const char *name)
{
	return rk_map_get(&w->visited, name);
}

static struct rk_err *hand_over(struct walker *w, const char *name, const char *bytes, size_t len)
{
	const char *key = rk_arena_strdup(&w->arena, name);

	if (!key || !rk_map_set(&w->visited, key, w))
		return rk_err_nomem();
	w->done.files++;
	w->done.bytes += len;
	return w->walk->on_file ? w->walk->on_file(w->walk->ctx, name, bytes, len) : NULL;
}

/* --- the update's source: what goes by is kept, to be handed over when it is verified --- */

static struct rk_err *keep(struct bytes *to, const char *bytes, size_t len)
{
	char *copy = malloc(len + 1);

	if (!copy)
		return rk_err_nomem();
	memcpy(copy, bytes, len);
	free(to->v);
	*to = (struct bytes){copy, len};
	return NULL;
}

/* One timestamp for the whole walk, even if a newer one comes meanwhile. */
static struct rk_err *get(void *ctx, const char *name, size_t max, char **ret, size_t *ret_len)
{
	struct walker *w = ctx;
	const struct rk_trust_source *source = w->walk->source;
	bool is_timestamp = rk_streq(name, RK_NAME_TIMESTAMP);

	if (is_timestamp && w->timestamp.v) {
		struct bytes copy = {};

		RK_TRY(keep(&copy, w->timestamp.v, w->timestamp.len));
		*ret = copy.v;
		*ret_len = copy.len;
		return NULL;
	}
	RK_TRY(source->get(source->ctx, name, max, ret, ret_len));
	struct rk_err *err = NULL;
	if (is_timestamp)
		err = keep(&w->timestamp, *ret, *ret_len);
	else if (rk_has_prefix(name, "kernels/"))
		err = keep(&w->release_file, *ret, *ret_len);
	if (err)
		free(take_ptr(*ret));
	return err;
}

static struct rk_err *update(struct walker *w, const char *build_id, enum rk_channel channel)
{
	const struct rk_kernel_id kernel = {.build_id = build_id};
	const struct rk_trust_request request = {.kernel = &kernel,
						 .channel = channel,
						 .now = w->walk->now,
						 .allow_bundle = w->walk->allow_bundle};
	const struct rk_trust_source source = {get, w};

	return rk_trust_update(w->trust, &request, &source, NULL);
}

/* --- files of a level --- */

static struct rk_err *check_hash(const char *name, const struct bytes *bytes, const char *sha256)
{
	char hex[RK_SHA256_HEX_SIZE];

	RK_TRY(rk_sha256_bytes(bytes->v, bytes->len, hex));
	if (!rk_streq(hex, sha256))
		return rk_err(RK_ERR_HASH, "'%s': its SHA-256 isn't the one that was signed", name);
	return NULL;
}

static struct rk_err *fetch(struct walker *w, const char *name, size_t max, struct bytes *ret)
{
	const struct rk_trust_source *source = w->walk->source;

	return source->get(source->ctx, name, max, &ret->v, &ret->len);
}

static struct rk_err *visit_module(struct walker *w, const char *name,
				   const struct rk_release *release,
				   const struct rk_release_level *level)
{
	const struct rk_repo_walk *walk = w->walk;
	struct bytes got = {};

	if (is_visited(w, name))
		return NULL;
	if (walk->has_file && walk->has_file(walk->ctx, name, level->length, level->sha256))
		return NULL;
	RK_TRY(fetch(w, name, level->length, &got));
	_cleanup_free_ char *bytes = got.v;
	RK_TRY(rk_trust_check_module_bytes(name, bytes, got.len, release, level));
	return hand_over(w, name, bytes, got.len);
}

/* sha256 NULL: not signed for itself (the manifest: what counts is the one in the module). */
static struct rk_err *visit_record(struct walker *w, const char *name, const char *sha256)
{
	struct bytes got = {};

	if (is_visited(w, name))
		return NULL;
	RK_TRY(fetch(w, name, RK_RECORD_SIZE_MAX, &got));
	_cleanup_free_ char *bytes = got.v;
	if (sha256)
		RK_TRY(check_hash(name, &got, sha256));
	return hand_over(w, name, bytes, got.len);
}

static struct rk_err *visit_level(struct walker *w, const struct rk_release *release,
				  const struct rk_release_level *level)
{
	const char *build_id = release->kernel.build_id;
	_cleanup_free_ char *module = rk_name_file(build_id, level->sha256, RK_FILE_MODULE);
	_cleanup_free_ char *manifest = rk_name_file(build_id, level->sha256, RK_FILE_MANIFEST);
	_cleanup_free_ char *evidence = rk_name_file(build_id, level->sha256, RK_FILE_EVIDENCE);

	if (!module || !manifest || !evidence)
		return rk_err_nomem();
	w->done.levels++;
	RK_TRY(visit_module(w, module, release, level));
	RK_TRY(visit_record(w, manifest, NULL));
	return level->evidence_sha256 ? visit_record(w, evidence, level->evidence_sha256) : NULL;
}

/* --- releases --- */

static struct rk_err *visit_release(struct walker *w, const struct rk_index_kernel *kernel,
				    enum rk_channel channel)
{
	_cleanup_free_ char *name =
		rk_name_release(kernel->build_id, channel, kernel->channels[channel].version);
	const struct rk_release *release;

	if (!name)
		return rk_err_nomem();
	struct rk_err *err = update(w, kernel->build_id, channel);
	if (err && w->walk->is_partial && rk_err_code(err) == RK_ERR_NOT_FOUND) {
		rk_err_free(err);
		return NULL;
	}
	if (err)
		return err;
	RK_TRY(rk_trust_release(w->trust, kernel->build_id, channel, &release));
	w->done.releases++;
	rk_report_note(w->walk->reporter, "%s: %zu levels", name, release->levels.nr);
	rk_vec_for_each(&release->levels, level)
		RK_TRY(visit_level(w, release, level));
	RK_TRY(hand_over(w, name, w->release_file.v, w->release_file.len));
	return w->walk->on_release ? w->walk->on_release(w->walk->ctx, release) : NULL;
}

static struct rk_err *visit_kernel(struct walker *w, const struct rk_index_kernel *kernel)
{
	size_t releases = w->done.releases;

	for (size_t i = 0; i < RK_CHANNELS; i++) {
		enum rk_channel channel = (enum rk_channel)i;

		if (!kernel->channels[i].version)
			continue;
		if (w->walk->wants && !w->walk->wants(w->walk->ctx, kernel, channel))
			continue;
		RK_TRY(visit_release(w, kernel, channel));
	}
	w->done.kernels += w->done.releases > releases;
	return NULL;
}

static struct rk_err *visit_shard(struct walker *w, unsigned int nr)
{
	const struct rk_shard shard = rk_trust_timestamp(w->trust)->shards[nr];
	_cleanup_free_ char *name = rk_name_index(shard.sha256);
	_cleanup_index_ struct rk_index *index = NULL;
	struct bytes got = {};

	if (!name)
		return rk_err_nomem();
	if (is_visited(w, name))
		return NULL;
	RK_TRY(fetch(w, name, shard.length, &got));
	_cleanup_free_ char *bytes = got.v;
	if (got.len != shard.length)
		return rk_err(RK_ERR_MIX, "'%s' is not the one that was signed for this time",
			      name);
	RK_TRY(check_hash(name, &got, shard.sha256));
	RK_TRY(rk_index_parse(name, bytes, got.len, &index));
	rk_vec_for_each(&index->kernels, kernel) {
		if (rk_shard_of(kernel->build_id) != nr)
			return rk_err(RK_ERR_FORMAT, "'%s': kernel '%s' is in the wrong index",
				      name, kernel->build_id);
		RK_TRY(visit_kernel(w, kernel));
	}
	return hand_over(w, name, bytes, got.len);
}

/* --- roots and timestamp --- */

static struct rk_err *visit_signed(struct walker *w, const char *name, bool is_optional)
{
	struct bytes got = {};
	struct rk_err *err = fetch(w, name, RK_ROOT_SIZE_MAX, &got);

	if (err && is_optional && rk_err_code(err) == RK_ERR_NOT_FOUND) {
		rk_err_free(err);
		return NULL;
	}
	if (err)
		return err;
	err = hand_over(w, name, got.v, got.len);
	free(got.v);
	return err;
}

/* All roots there are: hosts begin with any of them. */
static struct rk_err *visit_roots(struct walker *w)
{
	for (uint64_t i = 1; i <= w->done.root; i++) {
		_cleanup_free_ char *name = rk_name_root(i);

		if (!name)
			return rk_err_nomem();
		RK_TRY(visit_signed(w, name, i < w->done.root));
	}
	return visit_signed(w, RK_NAME_ROOT, false);
}

static struct rk_err *walk_all(struct walker *w)
{
	RK_TRY(rk_trust_open(NULL, w->walk->root_path, RK_TRUST_READ_ONLY, &w->trust));
	RK_TRY(update(w, NO_BUILD_ID, RK_CHANNEL_STABLE));
	w->done.root = rk_trust_root(w->trust)->version;
	w->done.timestamp = rk_trust_timestamp(w->trust)->version;
	w->done.timestamp_expires = rk_trust_timestamp(w->trust)->expires;
	for (unsigned int i = 0; i < RK_INDEX_SHARDS; i++) {
		rk_report_advance(w->walk->reporter, i, RK_INDEX_SHARDS, "parts");
		RK_TRY(visit_shard(w, i));
	}
	RK_TRY(visit_roots(w));
	return hand_over(w, RK_NAME_TIMESTAMP, w->timestamp.v, w->timestamp.len);
}

struct rk_err *rk_repo_walk(const struct rk_repo_walk *walk, struct rk_repo_walked *ret)
{
	struct walker w = {.walk = walk};
	struct rk_err *err = walk_all(&w);

	rk_trust_free(w.trust);
	free(w.timestamp.v);
	free(w.release_file.v);
	rk_map_deinit(&w.visited);
	rk_arena_deinit(&w.arena);
	if (!err)
		*ret = w.done;
	return err;
}
