/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Directories: made, walked, measured, locked, removed. Walks go by descriptor and never follow a
 * symbolic link, so that a link put into a tree by somebody else leads nowhere.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "lib/base/fs.h"
#include "lib/base/map.h"
#include "lib/base/process.h"
#include "lib/base/str.h"

#define DEPTH_MAX    128 /* one descriptor a level; a kernel source tree is 14 deep */
#define LOCK_POLL_MS 50

static struct rk_err *mkdir_one(const char *path, mode_t mode)
{
	if (mkdir(path, mode) == 0)
		return NULL;
	/* EROFS and EACCES may come before EEXIST for a directory that is there. */
	int saved = errno;
	if (rk_fs_is_dir(path))
		return NULL;
	return rk_err_sys(saved == EEXIST ? ENOTDIR : saved, "cannot create directory '%s'", path);
}

struct rk_err *rk_fs_mkdir_p(const char *path, mode_t mode)
{
	_cleanup_free_ char *partial = strdup(path);

	if (!partial)
		return rk_err_nomem();
	for (char *p = partial + 1; partial[0] && *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		RK_TRY(mkdir_one(partial, mode));
		*p = '/';
	}
	return mkdir_one(path, mode);
}

struct rk_err *rk_fs_mkdir_parent(const char *path, mode_t mode)
{
	_cleanup_free_ char *parent = rk_path_parent(path);

	if (!parent)
		return rk_err_nomem();
	return rk_fs_is_dir(parent) ? NULL : rk_fs_mkdir_p(parent, mode);
}

struct rk_err *rk_fs_mkdtemp(const char *dir, const char *prefix, char **ret)
{
	_cleanup_free_ char *name = rk_asprintf("%sXXXXXX", prefix);
	_cleanup_free_ char *path = name ? rk_path_join(dir, name) : NULL;

	if (!path)
		return rk_err_nomem();
	if (!mkdtemp(path))
		return rk_err_sys(errno, "cannot create a directory in '%s'", dir);
	*ret = take_ptr(path);
	return NULL;
}

static bool is_dot(const char *name)
{
	return rk_streq(name, ".") || rk_streq(name, "..");
}

/* Opens the directory name in at. An entry that is no directory (any more) gives ENOTDIR or ELOOP. */
static DIR *open_dir_at(int at, const char *name)
{
	_cleanup_close_ int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return NULL;

	DIR *dir = fdopendir(fd);
	if (dir)
		take_fd(fd);
	return dir;
}

struct removal {
	const char *path;
	int top;	    /* descriptor of the directory path */
	unsigned int lifts; /* into it */
};

static struct rk_err *remove_at(struct removal *r, int at, const char *name, int depth);

/* A directory that is too deep for descriptors comes up into the top, whose turn it then has. */
static struct rk_err *lift(struct removal *r, int at, const char *name)
{
	char up[32];

	do {
		snprintf(up, sizeof(up), "deep-%u", r->lifts++);
		if (renameat(at, name, r->top, up) == 0)
			return NULL;
	} while (errno == EEXIST || errno == ENOTEMPTY || errno == ENOTDIR);
	return rk_err_sys(errno, "cannot remove '%s' in '%s'", name, r->path);
}

static struct rk_err *remove_entries(struct removal *r, DIR *dir, const char *name, int depth)
{
	for (;;) {
		errno = 0;
		const struct dirent *entry = readdir(dir);

		if (!entry)
			return errno ? rk_err_sys(errno, "cannot read '%s' in '%s'", name, r->path)
				     : NULL;
		if (!is_dot(entry->d_name))
			RK_TRY(remove_at(r, dirfd(dir), entry->d_name, depth + 1));
	}
}

static struct rk_err *remove_at(struct removal *r, int at, const char *name, int depth)
{
	unsigned int lifts;

	if (unlinkat(at, name, 0) == 0 || errno == ENOENT)
		return NULL;
	if (errno != EISDIR && errno != EPERM)
		return rk_err_sys(errno, "cannot remove '%s' in '%s'", name, r->path);
	if (depth >= DEPTH_MAX)
		return lift(r, at, name);

