/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The record of what is loaded at boot: one small file, written whole and durable, and what a boot says of the one before it. */
#include "lib/host/guard.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/json.h"
#include "lib/base/str.h"
#include "lib/host/json_write.h"
#include "lib/host/kernel.h"
#include "lib/host/state.h"

#define RECORD "kpatch-boot.json"

static const char *const phase_names[] = {
	[RK_GUARD_IDLE] = "idle",
	[RK_GUARD_LOADING] = "loading",
	[RK_GUARD_LOADED] = "loaded",
	[RK_GUARD_SKIPPED] = "skipped",
};

struct patch_words {
	struct rk_guarded patch;
	const char *phase;
};

static const struct rk_json_field guard_fields[] = {
	RK_JSON_FIELD(rk_guard, boot_id, "boot_id", STRING),
	RK_JSON_FIELD(rk_guard, at, "at", TIME),
	RK_JSON_FIELD(rk_guard, stopped, "stopped", BOOL),
};
static const struct rk_json_field patch_fields[] = {
	RK_JSON_FIELD(patch_words, patch.name, "name", STRING),
	RK_JSON_FIELD(patch_words, patch.sha256, "sha256", SHA256),
	RK_JSON_FIELD(patch_words, phase, "phase", STRING),
	RK_JSON_FIELD(patch_words, patch.unclean, "unclean", U32),
	RK_JSON_FIELD(patch_words, patch.reason, "reason", STRING),
};

void rk_guard_free(struct rk_guard *guard)
{
	if (!guard)
		return;
	rk_vec_deinit(&guard->patches);
	rk_arena_deinit(&guard->arena);
	free(guard);
}

/* --- the file --- */

static struct rk_err *read_patch(const struct rk_json_reader *r, const json_t *list, size_t i,
				 struct rk_guard *guard)
{
	const json_t *entry = json_array_get(list, i);
	struct patch_words words = {};
	const char *path;
	unsigned int phase;

	RK_TRY(rk_json_entry(r, "", "patches", i, entry, &path));
	RK_TRY(rk_json_fields(r, path, entry, patch_fields, ARRAY_SIZE(patch_fields), &words));
	if (!rk_find_text(phase_names, RK_GUARD_PHASES, words.phase, &phase))
		return rk_json_wrong(r, path, "phase", json_object_get(entry, "phase"),
				     "idle, loading, loaded or skipped");
	words.patch.phase = phase;
	return rk_vec_push(&guard->patches, words.patch) ? NULL : rk_err_nomem();
}

static struct rk_err *parse(const char *text, size_t len, struct rk_guard *guard)
{
	struct rk_json_reader r = {.name = guard->path, .arena = &guard->arena};
	_cleanup_json_ json_t *root = NULL;
	const json_t *list;

	RK_TRY(rk_json_load_schema(guard->path, text, len, RK_GUARD_SCHEMA, &root));
	RK_TRY(rk_json_fields(&r, "", root, guard_fields, ARRAY_SIZE(guard_fields), guard));
	RK_TRY(rk_json_list(&r, "", root, "patches", false, &list));
	for (size_t i = 0; i < json_array_size(list); i++)
		RK_TRY(read_patch(&r, list, i, guard));
	return NULL;
}

/* Without a file, one of no boot. */
static struct rk_err *read_guard(const struct rk_host *host, struct rk_guard **ret)
{
	_cleanup_guard_ struct rk_guard *guard = calloc(1, sizeof(*guard));
	_cleanup_free_ char *text = NULL;
	size_t len = 0;

	if (!guard)
		return rk_err_nomem();
	guard->boot_id = "";
	guard->path = rk_arena_printf(&guard->arena, "%s/" RECORD, host->state_dir);
	if (!guard->path)
		return rk_err_nomem();
	struct rk_err *err = rk_host_check_owner(host, guard->path);
	if (!err)
		err = rk_fs_read(guard->path, RK_GUARD_MAX, &text, &len);
	if (!err)
		err = parse(text, len, guard);
	if (err && rk_err_errno(err) != ENOENT)
		return err;
	rk_err_free(err);
	*ret = take_ptr(guard);
	return NULL;
}

static struct rk_err *write_guard(const struct rk_guard *guard)
{
	_cleanup_json_ json_t *root = json_object();
	_cleanup_free_ char *text = NULL;
	json_t *list = json_array();

