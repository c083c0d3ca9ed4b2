/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Locks live beside the targets, not inside them, so that removing a target can't remove a lock somebody waits for. */
#include "lib/target/cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "lib/base/fs.h"
#include "lib/base/process.h"
#include "lib/base/str.h"

#define LOCK_POLL_NS (100 * 1000 * 1000L)
#define SILENT_POLLS \
	5 /* a look at who uses what takes a lock for a moment: nothing to talk about */
#define RECORD_NAME "part.json"

void rk_cache_slot_deinit(struct rk_cache_slot *slot)
{
	char **strings[] = {&slot->id,	     &slot->dir, &slot->image,	   &slot->build,
			    &slot->download, &slot->log, &slot->fetch_lock};

	if (!slot->id)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(strings); i++) {
		free(*strings[i]);
		*strings[i] = NULL;
	}
	if (slot->fetch_fd >= 0)
		close(slot->fetch_fd);
	if (slot->use_fd >= 0)
		close(slot->use_fd);
	slot->use_fd = slot->fetch_fd = -1;
}

/* "debian:REL" → "debian_REL": ':' would end a path in PATH-like lists and make rules. */
static char *directory_name(const char *id)
{
	char *name = strdup(id);
	char *colon = name ? strchr(name, ':') : NULL;

	if (colon)
		*colon = '_';
	return name;
}

struct rk_err *rk_cache_slot_init(const char *cache_dir, const char *id, struct rk_cache_slot *ret)
{
	_cleanup_slot_ struct rk_cache_slot slot = {.id = strdup(id), .use_fd = -1, .fetch_fd = -1};
	_cleanup_free_ char *name = directory_name(id);

	if (!slot.id || !name)
		return rk_err_nomem();
	slot.dir = rk_asprintf("%s/targets/%s", cache_dir, name);
	slot.fetch_lock = rk_asprintf("%s/locks/%s.fetch", cache_dir, name);
	if (!slot.dir || !slot.fetch_lock)
		return rk_err_nomem();
	slot.image = rk_path_join(slot.dir, "image");
	slot.build = rk_path_join(slot.dir, "build");
	slot.download = rk_path_join(slot.dir, "download");
	slot.log = rk_path_join(slot.dir, "prepare.log");
	if (!slot.image || !slot.build || !slot.download || !slot.log)
		return rk_err_nomem();
	*ret = slot;
	slot = (struct rk_cache_slot){.use_fd = -1, .fetch_fd = -1};
	return NULL;
}

static struct rk_err *use_lock_path(const struct rk_cache_slot *slot, const char *cache_dir,
				    char **ret)
{
	_cleanup_free_ char *locks = rk_path_join(cache_dir, "locks");
	const char *name = strrchr(slot->dir, '/') + 1;

	if (!locks)
		return rk_err_nomem();
	RK_TRY(rk_fs_mkdir_p(locks, 0755));
	*ret = rk_asprintf("%s/%s.use", locks, name);
	return *ret ? NULL : rk_err_nomem();
}

/* Waits for the lock, says so once, and stops waiting when the user interrupts. */
static struct rk_err *wait_lock(const struct rk_cache_slot *slot, const char *path,
				enum rk_lock mode, const struct rk_reporter *reporter,
				const char *what, int *ret_fd)
{
	const struct timespec pause = {.tv_nsec = LOCK_POLL_NS};

	for (unsigned int polls = 0;; polls++) {
		int fd = -1;

		RK_TRY(rk_fs_lock(path, mode, true, &fd));
		if (fd >= 0) {
			*ret_fd = fd;
			return NULL;
		}
		if (polls == SILENT_POLLS)
			rk_report_phase(reporter, "wait", "for another process that %s '%s'", what,
					slot->id);
		nanosleep(&pause, NULL);
		if (rk_is_interrupted())
			return rk_err(RK_ERR_INTERRUPTED, "interrupted while waiting for '%s'",
				      slot->id);
	}
}

struct rk_err *rk_cache_use(struct rk_cache_slot *slot, const char *cache_dir,
			    const struct rk_reporter *reporter)
{
	_cleanup_free_ char *path = NULL;

	RK_TRY(use_lock_path(slot, cache_dir, &path));
	return wait_lock(slot, path, RK_LOCK_SHARED, reporter, "removes", &slot->use_fd);
}

/* A part directory without a record is what a killed process left. */
static struct rk_err *sweep_part(const char *part_dir)
{
	_cleanup_free_ char *record = rk_path_join(part_dir, RECORD_NAME);

	if (!record)
		return rk_err_nomem();
	return rk_fs_exists(record) ? NULL : rk_fs_remove_tree(part_dir);
}

