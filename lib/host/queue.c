/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The queue is a directory; its order is that of its names, which begin with the time. */
#include "lib/host/queue.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/fs.h"
#include "lib/base/json.h"
#include "lib/base/str.h"
#include "lib/host/json_write.h"

#define QUEUE_SCHEMA "readykernel-message/1"
#define NAME_DIGITS  20 /* of the time, and behind a '-' of the counter */
#define FILES_MAX    65536

/* "<20 digits>-<20 digits>.json" */
static bool is_name(const char *name)
{
	size_t first = strspn(name, "0123456789");

	return first == NAME_DIGITS && name[first] == '-' &&
	       strspn(name + first + 1, "0123456789") == NAME_DIGITS &&
	       rk_streq(name + 2 * NAME_DIGITS + 1, ".json");
}

struct names {
	struct rk_arena arena;
	rk_vec(const char *) list; /* in order */
};

static void names_deinit(struct names *names)
{
	rk_vec_deinit(&names->list);
	rk_arena_deinit(&names->arena);
}

static struct rk_err *list_names(const struct rk_host *host, struct names *ret)
{
	_cleanup_closedir_ DIR *stream = opendir(host->queue_dir);
	struct dirent *ent;

	if (!stream)
		return errno == ENOENT ? NULL
				       : rk_err_sys(errno, "cannot open '%s'", host->queue_dir);
	while ((ent = readdir(stream))) {
		const char *name;

		if (!is_name(ent->d_name))
			continue;
		if (ret->list.nr >= FILES_MAX)
			break;
		name = rk_arena_strdup(&ret->arena, ent->d_name);
		if (!name || !rk_vec_push(&ret->list, name))
			return rk_err_nomem();
	}
	if (ret->list.nr)
		qsort(ret->list.v, ret->list.nr, sizeof(*ret->list.v), rk_compare_texts);
	return NULL;
}

struct rk_err *rk_queue_remove(const struct rk_host *host, const char *name)
{
	_cleanup_free_ char *path = rk_path_join(host->queue_dir, name);

	if (!path)
		return rk_err_nomem();
	if (!is_name(name))
		return rk_err(RK_ERR_INVALID, "'%s' is no message of the queue", name);
	return rk_fs_unlink(path);
}

/* Removes the oldest until one more fits; the new one's name comes behind all that are there. */
static struct rk_err *make_room(const struct rk_host *host, int64_t now, char **ret_name)
{
	_cleanup_(names_deinit) struct names names = {};
	uint64_t time = now > 0 ? (uint64_t)now : 0, counter = 0;

	RK_TRY(list_names(host, &names));
	for (size_t i = 0; i + RK_QUEUE_MAX <= names.list.nr; i++)
		RK_TRY(rk_queue_remove(host, names.list.v[i]));
	if (names.list.nr) {
		const char *last = names.list.v[names.list.nr - 1];
		uint64_t last_time = strtoull(last, NULL, 10);

		/* the clock may have been set back */
		if (time <= last_time) {
			time = last_time;
			counter = strtoull(last + NAME_DIGITS + 1, NULL, 10) + 1;
		}
	}
	*ret_name = rk_asprintf("%0*" PRIu64 "-%0*" PRIu64 ".json", NAME_DIGITS, time, NAME_DIGITS,
				counter);
	return *ret_name ? NULL : rk_err_nomem();
}

static bool is_kind(const char *kind)
{
	return *kind && strspn(kind, "abcdefghijklmnopqrstuvwxyz-") == strlen(kind);
}

static struct rk_err *message_text(const char *kind, const char *boot_id, int64_t now,
				   const json_t *body, char **ret)
{
	_cleanup_json_ json_t *root = json_object();

	if (!root)
		return rk_err_nomem();
	RK_TRY(rk_json_set(root, "schema", json_string(QUEUE_SCHEMA)));
	RK_TRY(rk_json_set(root, "kind", json_string(kind)));
	RK_TRY(rk_json_set(root, "at", rk_json_time(now)));
	RK_TRY(rk_json_set(root, "boot_id", json_string(boot_id)));
	RK_TRY(rk_json_set(root, "body", json_deep_copy(body)));
	return rk_json_dump(take_ptr(root), RK_JSON_READABLE, ret);
}

struct rk_err *rk_queue_push(const struct rk_host *host, const char *kind, const char *boot_id,
			     const json_t *body)
{
	_cleanup_free_ char *text = NULL, *name = NULL, *path = NULL;
	int64_t now = rk_host_time(host);

	if (!is_kind(kind))
		return rk_err(RK_ERR_INVALID, "'%s' is no kind of message", kind);
	RK_TRY(message_text(kind, boot_id, now, body, &text));
	if (strlen(text) > RK_QUEUE_SIZE_MAX)
		return rk_err(RK_ERR_LIMIT, "a message of more than %u bytes can't be queued",
			      RK_QUEUE_SIZE_MAX);
	RK_TRY(rk_fs_mkdir_p(host->queue_dir, 0700));
	RK_TRY(make_room(host, now, &name));
	path = rk_path_join(host->queue_dir, name);
	return path ? rk_fs_write(path, text, strlen(text), 0600) : rk_err_nomem();
}

static struct rk_err *read_item(const struct rk_host *host, const char *name,
				struct rk_queue *queue)
{
	_cleanup_free_ char *path = rk_path_join(host->queue_dir, name), *text = NULL;
	_cleanup_json_ json_t *root = NULL;
	struct rk_queue_item item = {};
	const char *kind;
	size_t len;

	if (!path)
		return rk_err_nomem();
	RK_TRY(rk_host_check_owner(host, path));
	RK_TRY(rk_fs_read(path, RK_QUEUE_SIZE_MAX, &text, &len));
	RK_TRY(rk_json_load_schema(path, text, len, QUEUE_SCHEMA, &root));
	kind = json_string_value(json_object_get(root, "kind"));
	if (!kind || !is_kind(kind))
		return rk_err(RK_ERR_FORMAT, "'%s': 'kind' is no kind of message", path);
	item.name = rk_arena_strdup(&queue->arena, name);
	item.kind = rk_arena_strdup(&queue->arena, kind);
	item.message = root;
	if (!item.name || !item.kind || !rk_vec_push(&queue->list, item))
		return rk_err_nomem();
	(void)take_ptr(root);
	return NULL;
}

struct rk_err *rk_queue_list(const struct rk_host *host, struct rk_queue **ret)
{
	_cleanup_queue_ struct rk_queue *queue = calloc(1, sizeof(*queue));
	_cleanup_(names_deinit) struct names names = {};

	if (!queue)
		return rk_err_nomem();
	RK_TRY(list_names(host, &names));
	rk_vec_for_each(&names.list, name) {
		struct rk_err *err = read_item(host, *name, queue);

		if (err && rk_err_code(err) == RK_ERR_NOMEM)
			return err;
		rk_err_free(err);
	}
	*ret = take_ptr(queue);
	return NULL;
}

void rk_queue_free(struct rk_queue *queue)
{
	if (!queue)
		return;
	rk_vec_for_each(&queue->list, item)
		json_decref(item->message);
	rk_vec_deinit(&queue->list);
	rk_arena_deinit(&queue->arena);
	free(queue);
}