	_cleanup_closedir_ DIR *dir = open_dir_at(at, name);
	if (!dir)
		return rk_err_sys(errno, "cannot remove '%s' in '%s'", name, r->path);
	if (!depth)
		r->top = dirfd(dir);
	do {
		lifts = r->lifts;
		RK_TRY(remove_entries(r, dir, name, depth));
		rewinddir(dir);
	} while (!depth && r->lifts != lifts);
	if (unlinkat(at, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return rk_err_sys(errno, "cannot remove '%s' in '%s'", name, r->path);
	return NULL;
}

struct rk_err *rk_fs_remove_tree(const char *path)
{
	struct removal r = {.path = path};

	return remove_at(&r, AT_FDCWD, path, 0);
}

struct usage {
	struct rk_map linked; /* inodes with several links that have been counted */
	uint64_t bytes;
};

static void usage_deinit(struct usage *u)
{
	rk_map_deinit(&u->linked);
}

static struct rk_err *usage_add(struct usage *u, const struct stat *st)
{
	if (!S_ISDIR(st->st_mode) && st->st_nlink > 1) {
		const void *key = (const void *)(uintptr_t)st->st_ino;

		if (rk_map_get_ptr(&u->linked, key))
			return NULL;
		if (!rk_map_set_ptr(&u->linked, key, u))
			return rk_err_nomem();
	}
	u->bytes += (uint64_t)st->st_blocks * 512; /* POSIX: st_blocks counts 512 bytes */
	return NULL;
}

static struct rk_err *usage_at(struct usage *u, int at, const char *name, const char *top,
			       int depth)
{
	struct stat st;

	if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		/* Another build may remove its files while we count. */
		if (errno == ENOENT && depth > 0)
			return NULL;
		return rk_err_sys(errno, "cannot read '%s' in '%s'", name, top);
	}
	RK_TRY(usage_add(u, &st));
	if (!S_ISDIR(st.st_mode))
		return NULL;
	if (depth >= DEPTH_MAX)
		return rk_err(RK_ERR_LIMIT, "cannot measure '%s': more than %d directories deep",
			      top, DEPTH_MAX);

	_cleanup_closedir_ DIR *dir = open_dir_at(at, name);
	if (!dir)
		return errno == ENOENT && depth > 0
			       ? NULL
			       : rk_err_sys(errno, "cannot read '%s' in '%s'", name, top);
	for (const struct dirent *entry; (entry = readdir(dir));) {
		if (!is_dot(entry->d_name))
			RK_TRY(usage_at(u, dirfd(dir), entry->d_name, top, depth + 1));
	}
	return NULL;
}

struct rk_err *rk_fs_usage(const char *path, uint64_t *ret_bytes)
{
	_cleanup_(usage_deinit) struct usage u = {};

	RK_TRY(usage_at(&u, AT_FDCWD, path, path, 0));
	*ret_bytes = u.bytes;
	return NULL;
}

struct rk_err *rk_fs_free_bytes(const char *path, uint64_t *ret_bytes)
{
	struct statvfs st;

	if (statvfs(path, &st) < 0)
		return rk_err_sys(errno, "cannot read the free space of '%s'", path);
	*ret_bytes = (uint64_t)st.f_bavail * st.f_frsize;
	return NULL;
}

/* True when path still names the file we have open: a lock on a removed file locks nothing. */
static bool is_same_file(int fd, const char *path)
{
	struct stat ours, named;

	return fstat(fd, &ours) == 0 && stat(path, &named) == 0 && ours.st_dev == named.st_dev &&
	       ours.st_ino == named.st_ino;
}

struct rk_err *rk_fs_lock(const char *path, enum rk_lock mode, bool nowait, int *ret_fd)
{
	int op = (mode == RK_LOCK_EXCLUSIVE ? LOCK_EX : LOCK_SH) | LOCK_NB;

	for (;;) {
		/* flock(2) takes any descriptor: who may read the file may hold it, and stop everybody */
		_cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0660);

		if (fd < 0)
			return rk_err_sys(errno, "cannot open '%s'", path);
		if (flock(fd, op) == 0) {
			if (!is_same_file(fd, path))
				continue;
			*ret_fd = take_fd(fd);
			return NULL;
		}
		if (errno != EWOULDBLOCK && errno != EINTR)
			return rk_err_sys(errno, "cannot lock '%s'", path);
		if (nowait) {
			*ret_fd = -1;
			return NULL;
		}
		/* Polling, because a blocking flock() and a signal just before it would wait forever. */
		if (rk_is_interrupted())
			return rk_err(RK_ERR_INTERRUPTED, "interrupted while waiting for '%s'",
				      path);
		poll(NULL, 0, LOCK_POLL_MS);
	}
}