	if (!root) {
		json_decref(list);
		return rk_err_nomem();
	}
	RK_TRY(rk_json_set(root, "patches", list));
	RK_TRY(rk_json_set(root, "schema", json_string(RK_GUARD_SCHEMA)));
	RK_TRY(rk_json_write(root, guard_fields, ARRAY_SIZE(guard_fields), guard));
	rk_vec_for_each(&guard->patches, patch) {
		struct patch_words words = {*patch, phase_names[patch->phase]};
		json_t *entry = json_object();

		if (json_array_append_new(list, entry))
			return rk_err_nomem();
		RK_TRY(rk_json_write(entry, patch_fields, ARRAY_SIZE(patch_fields), &words));
	}
	RK_TRY(rk_json_dump(take_ptr(root), RK_JSON_READABLE, &text));
	/* the directory is readykernel's, of which nothing may have run here */
	RK_TRY(rk_fs_mkdir_parent(guard->path, 0755));
	return rk_fs_write(guard->path, text, strlen(text), 0644);
}

static struct rk_err *set_aside(const struct rk_host *host, bool keep, struct rk_err *why)
{
	_cleanup_err_ struct rk_err *reason = why;
	_cleanup_free_ char *path = rk_path_join(host->state_dir, RECORD);

	if (!path)
		return rk_err_nomem();
	if (keep)
		RK_TRY(rk_host_set_aside(host, path));
	return rk_err(RK_ERR_STATE,
		      "the record of what was loaded at boot can't be believed; nothing is loaded "
		      "in this boot: %s",
		      rk_err_message(reason));
}

static bool is_damage(const struct rk_err *err)
{
	return rk_err_code(err) != RK_ERR_NOMEM && rk_err_code(err) != RK_ERR_SYS;
}

/* --- what a boot says of the one before it --- */

/* The clock when this boot began is the latest that the other can have ended; one that went back tells nothing, which leaves the count. */
static bool is_early(const struct rk_guard *guard, int64_t booted)
{
	int64_t since = booted - guard->at;

	return since >= 0 && since <= RK_GUARD_WINDOW;
}

static void skip(struct rk_guarded *patch, const char *reason)
{
	patch->phase = RK_GUARD_SKIPPED;
	patch->reason = reason;
}

static void judge(struct rk_guard *guard, int64_t booted)
{
	bool is_known = false; /* which it was */
	size_t nr = 0;

	rk_vec_for_each(&guard->patches, patch)
		is_known |= patch->phase == RK_GUARD_LOADING;
	rk_vec_for_each(&guard->patches, patch) {
		if (guard->stopped && patch->phase != RK_GUARD_SKIPPED)
			continue;
		if (patch->phase == RK_GUARD_LOADING)
			skip(patch, "the host went down while it was being loaded");
		else if (patch->phase == RK_GUARD_LOADED && !is_known) {
			patch->phase = RK_GUARD_IDLE;
			if (is_early(guard, booted))
				skip(patch, "the host went down soon after it had been loaded");
			else if (++patch->unclean >= RK_GUARD_LIMIT)
				skip(patch, "the host went down without a shutdown again and again "
					    "with it loaded");
		} else if (patch->phase == RK_GUARD_LOADED)
			patch->phase = RK_GUARD_IDLE;
		guard->patches.v[nr++] = *patch;
	}
	guard->patches.nr = nr;
}

/* The record becomes this boot's. */
static struct rk_err *begin_boot(const struct rk_host *host, struct rk_guard *guard)
{
	const char *boot_id;
	int64_t booted;

	RK_TRY(rk_boot_read(host->proc, &guard->arena, &boot_id, &booted));
	bool is_other = !rk_streq(guard->boot_id, boot_id);
	bool is_changed = guard->patches.nr && (is_other || guard->stopped);
	if (is_other)
		judge(guard, booted);
	guard->boot_id = boot_id;
	/* also when the unit was stopped and started again: this boot goes on */
	guard->stopped = false;
	return is_changed ? write_guard(guard) : NULL;
}

struct rk_err *rk_guard_open(const struct rk_host *host, bool keep, struct rk_guard **ret)
{
	_cleanup_guard_ struct rk_guard *guard = NULL;

	struct rk_err *err = read_guard(host, &guard);
	if (err)
		return is_damage(err) ? set_aside(host, keep, err) : err;
	if (keep)
		RK_TRY(begin_boot(host, guard));
	*ret = take_ptr(guard);
	return NULL;
}

