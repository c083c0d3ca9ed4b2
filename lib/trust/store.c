/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opening a store: everything in it is verified again, from the root that came with the package. */
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/trust/store_internal.h"

/* --- roots --- */

struct rk_err *rk_root_read(const char *path, struct rk_root **ret)
{
	_cleanup_free_ char *bytes = NULL;
	_cleanup_root_ struct rk_root *root = NULL;
	struct rk_signed file;
	size_t len;

	RK_TRY(rk_fs_read(path, RK_ROOT_SIZE_MAX, &bytes, &len));
	RK_TRY(rk_signed_parse(path, bytes, len, &file));
	/* trusted because of where it lies; its own signatures show that it is whole */
	RK_TRY(rk_root_parse(path, file.payload, file.payload_len, &root));
	RK_TRY(rk_signed_verify(&file, &root->roles[RK_ROLE_ROOT]));
	*ret = take_ptr(root);
	return NULL;
}

static struct rk_err *bad_chain(struct rk_err *err, const char *name)
{
	_cleanup_err_ struct rk_err *inner = err;

	return rk_err(RK_ERR_CHAIN, "'%s' does not follow from the root before it: %s", name,
		      rk_err_message(inner));
}

struct rk_err *rk_root_read_next(const struct rk_root *old, const char *name, const char *bytes,
				 size_t len, struct rk_root **ret)
{
	_cleanup_root_ struct rk_root *root = NULL;
	struct rk_signed file;
	struct rk_err *err;

	RK_TRY(rk_signed_parse(name, bytes, len, &file));
	err = rk_signed_verify(&file, &old->roles[RK_ROLE_ROOT]);
	if (err)
		return bad_chain(err, name);
	RK_TRY(rk_root_parse(name, file.payload, file.payload_len, &root));
	err = rk_signed_verify(&file, &root->roles[RK_ROLE_ROOT]);
	if (err)
		return bad_chain(err, name);
	if (root->version <= old->version)
		return rk_err(RK_ERR_ROLLBACK, "'%s' is root %llu, root %llu is known already",
			      name, (unsigned long long)root->version,
			      (unsigned long long)old->version);
	if (root->version != old->version + 1)
		return rk_err(RK_ERR_CHAIN, "'%s' is root %llu where %llu must follow", name,
			      (unsigned long long)root->version,
			      (unsigned long long)old->version + 1);
	*ret = take_ptr(root);
	return NULL;
}

/* May all who could sign then sign still? Otherwise a key was taken out, perhaps because somebody else had it. */
static bool keeps_keys(const struct rk_role *old, const struct rk_role *new)
{
	for (size_t i = 0; i < old->nr_keys; i++)
		if (!rk_role_has_key(new, old->keys[i]->id))
			return false;
	return true;
}

/* The same as below, for what is known from elsewhere. */
static void forget_witnessed(struct rk_trust *trust, const struct rk_root *next)
{
	const struct rk_role *old = trust->root->roles;
	struct rk_trust_witness *witness = &trust->witness;
	enum rk_role_kind role = rk_role_of_channel(witness->channel);

	if (witness->root >= next->version)
		return;
	if (!keeps_keys(&old[RK_ROLE_TIMESTAMP], &next->roles[RK_ROLE_TIMESTAMP]))
		witness->timestamp = 0;
	if (!keeps_keys(&old[role], &next->roles[role]))
		witness->release = 0;
}

/* A version that was signed with a key that is no longer trusted says nothing: it may be a huge one, so that no later one could ever
 * follow. */
static void forget_versions(struct rk_trust *trust, const struct rk_root *next)
{
	const struct rk_role *old = trust->root->roles;

	/* only what was accepted under an older root can have been signed with such a key */
	if (trust->seen.root >= next->version)
		return;
	if (!keeps_keys(&old[RK_ROLE_TIMESTAMP], &next->roles[RK_ROLE_TIMESTAMP])) {
		trust->seen.timestamp = 0;
		trust->timestamp_counts = false;
	}
	for (size_t c = 0; c < RK_CHANNELS; c++) {
		enum rk_role_kind role = rk_role_of_channel((enum rk_channel)c);

		if (keeps_keys(&old[role], &next->roles[role]))
			continue;
		rk_vec_for_each(&trust->seen.releases, it)
			if (it->channel == (enum rk_channel)c)
				it->version = 0;
	}
}

void rk_trust_take_root(struct rk_trust *trust, struct rk_root *next)
{
	forget_versions(trust, next);
	forget_witnessed(trust, next);
	if (!rk_vec_push(&trust->earlier, trust->root))
		rk_root_free(trust->root);
	trust->root = next;
}

/* --- what is stored --- */

static struct rk_err *not_stored(const struct rk_trust *trust, const char *name, struct rk_err *err)
{
	_cleanup_err_ struct rk_err *inner = err;

	return rk_err(RK_ERR_STATE, "'%s/%s' isn't what was stored: %s",
		      trust->dir ? trust->dir : "", name, rk_err_message(inner));
}

