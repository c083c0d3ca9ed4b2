/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A removed name is gone for good only after its directory has been synced. */
#include "lib/host/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

struct rk_err *rk_durable_dir(const char *dir)
{
	_cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return rk_err_sys(errno, "cannot open '%s'", dir);
	if (fsync(fd) && errno != EINVAL)
		return rk_err_sys(errno, "cannot write '%s'", dir);
	return NULL;
}

struct rk_err *rk_durable_unlink(const char *path)
{
	_cleanup_free_ char *dir = strndup(path, (size_t)(strrchr(path, '/') - path));

	if (!dir)
		return rk_err_nomem();
	if (unlink(path)) {
		if (errno == ENOENT)
			return NULL;
		return rk_err_sys(errno, "cannot remove '%s'", path);
	}
	return rk_durable_dir(dir);
}
