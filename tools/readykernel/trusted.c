/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between lib/trust, which knows what is signed, and lib/host, which knows what is installed: the store is opened, its release
 * becomes records, its notices a policy, and an installed level is held against its own signed file.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/fs.h"
#include "lib/base/utc.h"
#include "tools/readykernel/client.h"

static const char *below_root(struct readykernel *rk, const char *path)
{
	return rk_arena_printf(&rk->arena, "%s%s", rk->host->root, path);
}

const char *readykernel_root_file(struct readykernel *rk)
{
	return below_root(rk, "/etc/readykernel/root.signed");
}

const char *readykernel_licence_file(struct readykernel *rk)
{
	return below_root(rk, "/etc/readykernel/licence.signed");
}

/* --- what else tells what was accepted --- */

typedef struct rk_err *verify_fn(const struct rk_trust *trust, const struct rk_signed *file,
				 enum rk_role_kind role);

static struct rk_err *verify_now(const struct rk_trust *trust, const struct rk_signed *file,
				 enum rk_role_kind role)
{
	return rk_signed_verify(file, &rk_trust_root(trust)->roles[role]);
}

static struct rk_err *verified_release(const struct rk_trust *trust, const struct rk_patch *patch,
				       verify_fn *verify, struct rk_release **ret)
{
	_cleanup_free_ char *bytes = NULL;
	struct rk_signed file;
	enum rk_channel channel;
	size_t len;

	RK_TRY(rk_channel_parse(patch->channel, &channel));
	RK_TRY(rk_fs_read(patch->signed_path, RK_RELEASE_SIZE_MAX, &bytes, &len));
	RK_TRY(rk_signed_parse(patch->signed_path, bytes, len, &file));
	RK_TRY(verify(trust, &file, rk_role_of_channel(channel)));
	return rk_release_parse(patch->signed_path, file.payload, file.payload_len, ret);
}

/* The newest release that one of the installed levels came from. */
static struct rk_err *find_witnessed_release(const struct readykernel *rk,
					     struct rk_trust_witness *witness)
{
	rk_vec_for_each(&rk->patches->list, it) {
		_cleanup_release_ struct rk_release *release = NULL;

		if (!it->signed_path || !rk_streq(it->channel, rk_channel_name(witness->channel)))
			continue;
		/* what can't be verified says nothing */
		_cleanup_err_ struct rk_err *err =
			verified_release(rk->trust, it, verify_now, &release);
		if (err && rk_err_code(err) == RK_ERR_NOMEM)
			return take_ptr(err);
		if (!err && rk_streq(release->kernel.build_id, witness->build_id) &&
		    release->version > witness->release)
			witness->release = release->version;
	}
	return NULL;
}

static struct rk_err *call_witness(struct readykernel *rk)
{
	struct rk_trust_witness witness = {
		.root = rk->state->seen_root,
		.timestamp = rk->state->seen_timestamp,
		.channel = rk->settings->channel,
	};

	snprintf(witness.build_id, sizeof(witness.build_id), "%s", rk->kernel->running.build_id);
	if (!witness.timestamp)
		RK_TRY(find_witnessed_release(rk, &witness));
	rk_trust_set_witness(rk->trust, &witness);
	return NULL;
}

/* --- opening --- */

static struct rk_err *read_licence(struct readykernel *rk)
{
	const char *path = readykernel_licence_file(rk);
	_cleanup_free_ char *bytes = NULL;
	size_t len;

	if (!path)
		return rk_err_nomem();
	rk_licence_free(rk->licence);
	rk->licence = NULL;
	rk_err_free(rk->licence_problem);
	rk->licence_problem = NULL;
	if (!rk->trust || !rk_fs_exists(path))
		return NULL;
	struct rk_err *err = rk_fs_read(path, RK_LICENCE_SIZE_MAX, &bytes, &len);
	if (!err)
		err = rk_licence_read(rk_trust_root(rk->trust), path, bytes, len, &rk->licence);
	rk->licence_problem = err;
	return NULL;
}

/* A store that was removed is no store that was never filled: what its publisher has taken back isn't known any more. */
static struct rk_err *check_not_emptied(const struct readykernel *rk)
{
	if (!rk->state->seen_timestamp || rk_trust_timestamp(rk->trust))
		return NULL;
	return rk_err(RK_ERR_STATE,
		      "what was known of the repository is gone from '%s' ('readykernel update' "
		      "fetches it again)",
		      rk->host->trust_dir);
}