static struct rk_err *went_back(const struct rk_trust *trust, const char *name, uint64_t version,
				uint64_t seen)
{
	return rk_err(
		RK_ERR_STATE,
		"'%s/%s' isn't what was stored: version %llu is older than %llu, which was seen",
		trust->dir ? trust->dir : "", name, (unsigned long long)version,
		(unsigned long long)seen);
}

static struct rk_err *parse_timestamp(const struct rk_root *root, const char *bytes, size_t len,
				      struct rk_timestamp **ret)
{
	struct rk_signed file;

	RK_TRY(rk_signed_parse(RK_NAME_TIMESTAMP, bytes, len, &file));
	RK_TRY(rk_signed_verify(&file, &root->roles[RK_ROLE_TIMESTAMP]));
	return rk_timestamp_parse(file.name, file.payload, file.payload_len, ret);
}

/* Verified with the root it was accepted under, or a later one. A timestamp that only an older root lets pass still says what is blocked, but
 * bounds nothing. */
static void try_timestamp(struct rk_trust *trust, const char *bytes, size_t len,
			  struct rk_err **error)
{
	struct rk_timestamp *timestamp;
	struct rk_err *err;

	if (!bytes || trust->root->version < trust->seen.root)
		return;
	err = parse_timestamp(trust->root, bytes, len, &timestamp);
	if (err) {
		if (!trust->timestamp && !*error)
			*error = err;
		else
			rk_err_free(err);
		return;
	}
	rk_err_free(*error);
	*error = NULL;
	rk_timestamp_free(trust->timestamp);
	trust->timestamp = timestamp;
	trust->timestamp_counts = true;
}

/* Follows the chain as far as it is stored, and finds the root of it that vouches for the stored timestamp. */
static struct rk_err *read_chain(struct rk_trust *trust, const char *timestamp, size_t len,
				 struct rk_err **error)
{
	for (;;) {
		_cleanup_free_ char *name = rk_name_root(trust->root->version + 1);
		_cleanup_free_ char *bytes = NULL;
		struct rk_root *next;
		size_t root_len;

		try_timestamp(trust, timestamp, len, error);
		if (!name)
			return rk_err_nomem();
		RK_TRY(rk_state_read(trust, name, RK_ROOT_SIZE_MAX, &bytes, &root_len));
		if (!bytes)
			return NULL;
		struct rk_err *err = rk_root_read_next(trust->root, name, bytes, root_len, &next);
		if (err)
			return not_stored(trust, name, err);
		rk_trust_take_root(trust, next);
	}
}

static struct rk_err *check_stored(struct rk_trust *trust, uint64_t seen_timestamp,
				   const char *timestamp, bool is_older_root)
{
	if (trust->root->version < trust->seen.root)
		return went_back(trust, "root", trust->root->version, trust->seen.root);
	if (seen_timestamp && !timestamp)
		return rk_err(RK_ERR_STATE, "'%s/" RK_NAME_TIMESTAMP "' is gone",
			      trust->dir ? trust->dir : "");
	/* a package with a newer root than any that was stored leaves the old timestamp without a voucher */
	if (!trust->timestamp && is_older_root)
		trust->seen.timestamp = 0;
	if (trust->timestamp && trust->timestamp->version < seen_timestamp)
		return went_back(trust, RK_NAME_TIMESTAMP, trust->timestamp->version,
				 seen_timestamp);
	return NULL;
}

static struct rk_err *read_stored(struct rk_trust *trust)
{
	_cleanup_free_ char *timestamp = NULL;
	_cleanup_err_ struct rk_err *error = NULL;
	size_t len;

	RK_TRY(rk_state_read_seen(trust));
	RK_TRY(rk_state_read(trust, RK_NAME_TIMESTAMP, RK_TIMESTAMP_SIZE_MAX, &timestamp, &len));
	uint64_t seen_timestamp = trust->seen.timestamp;
	trust->stored_root = trust->seen.root;
	trust->stored_timestamp = seen_timestamp;
	bool is_older_root = trust->seen.root < trust->root->version;
	RK_TRY(read_chain(trust, timestamp, len, &error));
	if (error && !is_older_root)
		return not_stored(trust, RK_NAME_TIMESTAMP, take_ptr(error));
	return check_stored(trust, seen_timestamp, timestamp, is_older_root);
}

struct rk_err *rk_trust_open(const char *dir, const char *root_path, enum rk_trust_mode mode,
			     struct rk_trust **ret)
{
	_cleanup_trust_ struct rk_trust *trust = calloc(1, sizeof(*trust));

	if (!trust)
		return rk_err_nomem();
	trust->lock = -1;
	trust->mode = mode;
	trust->dir = dir ? strdup(dir) : NULL;
	if (dir && !trust->dir)
		return rk_err_nomem();
	RK_TRY(rk_root_read(root_path, &trust->root));
	RK_TRY(rk_state_open(trust));
	RK_TRY(read_stored(trust));
	*ret = take_ptr(trust);
	return NULL;
}

