/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files of a store. Each is written whole and durable before the next, seen.json last: after a power cut a file may be newer
 * than what seen.json says, never older. An older one was put there by somebody.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/trust/internal.h"
#include "lib/trust/store_internal.h"

#define SEEN_SCHEMA   "readykernel-seen/1"
#define SEEN_SIZE_MAX (4u << 20)

static struct rk_err *tampered(const char *path, const char *what)
{
	return rk_err(RK_ERR_STATE, "'%s' %s", path, what);
}

/* Nobody but root and the one that runs this may be able to change it. */
static struct rk_err *check_owner(const char *path, const struct stat *st)
{
	if (st->st_uid != geteuid() && st->st_uid != 0)
		return tampered(path, "belongs to another user");
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return tampered(path, "may be written by others; make it yours only (chmod go-w)");
	return NULL;
}

static struct rk_err *check_dir(const char *dir)
{
	struct stat st;

	if (lstat(dir, &st) < 0)
		return rk_err_sys(errno, "cannot read '%s'", dir);
	if (!S_ISDIR(st.st_mode))
		return tampered(dir, "is no directory");
	return check_owner(dir, &st);
}

struct rk_err *rk_state_open(struct rk_trust *trust)
{
	_cleanup_free_ char *lock = NULL;
	_cleanup_free_ char *roots = NULL;

	if (!trust->dir)
		return NULL;
	if (trust->mode == RK_TRUST_READ_ONLY)
		return rk_fs_exists(trust->dir) ? check_dir(trust->dir) : NULL;
	lock = rk_path_join(trust->dir, "lock");
	roots = rk_path_join(trust->dir, "root");
	if (!lock || !roots)
		return rk_err_nomem();
	RK_TRY(rk_fs_mkdir_p(trust->dir, 0755));
	RK_TRY(check_dir(trust->dir));
	RK_TRY(rk_fs_mkdir_p(roots, 0755));
	return rk_fs_lock(lock, RK_LOCK_EXCLUSIVE, false, &trust->lock);
}

static const struct rk_held_file *find_held(const struct rk_trust *trust, const char *name)
{
	rk_vec_for_each(&trust->files, file)
		if (rk_streq(file->name, name))
			return file;
	return NULL;
}

static struct rk_err *check_file(const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return rk_err_sys(errno, "cannot read '%s'", path);
	if (!S_ISREG(st.st_mode))
		return tampered(path, "is no regular file");
	return check_owner(path, &st);
}

static struct rk_err *read_disk(const char *path, size_t max, char **ret, size_t *ret_len)
{
	struct stat st;

	if (lstat(path, &st) < 0 && errno == ENOENT)
		return NULL;
	/* the directory is ours alone: what is checked is what is read */
	RK_TRY(check_file(path));
	struct rk_err *err = rk_fs_read(path, max, ret, ret_len);
	if (err && rk_err_code(err) == RK_ERR_LIMIT) {
		rk_err_free(err);
		return tampered(path, "is larger than what was stored can be");
	}
	return err;
}

struct rk_err *rk_state_read(const struct rk_trust *trust, const char *name, size_t max, char **ret,
			     size_t *ret_len)
{
	const struct rk_held_file *held = find_held(trust, name);
	_cleanup_free_ char *path = trust->dir ? rk_path_join(trust->dir, name) : NULL;

	*ret = NULL;
	*ret_len = 0;
	if (held) {
		*ret = malloc(held->len + 1);
		if (!*ret)
			return rk_err_nomem();
		memcpy(*ret, held->bytes, held->len + 1);
		*ret_len = held->len;
		return NULL;
	}
	if (!trust->dir)
		return NULL;
	return path ? read_disk(path, max, ret, ret_len) : rk_err_nomem();
}

static struct rk_err *hold(struct rk_trust *trust, const char *name, const char *bytes, size_t len)
{
	struct rk_held_file *file = (struct rk_held_file *)find_held(trust, name);
	struct rk_held_file item = {.len = len};

	item.bytes = malloc(len + 1);
	if (!item.bytes)
		return rk_err_nomem();
	memcpy(item.bytes, bytes, len);
	item.bytes[len] = '\0';
	if (file) {
		free(file->bytes);
		file->bytes = item.bytes;
		file->len = len;
		return NULL;
	}
	item.name = strdup(name);
	if (!item.name || !rk_vec_push(&trust->files, item)) {
		free(item.name);
		free(item.bytes);
		return rk_err_nomem();
	}
	return NULL;
}

struct rk_err *rk_state_write(struct rk_trust *trust, const char *name, const char *bytes,
			      size_t len)
{
	_cleanup_free_ char *path = NULL;

	if (!trust->dir || trust->mode == RK_TRUST_READ_ONLY)
		return hold(trust, name, bytes, len);
	path = rk_path_join(trust->dir, name);
	return path ? rk_fs_write(path, bytes, len, 0644) : rk_err_nomem();
}