/* What can't be read any more is as if it had never come; the next update fetches it again. */
struct rk_err *readykernel_reread_trust(struct readykernel *rk)
{
	rk->release = NULL;
	if (rk->trust && rk->kernel->running.build_id) {
		struct rk_err *err = rk_trust_release(rk->trust, rk->kernel->running.build_id,
						      rk->settings->channel, &rk->release);
		if (!err)
			err = check_not_emptied(rk);
		rk_err_free(rk->trust_problem);
		rk->trust_problem = err;
	}
	return read_licence(rk);
}

struct rk_err *readykernel_open_trust(struct readykernel *rk)
{
	const char *root_file = readykernel_root_file(rk);
	enum rk_trust_mode mode =
		rk->need == READYKERNEL_READ ? RK_TRUST_READ_ONLY : RK_TRUST_READ_WRITE;

	if (!root_file)
		return rk_err_nomem();
	if (!rk_fs_exists(root_file)) {
		rk->trust_problem = rk_err(RK_ERR_NO_ROOT,
					   "there is no '%s': no repository is trusted", root_file);
		return NULL;
	}
	rk->trust_problem = rk_trust_open(rk->host->trust_dir, root_file, mode, &rk->trust);
	if (rk->trust_problem)
		return NULL;
	if (rk->need != READYKERNEL_READ)
		RK_TRY(call_witness(rk));
	return readykernel_reread_trust(rk);
}

void readykernel_close_trust(struct readykernel *rk)
{
	rk->release = NULL; /* belongs to the store */
	rk_licence_free(take_ptr(rk->licence));
	rk_err_free(take_ptr(rk->licence_problem));
	rk_trust_free(take_ptr(rk->trust));
	rk_err_free(take_ptr(rk->trust_problem));
}

struct rk_err *readykernel_need_trust(struct readykernel *rk)
{
	return rk->trust ? NULL : take_ptr(rk->trust_problem);
}

/* --- notices --- */

static enum rk_passed judge(void *ctx, const char *build_id, uint64_t level)
{
	const struct readykernel *rk = ctx;

	if (!rk->trust)
		return RK_PASSED_NOT;
	switch (rk_trust_level_state(rk->trust, build_id, level, NULL)) {
	case RK_LEVEL_BLOCKED: return RK_PASSED_BLOCKED_BY_VENDOR;
	case RK_LEVEL_WITHDRAWN: return RK_PASSED_WITHDRAWN;
	case RK_LEVEL_BELOW_MINIMUM: return RK_PASSED_MINIMUM;
	default: return RK_PASSED_NOT;
	}
}

struct rk_policy readykernel_policy(struct readykernel *rk)
{
	return (struct rk_policy){judge, rk};
}

/* --- a level of the release as a record --- */

/* Sorted, each once. */
static void sort_cves(struct rk_patch *patch)
{
	size_t kept = 0;

	if (!patch->nr_cves)
		return;
	qsort(patch->cves, patch->nr_cves, sizeof(*patch->cves), rk_compare_texts);
	for (size_t i = 0; i < patch->nr_cves; i++)
		if (!kept || !rk_streq(patch->cves[i], patch->cves[kept - 1]))
			patch->cves[kept++] = patch->cves[i];
	patch->nr_cves = kept;
}

/* What each level adds, up to this one. */
static struct rk_err *add_cves(const struct rk_release *release, uint64_t level,
			       struct rk_arena *arena, struct rk_patch *patch)
{
	size_t nr = 0;

	rk_vec_for_each(&release->levels, it)
		nr += it->level <= level ? it->cves_added.nr : 0;
	patch->cves = rk_arena_calloc(arena, nr ? nr : 1, sizeof(*patch->cves));
	if (!patch->cves)
		return rk_err_nomem();
	rk_vec_for_each(&release->levels, it)
		for (size_t i = 0; it->level <= level && i < it->cves_added.nr; i++)
			patch->cves[patch->nr_cves++] = it->cves_added.v[i];
	sort_cves(patch);
	return NULL;
}

struct rk_err *readykernel_record(const struct rk_release *release,
				  const struct rk_release_level *level, struct rk_arena *arena,
				  struct rk_patch *ret)
{
	struct rk_patch patch = {
		.level = level->level,
		.name = level->name,
		.build_id = release->kernel.build_id,
		.release = release->kernel.release,
		.version = release->kernel.version,
		.arch = release->kernel.arch,
		.sha256 = level->sha256,
		.length = level->length,
		.channel = rk_channel_name(release->channel),
		.product = release->product,
		.released = level->released,
		.covered_until = release->covered_until,
		.official = true,
	};

