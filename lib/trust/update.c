/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One update, in the order of trust: root chain, timestamp, index, release. Everything is checked against one time that is fixed at the
 * start; what was fetched is stored at the end, in an order that a power cut may end anywhere.
 */
#include <string.h>

#include "lib/base/str.h"
#include "lib/base/utc.h"
#include "lib/trust/store_internal.h"

struct bytes {
	char *v;
	size_t len;
};

/* An update under way: what was accepted so far and isn't stored yet. */
struct update {
	struct rk_trust *trust;
	const struct rk_trust_request *request;
	const struct rk_trust_source *source;
	struct rk_trust_news news;
	int64_t now;
	struct rk_timestamp *timestamp;
	struct bytes timestamp_bytes, index_bytes, release_bytes;
	uint64_t release_version; /* 0: no new one */
};

static void update_deinit(struct update *u)
{
	rk_timestamp_free(u->timestamp);
	free(u->timestamp_bytes.v);
	free(u->index_bytes.v);
	free(u->release_bytes.v);
}

/* Never more than max bytes, whatever the source does. */
static struct rk_err *get(struct update *u, const char *name, size_t max, struct bytes *ret)
{
	struct bytes got = {};

	RK_TRY(u->source->get(u->source->ctx, name, max, &got.v, &got.len));
	if (got.len > max) {
		free(got.v);
		return rk_err(RK_ERR_TOO_LARGE, "'%s' has more than %zu bytes", name, max);
	}
	free(ret->v);
	*ret = got;
	return NULL;
}

/* --- what is known from elsewhere --- */

static struct rk_err *check_witness(const char *name, uint64_t version, uint64_t witnessed)
{
	if (version >= witnessed)
		return NULL;
	return rk_err(
		RK_ERR_WITNESS,
		"'%s' has version %llu, but this host has accepted version %llu before what it "
		"knew was removed; if the repository was begun anew, say "
		"'readykernel check-update --begin-anew'",
		name, (unsigned long long)version, (unsigned long long)witnessed);
}

/* --- root --- */

static struct rk_err *next_root(struct update *u, bool *ret_is_last)
{
	struct rk_trust *trust = u->trust;
	_cleanup_free_ char *name = rk_name_root(trust->root->version + 1);
	struct bytes got = {};
	struct rk_root *next;

	if (!name)
		return rk_err_nomem();
	struct rk_err *err = get(u, name, RK_ROOT_SIZE_MAX, &got);
	if (err && rk_err_code(err) == RK_ERR_NOT_FOUND) {
		rk_err_free(err);
		*ret_is_last = true;
		return NULL;
	}
	if (err)
		return err;
	_cleanup_free_ char *bytes = got.v;
	RK_TRY(rk_root_read_next(trust->root, name, bytes, got.len, &next));
	err = rk_state_write(trust, name, bytes, got.len);
	if (err) {
		rk_root_free(next);
		return err;
	}
	rk_trust_take_root(trust, next);
	u->news.root_changed = true;
	return NULL;
}

static struct rk_err *update_root(struct update *u)
{
	bool is_last = false;

	for (int i = 0; !is_last; i++) {
		if (i == RK_ROOT_ROTATIONS_MAX)
			return rk_err(RK_ERR_TOO_LARGE, "more than %d new roots",
				      RK_ROOT_ROTATIONS_MAX);
		RK_TRY(next_root(u, &is_last));
	}
	RK_TRY(check_witness("root.signed", u->trust->root->version, u->trust->witness.root));
	if (u->now >= u->trust->root->expires)
		return rk_err(RK_ERR_EXPIRED,
			      "root %llu has expired, and the repository has no newer one",
			      (unsigned long long)u->trust->root->version);
	return NULL;
}

/* --- timestamp --- */

static struct rk_err *check_version(const struct update *u, const struct rk_timestamp *new)
{
	const struct rk_timestamp *old = u->trust->timestamp_counts ? u->trust->timestamp : NULL;

