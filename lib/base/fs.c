/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading and writing whole files: what is written is there whole, under its name, or not at all. */
#include "lib/base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <linux/fs.h>

#include "lib/base/process.h"
#include "lib/base/str.h"

#define READ_SIZE (128u << 10) /* first guess where the size isn't known (/proc, /sys) */

char *rk_path_join(const char *dir, const char *name)
{
	if (name[0] == '/' || dir[0] == '\0')
		return strdup(name);
	return rk_asprintf("%s%s%s", dir, rk_has_suffix(dir, "/") ? "" : "/", name);
}

char *rk_path_parent(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return strdup(".");
	return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

bool rk_fs_exists(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0;
}

bool rk_fs_is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Opens without blocking on a FIFO and refuses what is no regular file. */
static struct rk_err *open_regular(const char *path, int *ret_fd, struct stat *ret_st)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0)
		return rk_err_sys(errno, "cannot open '%s'", path);
	if (fstat(fd, &st) < 0)
		return rk_err_sys(errno, "cannot read '%s'", path);
	if (S_ISDIR(st.st_mode))
		return rk_err_sys(EISDIR, "cannot read '%s'", path);
	if (!S_ISREG(st.st_mode))
		return rk_err_sys(EINVAL, "cannot read '%s': not a regular file", path);
	*ret_fd = take_fd(fd);
	*ret_st = st;
	return NULL;
}

struct rk_err *rk_fs_read(const char *path, size_t max, char **ret, size_t *ret_len)
{
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *buf = NULL;
	struct stat st;
	size_t len = 0;

	RK_TRY(open_regular(path, &fd, &st));
	if (st.st_size > 0 && (uintmax_t)st.st_size > max)
		return rk_err(RK_ERR_LIMIT, "'%s' is larger than %zu bytes", path, max);

	/* One byte more than the size, so that the read that sees the end needs no growth. */
	size_t cap = st.st_size > 0 ? (size_t)st.st_size + 1 : READ_SIZE;
	for (;;) {
		char *grown = len < cap && buf ? buf : realloc(buf, cap + 1);
		if (!grown)
			return rk_err_nomem();
		buf = grown;

		ssize_t n = read(fd, buf + len, cap - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return rk_err_sys(errno, "cannot read '%s'", path);
		if (n == 0)
			break;
		len += (size_t)n;
		if (len > max)
			return rk_err(RK_ERR_LIMIT, "'%s' is larger than %zu bytes", path, max);
		if (len == cap && __builtin_mul_overflow(cap, 2, &cap))
			return rk_err_nomem();
	}
	buf[len] = '\0';
	*ret = take_ptr(buf);
	if (ret_len)
		*ret_len = len;
	return NULL;
}

void rk_fs_pending_abandon(struct rk_fs_pending *p)
{
	if (p->fd >= 0)
		close(p->fd);
	if (p->path)
		unlink(p->path);
	free(p->path);
	*p = (struct rk_fs_pending){.fd = -1};
}

struct rk_err *rk_fs_pending_open(const char *path, mode_t mode, struct rk_fs_pending *ret)
{
	_cleanup_fs_pending_ struct rk_fs_pending p = {.fd = -1};
	_cleanup_free_ char *template = rk_asprintf("%s.XXXXXX", path);

	if (!template)
		return rk_err_nomem();
	p.fd = mkostemp(template, O_CLOEXEC);
	if (p.fd < 0)
		return rk_err_sys(errno, "cannot create '%s'", path);
	p.path = take_ptr(template);
	if (fchmod(p.fd, mode) < 0)
		return rk_err_sys(errno, "cannot set the mode of '%s'", path);
	*ret = (struct rk_fs_pending){take_ptr(p.path), take_fd(p.fd)};
	return NULL;
}

struct rk_err *rk_fs_sync_dir(const char *dir)
{
	_cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return rk_err_sys(errno, "cannot open '%s'", dir);
	if (fsync(fd) < 0 && errno != EINVAL)
		return rk_err_sys(errno, "cannot write '%s'", dir);
	return NULL;
}

static struct rk_err *sync_parent(const char *path)
{
	_cleanup_free_ char *dir = rk_path_parent(path);

