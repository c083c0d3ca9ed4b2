/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writing bundles: nothing of the writer's machine is in them, neither owners nor times. */
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/trust/bundle.h"
#include "lib/trust/tar.h"

struct rk_bundle_writer {
	char *path;
	struct rk_fs_pending pending;
};

struct rk_err *rk_bundle_writer_create(const char *path, struct rk_bundle_writer **ret)
{
	struct rk_bundle_writer *writer = calloc(1, sizeof(*writer));
	struct rk_err *err = NULL;

	if (!writer)
		return rk_err_nomem();
	writer->pending.fd = -1;
	writer->path = strdup(path);
	err = writer->path ? rk_fs_pending_open(path, 0644, &writer->pending) : rk_err_nomem();
	if (err) {
		rk_bundle_writer_abandon(writer);
		return err;
	}
	*ret = writer;
	return NULL;
}

void rk_bundle_writer_abandon(struct rk_bundle_writer *writer)
{
	if (!writer)
		return;
	rk_fs_pending_abandon(&writer->pending);
	free(writer->path);
	free(writer);
}

void rk_tar_put_octal(char *field, size_t digits, uint64_t n)
{
	for (; digits > 0; n /= 8)
		field[--digits] = (char)('0' + n % 8);
}

/* Splits at a '/' where the name alone is too long for its field. */
static bool set_name(struct rk_tar_header *header, const char *name)
{
	size_t len = strlen(name);
	const char *slash = name;

	if (len <= sizeof(header->name)) {
		memcpy(header->name, name, len);
		return true;
	}
	while ((slash = strchr(slash + 1, '/'))) {
		size_t prefix = (size_t)(slash - name), rest = len - prefix - 1;

		if (prefix > sizeof(header->prefix) || rest > sizeof(header->name))
			continue;
		memcpy(header->prefix, name, prefix);
		memcpy(header->name, slash + 1, rest);
		return true;
	}
	return false;
}

struct rk_err *rk_bundle_writer_add(struct rk_bundle_writer *writer, const char *name,
				    const void *data, size_t len)
{
	static const char zeros[RK_TAR_BLOCK];
	struct rk_tar_header header = {
		.mode = "0000644",
		.uid = "0000000",
		.gid = "0000000",
		.mtime = "00000000000",
		.type = '0',
		.magic = "ustar",
		.version = {'0', '0'},
		.major = "0000000",
		.minor = "0000000",
	};
	size_t pad = (RK_TAR_BLOCK - len % RK_TAR_BLOCK) % RK_TAR_BLOCK;
	int fd = writer->pending.fd;

	if (!rk_is_repository_name(name) || !set_name(&header, name))
		return rk_err(RK_ERR_NAME, "'%s' is no name of a repository's file", name);
	if (len > rk_repository_name_limit(name))
		return rk_err(RK_ERR_TOO_LARGE, "'%s' has %zu bytes", name, len);
	rk_tar_put_octal(header.size, 11, len);
	rk_tar_put_octal(header.checksum, 6, rk_tar_checksum(&header));
	header.checksum[7] = ' ';
	RK_TRY(rk_fs_write_all(fd, (const char *)&header, sizeof(header), writer->path));
	RK_TRY(rk_fs_write_all(fd, data, len, writer->path));
	return rk_fs_write_all(fd, zeros, pad, writer->path);
}

struct rk_err *rk_bundle_writer_finish(struct rk_bundle_writer *writer)
{
	static const char end[2 * RK_TAR_BLOCK];
	struct rk_err *err = rk_fs_write_all(writer->pending.fd, end, sizeof(end), writer->path);

	if (!err)
		err = rk_fs_pending_commit(&writer->pending, writer->path);
	rk_bundle_writer_abandon(writer);
	return err;
}