void rk_state_close(struct rk_trust *trust)
{
	rk_vec_for_each(&trust->files, file) {
		free(file->name);
		free(file->bytes);
	}
	rk_vec_deinit(&trust->files);
	rk_vec_deinit(&trust->seen.releases);
	if (trust->lock >= 0)
		close(trust->lock);
	free(trust->dir);
}

char *rk_state_index_name(unsigned int shard)
{
	return rk_asprintf("index.%x.json", shard);
}

char *rk_state_release_name(const char *build_id, enum rk_channel channel)
{
	return rk_asprintf("%s.%s.signed", build_id, rk_channel_name(channel));
}

/* --- what was seen --- */

uint64_t rk_seen_release(const struct rk_seen *seen, const char *build_id, enum rk_channel channel)
{
	rk_vec_for_each(&seen->releases, it)
		if (it->channel == channel && rk_streq(it->build_id, build_id))
			return it->version;
	return 0;
}

struct rk_err *rk_seen_set_release(struct rk_seen *seen, const char *build_id,
				   enum rk_channel channel, uint64_t version)
{
	struct rk_seen_release item = {.channel = channel, .version = version};

	rk_vec_for_each(&seen->releases, it) {
		if (it->channel != channel || !rk_streq(it->build_id, build_id))
			continue;
		it->version = version;
		return NULL;
	}
	snprintf(item.build_id, sizeof(item.build_id), "%s", build_id);
	return rk_vec_push(&seen->releases, item) ? NULL : rk_err_nomem();
}

static const struct rk_json_field seen_fields[] = {
	RK_JSON_FIELD(rk_seen, root, "root", U64),
	RK_JSON_FIELD(rk_seen, timestamp, "timestamp", U64),
};

struct release_fields {
	const char *build_id, *channel;
	uint64_t version;
};
static const struct rk_json_field release_fields[] = {
	RK_JSON_FIELD(release_fields, build_id, "build_id", STRING),
	RK_JSON_FIELD(release_fields, channel, "channel", STRING),
	RK_JSON_FIELD(release_fields, version, "version", U64),
};

static struct rk_err *parse_release(const struct rk_json_reader *r, size_t i, const json_t *entry,
				    struct rk_seen *seen)
{
	struct release_fields fields = {};
	enum rk_channel channel;
	const char *path;

	RK_TRY(rk_json_entry(r, "", "releases", i, entry, &path));
	RK_TRY(rk_json_fields(r, path, entry, release_fields, ARRAY_SIZE(release_fields), &fields));
	RK_TRY(rk_payload_check_build_id(r, path, fields.build_id));
	RK_TRY(rk_channel_parse(fields.channel, &channel));
	return rk_seen_set_release(seen, fields.build_id, channel, fields.version);
}

static struct rk_err *parse_seen(const char *bytes, size_t len, struct rk_seen *seen)
{
	_cleanup_arena_ struct rk_arena arena = RK_ARENA_INIT;
	struct rk_json_reader r = {RK_SEEN_NAME, &arena};
	_cleanup_json_ json_t *doc = NULL;
	const json_t *list;

	RK_TRY(rk_json_load_schema(r.name, bytes, len, SEEN_SCHEMA, &doc));
	RK_TRY(rk_json_fields(&r, "", doc, seen_fields, ARRAY_SIZE(seen_fields), seen));
	RK_TRY(rk_json_list(&r, "", doc, "releases", false, &list));
	for (size_t i = 0; i < json_array_size(list); i++)
		RK_TRY(parse_release(&r, i, json_array_get(list, i), seen));
	return NULL;
}

struct rk_err *rk_state_read_seen(struct rk_trust *trust)
{
	_cleanup_free_ char *bytes = NULL;
	size_t len;

	RK_TRY(rk_state_read(trust, RK_SEEN_NAME, SEEN_SIZE_MAX, &bytes, &len));
	if (!bytes)
		return NULL;
	_cleanup_err_ struct rk_err *err = parse_seen(bytes, len, &trust->seen);
	if (!err)
		return NULL;
	return rk_err(RK_ERR_STATE, "'%s/" RK_SEEN_NAME "' isn't what was stored: %s", trust->dir,
		      rk_err_message(err));
}

struct rk_err *rk_state_write_seen(struct rk_trust *trust)
{
	json_t *releases = json_array();
	_cleanup_free_ char *text = NULL;

	rk_vec_for_each(&trust->seen.releases, it)
		json_array_append_new(releases,
				      json_pack("{s:s, s:s, s:I}", "build_id", it->build_id,
						"channel", rk_channel_name(it->channel), "version",
						(json_int_t)it->version));
	RK_TRY(rk_json_dump(json_pack("{s:s, s:I, s:I, s:o}", "schema", SEEN_SCHEMA, "root",
				      (json_int_t)trust->seen.root, "timestamp",
				      (json_int_t)trust->seen.timestamp, "releases", releases),
			    RK_JSON_READABLE, &text));
	return rk_state_write(trust, RK_SEEN_NAME, text, strlen(text));
}
