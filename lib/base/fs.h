/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files and directories: whole-file reads with a limit, writes that are there whole or not at all. */
#ifndef RK_BASE_FS_H
#define RK_BASE_FS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/err.h"

/* "<dir>/<name>", malloc'ed; an absolute name or an empty dir gives name itself. NULL without memory. */
char *rk_path_join(const char *dir, const char *name) __must_use;
/* The directory that path names something in: what stands before the last '/', "/" where that is the first, "." where there is none.
 * malloc'ed, NULL without memory. */
char *rk_path_parent(const char *path) __must_use;

bool rk_fs_exists(const char *path); /* follows symbolic links */
bool rk_fs_is_dir(const char *path);

/* Reads a regular file of at most max bytes. *ret is malloc'ed, NUL-terminated behind ret_len bytes.
 * Errors: RK_ERR_SYS, RK_ERR_LIMIT. ret_len may be NULL. */
struct rk_err *rk_fs_read(const char *path, size_t max, char **ret, size_t *ret_len) __must_use;

/* Writes a temporary file beside path, fsyncs, renames over path: whole or not at all. */
struct rk_err *rk_fs_write(const char *path, const void *data, size_t len, mode_t mode) __must_use;

/* The same in steps, for what is not in memory as one: a file under a temporary name beside the one it is to become. */
struct rk_fs_pending {
	char *path; /* the temporary name */
	int fd;	    /* write to it */
};
struct rk_err *rk_fs_pending_open(const char *path, mode_t mode, struct rk_fs_pending *ret)
	__must_use;
/* fsync, rename over path, fsync of the directory. */
struct rk_err *rk_fs_pending_commit(struct rk_fs_pending *p, const char *path) __must_use;
/* Removes it, unless it was committed. */
void rk_fs_pending_abandon(struct rk_fs_pending *p);
#define _cleanup_fs_pending_ _cleanup_(rk_fs_pending_abandon)

/* fsync of a directory: what was renamed, made or removed in it is on the disk when this returns. A file system that can't (EINVAL)
 * promises nothing, and that is success. */
struct rk_err *rk_fs_sync_dir(const char *dir) __must_use;
/* Removes a file; an absent one is success. */
struct rk_err *rk_fs_unlink(const char *path) __must_use;
/* The same, and the directory is synced if there was one. */
struct rk_err *rk_fs_unlink_durably(const char *path) __must_use;

/* write(2) until all is written; path is for messages. */
struct rk_err *rk_fs_write_all(int fd, const char *data, size_t len, const char *path) __must_use;

/* mkdir -p; an existing directory is success. */
struct rk_err *rk_fs_mkdir_p(const char *path, mode_t mode) __must_use;
/* The same for the directory path names something in (rk_path_parent()); one stat() where it is there. */
struct rk_err *rk_fs_mkdir_parent(const char *path, mode_t mode) __must_use;
/* rk_fs_write() of "<dir>/<name>"; directories that are missing are made, 0755. */
struct rk_err *rk_fs_write_below(const char *dir, const char *name, const void *data, size_t len,
				 mode_t mode) __must_use;

/* rm -rf without following symbolic links; an absent path is success. */
struct rk_err *rk_fs_remove_tree(const char *path) __must_use;

/* Copies a regular file (reflink where the file system can), whole or not at all. */
struct rk_err *rk_fs_copy(const char *from, const char *to, mode_t mode) __must_use;

/* A new directory "<dir>/<prefix>XXXXXX", 0700; *ret malloc'ed. */
struct rk_err *rk_fs_mkdtemp(const char *dir, const char *prefix, char **ret) __must_use;

/* Takes an exclusive or shared flock on path (created if absent, for user and group). Blocks unless nowait, then
 * *ret_fd is -1 when another holds it. The lock ends when the descriptor is closed. */
enum rk_lock {
	RK_LOCK_SHARED,
	RK_LOCK_EXCLUSIVE
};
struct rk_err *rk_fs_lock(const char *path, enum rk_lock mode, bool nowait, int *ret_fd) __must_use;

/* Bytes used by the tree below path (st_blocks), and free on its file system. */
struct rk_err *rk_fs_usage(const char *path, uint64_t *ret_bytes) __must_use;
struct rk_err *rk_fs_free_bytes(const char *path, uint64_t *ret_bytes) __must_use;

#endif