	RK_TRY(add_cves(release, level->level, arena, &patch));
	*ret = patch;
	return NULL;
}

/* --- an installed level is what was signed --- */

static struct rk_err *check_level(struct readykernel *rk, const struct rk_patch *patch)
{
	_cleanup_release_ struct rk_release *release = NULL;
	const struct rk_release_level *level;

	/* after a rotation of keys it takes days until all releases are signed anew: until this kernel's is, what was installed under an
	 * earlier root holds, else a boot would leave the host without */
	RK_TRY(verified_release(rk->trust, patch, rk->release ? verify_now : rk_trust_verify_kept,
				&release));
	level = rk_release_find(release, patch->level);
	if (!level || !rk_streq(level->sha256, patch->sha256) ||
	    !rk_streq(release->kernel.build_id, patch->build_id))
		return rk_err(RK_ERR_MIX, "'%s' does not list level %llu as it is installed",
			      patch->signed_path, (unsigned long long)patch->level);
	return rk_trust_check_module(patch->module_path, release, level);
}

/* Whoever names a level isn't asked whether it may be loaded: what its publisher took back isn't, whatever else was said of it. */
static struct rk_err *check_notice(const struct rk_trust *trust, const struct rk_patch *patch)
{
	const struct rk_notice *notice = NULL;
	enum rk_level_state state =
		rk_trust_level_state(trust, patch->build_id, patch->level, &notice);

	if (state != RK_LEVEL_BLOCKED && state != RK_LEVEL_WITHDRAWN)
		return NULL;
	return rk_err(RK_ERR_VERDICT, "level %llu %s by its publisher%s%s",
		      (unsigned long long)patch->level,
		      state == RK_LEVEL_BLOCKED ? "is blocked" : "was withdrawn",
		      notice->reason ? ": " : "", notice->reason ? notice->reason : "");
}

struct rk_err *readykernel_verify(void *ctx, const struct rk_patch *patch)
{
	struct readykernel *rk = ctx;

	if (!patch->official) /* its record and hash are all there is; lib/host checks them */
		return NULL;
	if (!rk->trust)
		return rk_err(RK_ERR_STATE, "'%s' cannot be verified: %s", patch->module_path,
			      rk->trust_problem ? rk_err_message(rk->trust_problem) : "no trust");
	if (!patch->signed_path)
		return rk_err(RK_ERR_STATE, "'%s' has lost its signed file", patch->module_path);
	RK_TRY(check_notice(rk->trust, patch));
	return check_level(rk, patch);
}

/* --- the licence --- */

enum rk_licence_state readykernel_licence_state(const struct readykernel *rk)
{
	return rk_licence_state(rk->licence, rk_host_time(rk->host));
}

static struct rk_err *ended(const struct readykernel *rk)
{
	char when[RK_UTC_TEXT_SIZE];

	return rk_err(
		RK_ERR_EXPIRED,
		"licence '%s' ended at %s: no new levels are fetched; what is loaded stays and "
		"can be unloaded (see 'readykernel licence install')",
		rk->licence->id, rk_utc_format(rk->licence->not_after, when));
}

struct rk_err *readykernel_may_fetch(const struct readykernel *rk)
{
	int64_t now = rk_host_time(rk->host);
	const char *product = rk->release ? rk->release->product : NULL;

	if (rk->licence_problem)
		return rk_err(rk_err_code(rk->licence_problem), "%s",
			      rk_err_message(rk->licence_problem));
	if (!rk->licence) /* whoever publishes for holders only lets nobody else fetch */
		return NULL;
	switch (rk_licence_state(rk->licence, now)) {
	case RK_LICENCE_EXPIRED: return ended(rk);
	case RK_LICENCE_FUTURE:
		return rk_err(RK_ERR_CLOCK, "licence '%s' is not valid yet; is the clock right?",
			      rk->licence->id);
	default: break;
	}
	if (product && !rk_licence_allows(rk->licence, now, product, rk->settings->channel))
		return rk_err(RK_ERR_EXPIRED,
			      "licence '%s' is not for product '%s' in channel '%s': no new levels "
			      "are fetched",
			      rk->licence->id, product, rk_channel_name(rk->settings->channel));
	return NULL;
}