	if (new->version < u->trust->seen.timestamp || (old && new->version < old->version))
		return rk_err(RK_ERR_ROLLBACK,
			      "'" RK_NAME_TIMESTAMP "' has version %llu, version %llu was seen",
			      (unsigned long long)new->version,
			      (unsigned long long)(old ? old->version : u->trust->seen.timestamp));
	RK_TRY(check_witness(RK_NAME_TIMESTAMP, new->version, u->trust->witness.timestamp));
	if (!old || new->version != old->version)
		return NULL;
	/* a bundle's says the same for longer */
	for (size_t i = 0; i < RK_INDEX_SHARDS; i++)
		if (!rk_streq(new->shards[i].sha256, old->shards[i].sha256))
			return rk_err(RK_ERR_MIX,
				      "'" RK_NAME_TIMESTAMP
				      "' says something else than the one of version %llu before",
				      (unsigned long long)new->version);
	return NULL;
}

/* Here and not where it is read: one that was believed once must not be in the way of the next. */
static struct rk_err *check_times(const struct update *u, const struct rk_timestamp *new)
{
	int days = new->is_bundle ? RK_BUNDLE_DAYS_MAX : RK_TIMESTAMP_DAYS_MAX;

	if (new->expires - new->issued > days * RK_DAY_SECONDS)
		return rk_err(RK_ERR_CLOCK,
			      "'" RK_NAME_TIMESTAMP
			      "' is valid for more than %d days, and nothing would show that the "
			      "repository stands still; it must be signed again",
			      days);
	if (new->issued > u->now + RK_CLOCK_SKEW)
		return rk_err(RK_ERR_CLOCK,
			      "'" RK_NAME_TIMESTAMP
			      "' was issued %lld seconds from now: this host's clock is behind, or "
			      "the signer's ahead; set the clock",
			      (long long)(new->issued - u->now));
	if (u->now >= new->expires)
		return rk_err(RK_ERR_EXPIRED,
			      "'" RK_NAME_TIMESTAMP
			      "' expired %lld seconds ago: the repository or its mirror isn't kept "
			      "current, or this host's clock is ahead",
			      (long long)(u->now - new->expires));
	return NULL;
}

static struct rk_err *update_timestamp(struct update *u)
{
	struct rk_signed file;

	RK_TRY(get(u, RK_NAME_TIMESTAMP, RK_TIMESTAMP_SIZE_MAX, &u->timestamp_bytes));
	RK_TRY(rk_signed_parse(RK_NAME_TIMESTAMP, u->timestamp_bytes.v, u->timestamp_bytes.len,
			       &file));
	RK_TRY(rk_signed_verify(&file, &u->trust->root->roles[RK_ROLE_TIMESTAMP]));
	RK_TRY(rk_timestamp_parse(file.name, file.payload, file.payload_len, &u->timestamp));
	if (u->timestamp->is_bundle && !u->request->allow_bundle)
		return rk_err(RK_ERR_MIX,
			      "'" RK_NAME_TIMESTAMP "' was made for bundles, not for a repository");
	RK_TRY(check_version(u, u->timestamp));
	return check_times(u, u->timestamp);
}

/* --- index --- */

static bool is_that(const struct bytes *bytes, uint64_t length, const char *sha256)
{
	char hex[RK_SHA256_HEX_SIZE];

	if (bytes->len != length)
		return false;
	_cleanup_err_ struct rk_err *err = rk_sha256_bytes(bytes->v, bytes->len, hex);
	return !err && rk_streq(hex, sha256);
}

/* What is stored under this name already, if it is that. */
static struct rk_err *stored(const struct update *u, const char *name, uint64_t length,
			     const char *sha256, struct bytes *ret)
{
	struct bytes bytes = {};

	RK_TRY(rk_state_read(u->trust, name, length, &bytes.v, &bytes.len));
	if (bytes.v && is_that(&bytes, length, sha256))
		*ret = bytes;
	else
		free(bytes.v);
	return NULL;
}

static struct rk_err *fetch_exact(struct update *u, const char *name, uint64_t length,
				  const char *sha256, struct bytes *ret)
{
	RK_TRY(get(u, name, length, ret));
	if (!is_that(ret, length, sha256))
		return rk_err(RK_ERR_MIX, "'%s' is not the one that was signed for this time",
			      name);
	return NULL;
}

