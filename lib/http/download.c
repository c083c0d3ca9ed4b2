/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A body that becomes a file. It grows under another name, so that what has the name is whole; what a lost connection left is the
 * beginning of the next attempt, and only the hash decides whether both belong together.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "lib/http/internal.h"

struct file {
	const char *path;
	int fd;
};

static struct rk_err *begin_file(void *ctx, uint64_t offset)
{
	struct file *file = ctx;

	if (ftruncate(file->fd, (off_t)offset) < 0 || lseek(file->fd, (off_t)offset, SEEK_SET) < 0)
		return rk_err_sys(errno, "cannot write '%s'", file->path);
	return NULL;
}

static struct rk_err *add_file(void *ctx, const void *data, size_t len)
{
	const struct file *file = ctx;

	while (len) {
		ssize_t n = write(file->fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return rk_err_sys(errno, "cannot write '%s'", file->path);
		data = (const char *)data + n;
		len -= (size_t)n;
	}
	return NULL;
}

static struct rk_err *file_size(const struct file *file, uint64_t *ret)
{
	struct stat st;

	if (fstat(file->fd, &st) < 0)
		return rk_err_sys(errno, "cannot read '%s'", file->path);
	if (!S_ISREG(st.st_mode))
		return rk_err_sys(EINVAL, "cannot write '%s': not a regular file", file->path);
	*ret = (uint64_t)st.st_size;
	return NULL;
}

static struct rk_err *check(const struct rk_http_request *req, const struct file *file)
{
	char hex[RK_SHA256_HEX_SIZE];
	uint64_t size;

	RK_TRY(file_size(file, &size));
	if (req->length && size != req->length)
		return rk_err(RK_ERR_MISMATCH,
			      "'%s' has %" PRIu64 " bytes, it should have %" PRIu64, req->url, size,
			      req->length);
	if (!req->sha256)
		return NULL;
	RK_TRY(rk_sha256_file(file->path, hex));
	if (!rk_streq(hex, req->sha256))
		return rk_err(RK_ERR_MISMATCH, "'%s' has SHA-256 %s, it should have %s", req->url,
			      hex, req->sha256);
	return NULL;
}

/* Where to go on. A part that can't be a beginning of the whole is forgotten; one of a file whose hash nobody knows, too. */
static struct rk_err *find_offset(const struct rk_http_request *req, const struct file *file,
				  uint64_t *ret)
{
	uint64_t max = req->limits.max_bytes ? req->limits.max_bytes : RK_HTTP_BYTES;

	RK_TRY(file_size(file, ret));
	if (!req->sha256 || *ret > max || (req->length && *ret > req->length))
		*ret = 0;
	return NULL;
}

static struct rk_err *transfer(struct rk_http *http, const struct rk_http_request *req,
			       struct file *file, uint64_t offset, struct rk_http_response *ret)
{
	struct rk_http_sink sink = {begin_file, add_file, file};
	bool bad_range;

	if (req->length && offset == req->length) /* all of it came, but not its name */
		return check(req, file);
	struct rk_err *err = rk_http_transfer(http, req, offset, &sink, ret, &bad_range);
	if (err && bad_range && offset) {
		rk_err_free(err);
		err = rk_http_transfer(http, req, 0, &sink, ret, &bad_range);
	}
	if (err || ret->is_unchanged)
		return err;
	return check(req, file);
}

static struct rk_err *fetch(struct rk_http *http, const struct rk_http_request *req,
			    struct file *file, struct rk_http_response *ret)
{
	uint64_t offset;

	RK_TRY(find_offset(req, file, &offset));
	struct rk_err *err = transfer(http, req, file, offset, ret);
	if (!err || rk_err_code(err) != RK_ERR_MISMATCH)
		return err;
	/* nothing that came is worth to be gone on with */
	if (offset) {
		rk_err_free(err);
		err = transfer(http, req, file, 0, ret);
	}
	if (err && rk_err_code(err) == RK_ERR_MISMATCH)
		unlink(file->path);
	return err;
}

struct rk_err *rk_http_download(struct rk_http *http, const struct rk_http_request *req,
				const char *path, struct rk_http_response *ret)
{
	_cleanup_free_ char *part = rk_asprintf("%s.part", path);
	struct rk_http_response response = {};

	if (!part)
		return rk_err_nomem();
	_cleanup_close_ int fd =
		open(part, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644);
	if (fd < 0)
		return rk_err_sys(errno, "cannot create '%s'", part);
	struct file file = {part, fd};
	RK_TRY(fetch(http, req, &file, &response));
	if (response.is_unchanged) {
		unlink(part);
	} else {
		if (fsync(fd) < 0)
			return rk_err_sys(errno, "cannot write '%s'", part);
		if (rename(part, path) < 0)
			return rk_err_sys(errno, "cannot rename '%s' to '%s'", part, path);
	}
	*ret = response;
	return NULL;
}