void rk_trust_set_witness(struct rk_trust *trust, const struct rk_trust_witness *witness)
{
	struct rk_trust_witness counts = witness ? *witness : (struct rk_trust_witness){};

	/* the store rules over what it knows: it forgets in order what a stolen key has signed */
	if (trust->stored_root > counts.root ||
	    (trust->stored_root == counts.root && trust->stored_timestamp >= counts.timestamp))
		counts.root = counts.timestamp = 0;
	if (trust->stored_timestamp || counts.timestamp)
		counts.release = 0;
	trust->witness = counts;
}

void rk_trust_forget_read(struct rk_trust *trust)
{
	rk_vec_for_each(&trust->releases, it) {
		free(it->build_id);
		rk_release_free(it->release);
	}
	rk_vec_deinit(&trust->releases);
}

void rk_trust_free(struct rk_trust *trust)
{
	if (!trust)
		return;
	rk_trust_forget_read(trust);
	rk_timestamp_free(trust->timestamp);
	rk_root_free(trust->root);
	rk_vec_for_each(&trust->earlier, it)
		rk_root_free(*it);
	rk_vec_deinit(&trust->earlier);
	rk_state_close(trust);
	free(trust);
}

const struct rk_root *rk_trust_root(const struct rk_trust *trust)
{
	return trust->root;
}

const struct rk_timestamp *rk_trust_timestamp(const struct rk_trust *trust)
{
	return trust->timestamp;
}

struct rk_err *rk_trust_verify_kept(const struct rk_trust *trust, const struct rk_signed *file,
				    enum rk_role_kind role)
{
	_cleanup_err_ struct rk_err *err = rk_signed_verify(file, &trust->root->roles[role]);

	for (size_t i = trust->earlier.nr; err && i-- > 0;) {
		struct rk_err *earlier = rk_signed_verify(file, &trust->earlier.v[i]->roles[role]);

		if (!earlier)
			return NULL;
		rk_err_free(earlier);
	}
	return take_ptr(err);
}

static struct rk_err *read_release(const struct rk_trust *trust, const char *build_id,
				   enum rk_channel channel, struct rk_release **ret)
{
	_cleanup_free_ char *name = rk_state_release_name(build_id, channel);
	_cleanup_free_ char *bytes = NULL;
	_cleanup_release_ struct rk_release *release = NULL;
	uint64_t seen = rk_seen_release(&trust->seen, build_id, channel);
	struct rk_signed file;
	size_t len;

	*ret = NULL;
	if (!name)
		return rk_err_nomem();
	RK_TRY(rk_state_read(trust, name, RK_RELEASE_SIZE_MAX, &bytes, &len));
	if (!bytes)
		return seen ? rk_err(RK_ERR_STATE, "'%s/%s' is gone", trust->dir ? trust->dir : "",
				     name)
			    : NULL;
	struct rk_err *err = rk_signed_parse(name, bytes, len, &file);
	if (err)
		return not_stored(trust, name, err);
	RK_TRY(rk_signed_verify(&file, &trust->root->roles[rk_role_of_channel(channel)]));
	err = rk_release_parse(name, file.payload, file.payload_len, &release);
	if (err)
		return not_stored(trust, name, err);
	if (!rk_streq(release->kernel.build_id, build_id) || release->channel != channel)
		return rk_err(RK_ERR_STATE, "'%s/%s' is of another kernel or channel",
			      trust->dir ? trust->dir : "", name);
	if (release->version < seen)
		return went_back(trust, name, release->version, seen);
	*ret = take_ptr(release);
	return NULL;
}

struct rk_err *rk_trust_release(struct rk_trust *trust, const char *build_id,
				enum rk_channel channel, const struct rk_release **ret)
{
	struct rk_read_release item = {.channel = channel};

	/* it becomes part of a path */
	if (!rk_is_build_id(build_id))
		return rk_err(RK_ERR_NAME, "'%s' is no build-id", build_id);
	rk_vec_for_each(&trust->releases, it) {
		if (it->channel == channel && rk_streq(it->build_id, build_id)) {
			*ret = it->release;
			return NULL;
		}
	}
	RK_TRY(read_release(trust, build_id, channel, &item.release));
	item.build_id = strdup(build_id);
	if (!item.build_id || !rk_vec_push(&trust->releases, item)) {
		free(item.build_id);
		rk_release_free(item.release);
		return rk_err_nomem();
	}
	*ret = item.release;
	return NULL;
}

struct rk_err *rk_trust_release_bytes(const struct rk_trust *trust, const char *build_id,
				      enum rk_channel channel, char **ret, size_t *ret_len)
{
	_cleanup_free_ char *name = rk_state_release_name(build_id, channel);
	char *bytes = NULL;

	if (!name)
		return rk_err_nomem();
	RK_TRY(rk_state_read(trust, name, RK_RELEASE_SIZE_MAX, &bytes, ret_len));
	if (!bytes)
		return rk_err(RK_ERR_NOT_FOUND, "no release of channel '%s' is stored",
			      rk_channel_name(channel));
	*ret = bytes;
	return NULL;
}