static struct rk_err *update_index(struct update *u, struct rk_index **ret)
{
	unsigned int nr = rk_shard_of(u->request->kernel->build_id);
	const struct rk_shard *shard = &u->timestamp->shards[nr];
	_cleanup_free_ char *name = rk_name_index(shard->sha256);
	_cleanup_free_ char *kept = rk_state_index_name(nr);

	if (!name || !kept)
		return rk_err_nomem();
	struct rk_err *err = stored(u, kept, shard->length, shard->sha256, &u->index_bytes);
	/* an index that is larger than the one that is signed now is simply an older one */
	rk_err_free(err);
	if (!u->index_bytes.v)
		RK_TRY(fetch_exact(u, name, shard->length, shard->sha256, &u->index_bytes));
	return rk_index_parse(name, u->index_bytes.v, u->index_bytes.len, ret);
}

/* --- release --- */

static struct rk_err *other_kernel(const char *name, const char *what, const char *is,
				   const char *wanted)
{
	return rk_err(RK_ERR_TARGET, "'%s' is for a kernel whose %s is '%s', this kernel's is '%s'",
		      name, what, is, wanted);
}

static struct rk_err *check_release(const struct update *u, const char *name,
				    const struct rk_release *release, uint64_t version)
{
	const struct rk_kernel_id *want = u->request->kernel;
	const struct rk_kernel_id *is = &release->kernel;

	if (!rk_streq(is->build_id, want->build_id))
		return rk_err(RK_ERR_MIX, "'%s' is the release of another kernel", name);
	if (release->channel != u->request->channel)
		return rk_err(RK_ERR_MIX, "'%s' is the release of channel '%s'", name,
			      rk_channel_name(release->channel));
	if (release->version != version)
		return rk_err(RK_ERR_MIX, "'%s' has version %llu", name,
			      (unsigned long long)release->version);
	if (want->release && !rk_streq(want->release, is->release))
		return other_kernel(name, "release", is->release, want->release);
	if (want->version && !rk_streq(want->version, is->version))
		return other_kernel(name, "version", is->version, want->version);
	if (want->arch && !rk_streq(want->arch, is->arch))
		return other_kernel(name, "architecture", is->arch, want->arch);
	return NULL;
}

static struct rk_err *read_release(const struct update *u, const char *name,
				   const struct bytes *bytes, uint64_t version)
{
	enum rk_role_kind role = rk_role_of_channel(u->request->channel);
	_cleanup_release_ struct rk_release *release = NULL;
	struct rk_signed file;

	RK_TRY(rk_signed_parse(name, bytes->v, bytes->len, &file));
	RK_TRY(rk_signed_verify(&file, &u->trust->root->roles[role]));
	RK_TRY(rk_release_parse(name, file.payload, file.payload_len, &release));
	return check_release(u, name, release, version);
}

static uint64_t witnessed_release(const struct update *u)
{
	const struct rk_trust_witness *witness = &u->trust->witness;

	return witness->channel == u->request->channel &&
			       rk_streq(witness->build_id, u->request->kernel->build_id)
		       ? witness->release
		       : 0;
}

static struct rk_err *update_release(struct update *u, const struct rk_index_release *entry)
{
	const char *build_id = u->request->kernel->build_id;
	uint64_t seen = rk_seen_release(&u->trust->seen, build_id, u->request->channel);
	_cleanup_free_ char *name = rk_name_release(build_id, u->request->channel, entry->version);
	_cleanup_free_ char *kept = rk_state_release_name(build_id, u->request->channel);

