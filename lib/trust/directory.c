/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A repository in a directory as a source. Somebody else may write there, also now: the kernel is asked to follow no link and to leave
 * the directory nowhere on the way (openat2(2)), and a file is judged by its descriptor.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <linux/openat2.h>

#include "lib/base/str.h"
#include "lib/trust/store.h"

struct directory {
	char *path;
	int fd;
};

static struct rk_err *open_file(const struct directory *dir, const char *name, int *ret_fd,
				uint64_t *ret_size)
{
	struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	struct stat st;

	if (!rk_is_repository_name(name))
		return rk_err(RK_ERR_NAME, "'%s' is no name of a repository's file", name);
	_cleanup_close_ int fd = (int)syscall(SYS_openat2, dir->fd, name, &how, sizeof(how));
	if (fd < 0 && errno == ENOENT)
		return rk_err(RK_ERR_NOT_FOUND, "'%s/%s' isn't there", dir->path, name);
	if (fd < 0 && (errno == ELOOP || errno == EXDEV))
		return rk_err(RK_ERR_NAME, "'%s/%s' is or goes through a symbolic link", dir->path,
			      name);
	if (fd < 0)
		return rk_err_sys(errno, "cannot open '%s/%s'", dir->path, name);
	if (fstat(fd, &st) < 0)
		return rk_err_sys(errno, "cannot read '%s/%s'", dir->path, name);
	if (!S_ISREG(st.st_mode))
		return rk_err(RK_ERR_NAME, "'%s/%s' is no regular file", dir->path, name);
	*ret_size = (uint64_t)st.st_size;
	*ret_fd = take_fd(fd);
	return NULL;
}

/* At most max bytes of a file that may grow while it is read. */
static struct rk_err *read_file(int fd, const char *name, uint64_t size, size_t max, char **ret,
				size_t *ret_len)
{
	_cleanup_free_ char *buf = NULL;
	size_t len = 0;

	if (size > max)
		return rk_err(RK_ERR_TOO_LARGE, "'%s' has more than %zu bytes", name, max);
	buf = malloc((size_t)size + 2);
	if (!buf)
		return rk_err_nomem();
	/* one byte more, to see whether it has grown */
	while (len <= size) {
		ssize_t n = read(fd, buf + len, (size_t)size + 1 - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return rk_err_sys(errno, "cannot read '%s'", name);
		if (n == 0)
			break;
		len += (size_t)n;
	}
	if (len > size)
		return rk_err(RK_ERR_TOO_LARGE, "'%s' grew while it was read", name);
	buf[len] = '\0';
	*ret = take_ptr(buf);
	*ret_len = len;
	return NULL;
}

static struct rk_err *get(void *ctx, const char *name, size_t max, char **ret, size_t *ret_len)
{
	const struct directory *dir = ctx;
	_cleanup_close_ int fd = -1;
	uint64_t size;

	RK_TRY(open_file(dir, name, &fd, &size));
	return read_file(fd, name, size, max, ret, ret_len);
}

struct rk_err *rk_trust_directory_open(const char *path, struct rk_trust_source *ret)
{
	struct directory *dir = calloc(1, sizeof(*dir));

	if (!dir)
		return rk_err_nomem();
	*dir = (struct directory){.path = strdup(path),
				  .fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
	if (!dir->path || dir->fd < 0) {
		struct rk_err *err =
			dir->path ? rk_err_sys(errno, "cannot open '%s'", path) : rk_err_nomem();

		rk_trust_directory_free(&(struct rk_trust_source){.ctx = dir});
		return err;
	}
	*ret = (struct rk_trust_source){get, dir};
	return NULL;
}

struct rk_err *rk_trust_directory_file(const struct rk_trust_source *source, const char *name,
				       int *ret_fd)
{
	uint64_t size;

	return open_file(source->ctx, name, ret_fd, &size);
}

void rk_trust_directory_free(struct rk_trust_source *source)
{
	struct directory *dir = source->ctx;

	if (!dir)
		return;
	if (dir->fd >= 0)
		close(dir->fd);
	free(dir->path);
	free(dir);
	source->ctx = NULL;
}