/* --- a patch --- */

static struct rk_guarded *find(const struct rk_guard *guard, const char *name, const char *sha256)
{
	rk_vec_for_each(&guard->patches, patch)
		if (rk_streq(patch->name, name) && rk_streq(patch->sha256, sha256))
			return patch;
	return NULL;
}

struct rk_err *rk_guard_check(const struct rk_guard *guard, const char *name, const char *sha256)
{
	const struct rk_guarded *patch = find(guard, name, sha256);

	if (!patch || patch->phase != RK_GUARD_SKIPPED)
		return NULL;
	return rk_err(RK_ERR_VERDICT,
		      "left out, because %s; if that was not its doing (a power cut), 'kpatch load "
		      "%s' tries it again",
		      patch->reason, name);
}

struct rk_err *rk_guard_check_level(const struct rk_host *host, const char *build_id,
				    uint64_t level)
{
	_cleanup_host_state_ struct rk_host_state *state = NULL;
	const struct rk_level_note *note;
	struct rk_err *err = rk_host_state_read(host, &state);

	if (err) {
		rk_err_free(err);
		return NULL;
	}
	note = rk_host_state_find(state, build_id, level);
	if (!note || note->verdict != RK_VERDICT_BLOCKED)
		return NULL;
	return rk_err(RK_ERR_VERDICT,
		      "left out, because readykernel blocked level %" PRIu64
		      " on this host: %s; 'readykernel load --force %" PRIu64 "' tries it again",
		      level, note->reason, level);
}

struct rk_err *rk_guard_begin(const struct rk_host *host, struct rk_guard *guard, const char *name,
			      const char *sha256)
{
	struct rk_guarded *patch = find(guard, name, sha256);

	if (!patch) {
		struct rk_guarded fresh = {
			.name = rk_arena_strdup(&guard->arena, name),
			.sha256 = rk_arena_strdup(&guard->arena, sha256),
			.reason = "",
		};

		if (!fresh.name || !fresh.sha256 || !rk_vec_push(&guard->patches, fresh))
			return rk_err_nomem();
		patch = &guard->patches.v[guard->patches.nr - 1];
	}
	patch->phase = RK_GUARD_LOADING;
	guard->at = rk_host_time(host);
	return rk_err_wrap(write_guard(guard), "nothing was loaded");
}

struct rk_err *rk_guard_end(struct rk_guard *guard, const char *name, const char *sha256,
			    bool loaded)
{
	struct rk_guarded *patch = find(guard, name, sha256);

	if (!patch)
		return NULL;
	patch->phase = loaded ? RK_GUARD_LOADED : RK_GUARD_IDLE;
	return write_guard(guard);
}

/* --- by command --- */

struct rk_err *rk_guard_stopped(const struct rk_host *host)
{
	_cleanup_guard_ struct rk_guard *guard = NULL;
	_cleanup_arena_ struct rk_arena arena = RK_ARENA_INIT;
	const char *boot_id;
	int64_t booted;

	RK_TRY(read_guard(host, &guard));
	RK_TRY(rk_boot_read(host->proc, &arena, &boot_id, &booted));
	if (!rk_streq(guard->boot_id, boot_id))
		return NULL;
	guard->stopped = true;
	return write_guard(guard);
}

/* Forgets name in the phases from first to last. */
static struct rk_err *forget(const struct rk_host *host, const char *name,
			     enum rk_guard_phase first, enum rk_guard_phase last)
{
	_cleanup_guard_ struct rk_guard *guard = NULL;
	size_t nr = 0;

	RK_TRY(read_guard(host, &guard));
	rk_vec_for_each(&guard->patches, patch)
		if (!rk_streq(patch->name, name) || patch->phase < first || patch->phase > last)
			guard->patches.v[nr++] = *patch;
	if (nr == guard->patches.nr)
		return NULL;
	guard->patches.nr = nr;
	return write_guard(guard);
}

struct rk_err *rk_guard_retry(const struct rk_host *host, const char *name)
{
	return forget(host, name, RK_GUARD_SKIPPED, RK_GUARD_SKIPPED);
}

struct rk_err *rk_guard_unloaded(const struct rk_host *host, const char *name)
{
	return forget(host, name, RK_GUARD_LOADING, RK_GUARD_LOADED);
}