	if (!name || !kept)
		return rk_err_nomem();
	if (entry->version < seen)
		return rk_err(RK_ERR_ROLLBACK, "'%s' has version %llu, version %llu was seen", name,
			      (unsigned long long)entry->version, (unsigned long long)seen);
	RK_TRY(check_witness(name, entry->version, witnessed_release(u)));
	struct rk_err *err = stored(u, kept, entry->length, entry->sha256, &u->release_bytes);
	rk_err_free(err);
	if (!u->release_bytes.v) {
		RK_TRY(fetch_exact(u, name, entry->length, entry->sha256, &u->release_bytes));
		u->news.release_changed = true;
	}
	/* also a stored one: whose keys may sign can have changed */
	RK_TRY(read_release(u, name, &u->release_bytes, entry->version));
	u->release_version = entry->version;
	return NULL;
}

static struct rk_err *update_kernel(struct update *u)
{
	_cleanup_index_ struct rk_index *index = NULL;

	RK_TRY(update_index(u, &index));
	const struct rk_index_kernel *kernel = rk_index_find(index, u->request->kernel->build_id);
	if (!kernel || !kernel->channels[u->request->channel].version)
		return NULL;
	u->news.is_known = true;
	return update_release(u, &kernel->channels[u->request->channel]);
}

/* --- storing --- */

static struct rk_err *store_release(struct update *u)
{
	const char *build_id = u->request->kernel->build_id;
	_cleanup_free_ char *name = rk_state_release_name(build_id, u->request->channel);

	if (!u->news.release_changed)
		return NULL;
	if (!name)
		return rk_err_nomem();
	return rk_state_write(u->trust, name, u->release_bytes.v, u->release_bytes.len);
}

static struct rk_err *store_index(struct update *u)
{
	unsigned int nr = rk_shard_of(u->request->kernel->build_id);
	_cleanup_free_ char *name = rk_state_index_name(nr);

	if (!name)
		return rk_err_nomem();
	return rk_state_write(u->trust, name, u->index_bytes.v, u->index_bytes.len);
}

static bool has_timestamp_changed(const struct update *u)
{
	const struct rk_timestamp *old = u->trust->timestamp, *new = u->timestamp;

	return !old || old->version != new->version || old->issued != new->issued ||
	       old->expires != new->expires || old->is_bundle != new->is_bundle;
}

static struct rk_err *store_all(struct update *u)
{
	struct rk_trust *trust = u->trust;

	u->news.timestamp_changed = has_timestamp_changed(u);
	if (!u->news.timestamp_changed && !u->news.release_changed && !u->news.root_changed)
		return NULL;
	RK_TRY(store_release(u));
	RK_TRY(store_index(u));
	RK_TRY(rk_state_write(trust, RK_NAME_TIMESTAMP, u->timestamp_bytes.v,
			      u->timestamp_bytes.len));
	rk_timestamp_free(trust->timestamp);
	trust->timestamp = take_ptr(u->timestamp);
	trust->timestamp_counts = true;
	trust->seen.timestamp = trust->timestamp->version;
	trust->seen.root = trust->root->version;
	if (u->release_version)
		RK_TRY(rk_seen_set_release(&trust->seen, u->request->kernel->build_id,
					   u->request->channel, u->release_version));
	return rk_state_write_seen(trust);
}

/* The clock can be behind, but not behind what is signed. */
static void fix_time(struct update *u)
{
	const struct rk_trust *trust = u->trust;

	u->now = u->request->now;
	if (!trust->timestamp_counts || trust->timestamp->issued <= u->now)
		return;
	u->news.clock_behind_s = trust->timestamp->issued - u->now;
	u->now = trust->timestamp->issued;
}

struct rk_err *rk_trust_update(struct rk_trust *trust, const struct rk_trust_request *request,
			       const struct rk_trust_source *source, struct rk_trust_news *ret)
{
	_cleanup_(update_deinit) struct update u = {
		.trust = trust, .request = request, .source = source};

	if (!rk_is_build_id(request->kernel->build_id))
		return rk_err(RK_ERR_NAME, "'%s' is no build-id", request->kernel->build_id);
	fix_time(&u);
	RK_TRY(update_root(&u));
	RK_TRY(update_timestamp(&u));
	RK_TRY(update_kernel(&u));
	rk_trust_forget_read(trust);
	RK_TRY(store_all(&u));
	if (ret)
		*ret = u.news;
	return NULL;
}