struct rk_err *rk_cache_begin_fetch(struct rk_cache_slot *slot, const struct rk_reporter *reporter)
{
	RK_TRY(wait_lock(slot, slot->fetch_lock, RK_LOCK_EXCLUSIVE, reporter, "fetches",
			 &slot->fetch_fd));
	/* Inherited by what we run, see above. */
	if (fcntl(slot->fetch_fd, F_SETFD, 0) < 0)
		return rk_err_sys(errno, "cannot share the lock '%s'", slot->fetch_lock);
	RK_TRY(sweep_part(slot->image));
	RK_TRY(sweep_part(slot->build));
	return rk_fs_mkdir_p(slot->dir, 0755);
}

void rk_cache_end_fetch(struct rk_cache_slot *slot)
{
	if (slot->fetch_fd < 0)
		return;
	/* Succeeds only where nothing was fetched: a release that doesn't exist leaves nothing. */
	rmdir(slot->download);
	rmdir(slot->dir);
	close(slot->fetch_fd);
	slot->fetch_fd = -1;
}

struct rk_err *rk_cache_remove(struct rk_cache_slot *slot, const char *cache_dir)
{
	_cleanup_free_ char *path = NULL;

	if (!rk_fs_is_dir(slot->dir))
		return rk_err(RK_ERR_NOT_FOUND, "target '%s' isn't in the cache '%s'", slot->id,
			      cache_dir);
	RK_TRY(use_lock_path(slot, cache_dir, &path));
	RK_TRY(rk_fs_lock(path, RK_LOCK_EXCLUSIVE, true, &slot->use_fd));
	if (slot->use_fd < 0)
		return rk_err_sys(EBUSY, "cannot remove '%s' while another process uses it",
				  slot->id);

	/* The records go first: what is left of a removal that is killed counts as nothing. */
	const char *parts[] = {slot->image, slot->build};
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		_cleanup_free_ char *record = rk_path_join(parts[i], RECORD_NAME);

		if (!record)
			return rk_err_nomem();
		if (unlink(record) < 0 && errno != ENOENT && errno != ENOTDIR)
			return rk_err_sys(errno, "cannot remove '%s'", record);
	}
	return rk_fs_remove_tree(slot->dir);
}

struct rk_err *rk_cache_in_use(const struct rk_cache_slot *slot, const char *cache_dir, bool *ret)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_close_ int fd = -1;

	RK_TRY(use_lock_path(slot, cache_dir, &path));
	RK_TRY(rk_fs_lock(path, RK_LOCK_EXCLUSIVE, true, &fd));
	*ret = fd < 0;
	return NULL;
}

struct rk_err *rk_cache_part(const char *part_dir, bool *ret_found, struct rk_record *ret)
{
	_cleanup_free_ char *path = rk_path_join(part_dir, RECORD_NAME);

	if (!path)
		return rk_err_nomem();
	if (!rk_fs_exists(path)) {
		*ret_found = false;
		return NULL;
	}
	RK_TRY(rk_record_read(path, ret));
	*ret_found = true;
	return NULL;
}

struct rk_err *rk_cache_commit(const char *part_dir, struct rk_record *record)
{
	_cleanup_free_ char *path = rk_path_join(part_dir, RECORD_NAME);

	if (!path)
		return rk_err_nomem();
	RK_TRY(rk_fs_usage(part_dir, &record->bytes));
	return rk_record_write(path, record);
}

void rk_cache_ids_deinit(struct rk_cache_ids *ids)
{
	rk_vec_for_each(&ids->list, id)
		free(*id);
	rk_vec_deinit(&ids->list);
}

struct rk_err *rk_cache_list(const char *cache_dir, struct rk_cache_ids *ret)
{
	_cleanup_cache_ids_ struct rk_cache_ids ids = {};
	_cleanup_free_ char *path = rk_path_join(cache_dir, "targets");
	struct dirent *entry;

	if (!path)
		return rk_err_nomem();
	_cleanup_closedir_ DIR *dir = opendir(path);
	if (!dir && errno != ENOENT)
		return rk_err_sys(errno, "cannot read '%s'", path);
	while (dir && (entry = readdir(dir))) {
		char *separator = strchr(entry->d_name, '_');

		if (entry->d_name[0] == '.' || !separator)
			continue;
		*separator = ':';
		char *id = strdup(entry->d_name);
		if (!id || !rk_vec_push(&ids.list, id)) {
			free(id);
			return rk_err_nomem();
		}
	}
	*ret = ids;
	ids = (struct rk_cache_ids){};
	return NULL;
}