	return dir ? rk_fs_sync_dir(dir) : rk_err_nomem();
}

/* *ret_removed tells whether it was there. */
static struct rk_err *remove_file(const char *path, bool *ret_removed)
{
	*ret_removed = unlink(path) == 0;
	if (!*ret_removed && errno != ENOENT)
		return rk_err_sys(errno, "cannot remove '%s'", path);
	return NULL;
}

struct rk_err *rk_fs_unlink(const char *path)
{
	bool removed;

	return remove_file(path, &removed);
}

struct rk_err *rk_fs_unlink_durably(const char *path)
{
	bool removed;

	RK_TRY(remove_file(path, &removed));
	return removed ? sync_parent(path) : NULL;
}

struct rk_err *rk_fs_pending_commit(struct rk_fs_pending *p, const char *path)
{
	if (fsync(p->fd) < 0)
		return rk_err_sys(errno, "cannot write '%s'", path);
	/* NFS and quota report a full disk only here. */
	if (close(take_fd(p->fd)) < 0)
		return rk_err_sys(errno, "cannot write '%s'", path);
	if (rename(p->path, path) < 0)
		return rk_err_sys(errno, "cannot write '%s'", path);
	free(take_ptr(p->path));
	return sync_parent(path);
}

struct rk_err *rk_fs_write_all(int fd, const char *data, size_t len, const char *path)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return rk_err_sys(errno, "cannot write '%s'", path);
		data += n;
		len -= (size_t)n;
	}
	return NULL;
}

struct rk_err *rk_fs_write(const char *path, const void *data, size_t len, mode_t mode)
{
	_cleanup_fs_pending_ struct rk_fs_pending p = {.fd = -1};

	RK_TRY(rk_fs_pending_open(path, mode, &p));
	RK_TRY(rk_fs_write_all(p.fd, data, len, path));
	return rk_fs_pending_commit(&p, path);
}

struct rk_err *rk_fs_write_below(const char *dir, const char *name, const void *data, size_t len,
				 mode_t mode)
{
	_cleanup_free_ char *path = rk_path_join(dir, name);

	if (!path)
		return rk_err_nomem();
	RK_TRY(rk_fs_mkdir_parent(path, 0755));
	return rk_fs_write(path, data, len, mode);
}

static struct rk_err *copy_by_hand(int in, int out, const char *from, const char *to)
{
	_cleanup_free_ char *buf = malloc(READ_SIZE);

	if (!buf)
		return rk_err_nomem();
	for (;;) {
		ssize_t n = read(in, buf, READ_SIZE);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return rk_err_sys(errno, "cannot read '%s'", from);
		if (n == 0)
			return NULL;
		RK_TRY(rk_fs_write_all(out, buf, (size_t)n, to));
	}
}

/* Shares the blocks where it can; else the kernel copies; else (across some file systems, or from
 * /proc, where copy_file_range() says "0 bytes" or refuses) we do, from where it stopped. */
static struct rk_err *copy_data(int in, int out, const char *from, const char *to)
{
	if (ioctl(out, FICLONE, in) == 0)
		return NULL;
	for (;;) {
		ssize_t n = copy_file_range(in, NULL, out, NULL, SSIZE_MAX, 0);

		if (n > 0 || (n < 0 && errno == EINTR))
			continue;
		if (n < 0 && (errno == ENOSPC || errno == EDQUOT || errno == EFBIG))
			return rk_err_sys(errno, "cannot write '%s'", to);
		return copy_by_hand(in, out, from, to);
	}
}

struct rk_err *rk_fs_copy(const char *from, const char *to, mode_t mode)
{
	_cleanup_fs_pending_ struct rk_fs_pending p = {.fd = -1};
	_cleanup_close_ int in = -1;
	struct stat st;

	RK_TRY(open_regular(from, &in, &st));
	RK_TRY(rk_fs_pending_open(to, mode, &p));
	RK_TRY(copy_data(in, p.fd, from, to));
	return rk_fs_pending_commit(&p, to);
}
