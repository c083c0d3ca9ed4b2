/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The archive is written through libarchive; which paths are in it already is kept in a map. */
#include "lib/vm/initramfs.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/base/arena.h"
#include "lib/base/fs.h"
#include "lib/base/map.h"
#include "lib/base/str.h"

#define FILE_MAX      (512u << 20) /* of one file; the guest's memory is the real limit */
#define CONSOLE_MAJOR 5
#define CONSOLE_MINOR 1

struct rk_initramfs {
	struct rk_arena arena; /* of path and the map's keys */
	const char *path;
	struct archive *archive;
	struct rk_map present;
	size_t size;
};

static struct rk_err *archive_failed(const struct rk_initramfs *fs)
{
	const char *text = archive_error_string(fs->archive);

	return rk_err(RK_ERR_SYS, "cannot write '%s': %s", fs->path, text ? text : "unknown error");
}

/* Marks path as present; *ret_is_new is false when it was. */
static struct rk_err *mark(struct rk_initramfs *fs, const char *path, bool *ret_is_new)
{
	char *key;

	if (rk_map_get(&fs->present, path)) {
		*ret_is_new = false;
		return NULL;
	}
	key = rk_arena_strdup(&fs->arena, path);
	if (!key || !rk_map_set(&fs->present, key, key))
		return rk_err_nomem();
	*ret_is_new = true;
	return NULL;
}

static struct rk_err *write_entry(struct rk_initramfs *fs, struct archive_entry *entry,
				  const void *data, size_t size)
{
	archive_entry_set_mtime(entry, 0, 0);
	archive_entry_set_uid(entry, 0);
	archive_entry_set_gid(entry, 0);
	archive_entry_set_nlink(entry, 1);
	if (archive_write_header(fs->archive, entry) != ARCHIVE_OK)
		return archive_failed(fs);
	if (size && archive_write_data(fs->archive, data, size) != (la_ssize_t)size)
		return archive_failed(fs);
	return NULL;
}

static struct rk_err *write_node(struct rk_initramfs *fs, const char *path, mode_t mode, dev_t dev,
				 const char *target, const void *data, size_t size)
{
	struct archive_entry *entry = archive_entry_new();
	struct rk_err *err;

	if (!entry)
		return rk_err_nomem();
	archive_entry_set_pathname(entry, path[0] == '/' ? path + 1 : path);
	archive_entry_set_mode(entry, mode);
	archive_entry_set_size(entry, (la_int64_t)size);
	archive_entry_set_rdev(entry, dev);
	if (target)
		archive_entry_set_symlink(entry, target);
	err = write_entry(fs, entry, data, size);
	archive_entry_free(entry);
	return err;
}

struct rk_err *rk_initramfs_add_dir(struct rk_initramfs *fs, const char *guest_path)
{
	_cleanup_free_ char *path = strdup(guest_path);
	bool is_new;

	if (!path)
		return rk_err_nomem();
	for (char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
		if (slash)
			*slash = 0;
		RK_TRY(mark(fs, path, &is_new));
		if (is_new)
			RK_TRY(write_node(fs, path, S_IFDIR | 0755, 0, NULL, NULL, 0));
		if (!slash)
			return NULL;
		*slash = '/';
	}
}

/* The directory of guest_path. *ret_is_new is false when something is at guest_path already. */
static struct rk_err *prepare(struct rk_initramfs *fs, const char *guest_path, bool *ret_is_new)
{
	const char *slash = strrchr(guest_path, '/');
	_cleanup_free_ char *dir = NULL;

	if (guest_path[0] != '/' || !slash[1])
		return rk_err(RK_ERR_INVALID, "'%s' is not an absolute path of a file", guest_path);
	dir = strndup(guest_path, (size_t)(slash - guest_path));
	if (!dir)
		return rk_err_nomem();
	if (dir[0])
		RK_TRY(rk_initramfs_add_dir(fs, dir));
	return mark(fs, guest_path, ret_is_new);
}

struct rk_err *rk_initramfs_add_bytes(struct rk_initramfs *fs, const char *guest_path, mode_t mode,
				      const void *data, size_t size)
{
	bool is_new;

	RK_TRY(prepare(fs, guest_path, &is_new));
	if (!is_new)
		return NULL;
	fs->size += size;
	return write_node(fs, guest_path, S_IFREG | mode, 0, NULL, data, size);
}

struct rk_err *rk_initramfs_add_file(struct rk_initramfs *fs, const char *guest_path, mode_t mode,
				     const char *host_path)
{
	_cleanup_free_ char *data = NULL;
	size_t size;

	RK_TRY(rk_fs_read(host_path, FILE_MAX, &data, &size));
	return rk_initramfs_add_bytes(fs, guest_path, mode, data, size);
}

struct rk_err *rk_initramfs_add_link(struct rk_initramfs *fs, const char *guest_path,
				     const char *to)
{
	bool is_new;

	RK_TRY(prepare(fs, guest_path, &is_new));
	return is_new ? write_node(fs, guest_path, S_IFLNK | 0777, 0, to, NULL, 0) : NULL;
}

size_t rk_initramfs_size(const struct rk_initramfs *fs)
{
	return fs->size;
}

static struct rk_err *start(struct rk_initramfs *fs)
{
	static const char *const dirs[] = {"/dev", "/proc", "/sys", "/tmp"};

	if (archive_write_set_format_cpio_newc(fs->archive) != ARCHIVE_OK ||
	    archive_write_open_filename(fs->archive, fs->path) != ARCHIVE_OK)
		return archive_failed(fs);
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		RK_TRY(rk_initramfs_add_dir(fs, dirs[i]));
	/* init's standard output and error, before it has mounted anything */
	return write_node(fs, "/dev/console", S_IFCHR | 0600, makedev(CONSOLE_MAJOR, CONSOLE_MINOR),
			  NULL, NULL, 0);
}

struct rk_err *rk_initramfs_create(const char *path, struct rk_initramfs **ret)
{
	struct rk_initramfs *fs = calloc(1, sizeof(*fs));
	struct rk_err *err;

	if (!fs)
		return rk_err_nomem();
	fs->path = rk_arena_strdup(&fs->arena, path);
	fs->archive = archive_write_new();
	err = fs->path && fs->archive ? start(fs) : rk_err_nomem();
	if (err) {
		rk_initramfs_abandon(fs);
		return err;
	}
	*ret = fs;
	return NULL;
}

static void destroy(struct rk_initramfs *fs)
{
	if (fs->archive)
		archive_write_free(fs->archive);
	rk_map_deinit(&fs->present);
	rk_arena_deinit(&fs->arena);
	free(fs);
}

struct rk_err *rk_initramfs_finish(struct rk_initramfs *fs)
{
	struct rk_err *err = NULL;

	if (archive_write_close(fs->archive) != ARCHIVE_OK)
		err = archive_failed(fs);
	destroy(fs);
	return err;
}

void rk_initramfs_abandon(struct rk_initramfs *fs)
{
	if (!fs)
		return;
	if (fs->path)
		unlink(fs->path);
	destroy(fs);
}
