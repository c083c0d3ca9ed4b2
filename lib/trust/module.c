/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A module on its way to the host: it is copied to where only root can write and checked there, so that nobody can exchange it
 * afterwards. Only when its hash is right is it looked into.
 */
#include <errno.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/patch/manifest.h"
#include "lib/trust/store.h"

#define COPY_SIZE (128u << 10)

static struct rk_err *differs(const char *name, const char *what)
{
	return rk_err(RK_ERR_HASH, "'%s': its %s isn't the one that was signed", name, what);
}

static struct rk_err *other(const char *name, const char *what, const char *is, const char *wanted)
{
	return rk_err(RK_ERR_TARGET, "'%s': the module's %s is '%s', it is listed for '%s'", name,
		      what, is ? is : "unknown", wanted);
}

static struct rk_err *check_text(const char *name, const char *what, const char *is,
				 const char *wanted)
{
	return is && rk_streq(is, wanted) ? NULL : other(name, what, is, wanted);
}

static struct rk_err *check_manifest(const char *name, const struct rk_manifest *m,
				     const struct rk_kernel_id *kernel,
				     const struct rk_release_level *level)
{
	RK_TRY(check_text(name, "build-id", m->build_id, kernel->build_id));
	RK_TRY(check_text(name, "kernel release", m->release, kernel->release));
	RK_TRY(check_text(name, "kernel version", m->version, kernel->version));
	RK_TRY(check_text(name, "name", m->name, level->name));
	if (m->level != level->level)
		return rk_err(RK_ERR_TARGET, "'%s': the module is level %llu, it is listed as %llu",
			      name, (unsigned long long)m->level, (unsigned long long)level->level);
	return NULL;
}

static struct rk_err *check_inside(const char *bytes, size_t len, const char *name,
				   const struct rk_release *release,
				   const struct rk_release_level *level)
{
	_cleanup_manifest_ struct rk_manifest *manifest = NULL;
	struct rk_err *err = rk_manifest_read_bytes(name, bytes, len, &manifest);

	if (err) {
		_cleanup_err_ struct rk_err *inner = err;

		return rk_err(RK_ERR_TARGET, "'%s': %s", name, rk_err_message(inner));
	}
	return check_manifest(name, manifest, &release->kernel, level);
}

struct rk_err *rk_trust_check_module_bytes(const char *name, const char *bytes, size_t len,
					   const struct rk_release *release,
					   const struct rk_release_level *level)
{
	char sha256[RK_SHA256_HEX_SIZE];

	if (len != level->length)
		return differs(name, "length");
	RK_TRY(rk_sha256_bytes(bytes, len, sha256));
	if (!rk_streq(sha256, level->sha256))
		return differs(name, "SHA-256");
	return check_inside(bytes, len, name, release, level);
}

static struct rk_err *check_file(const char *path, const char *name,
				 const struct rk_release *release,
				 const struct rk_release_level *level)
{
	_cleanup_free_ char *bytes = NULL;
	size_t len;
	struct rk_err *err = rk_fs_read(path, level->length, &bytes, &len);

	if (err && rk_err_code(err) == RK_ERR_LIMIT) {
		rk_err_free(err);
		return differs(name, "length");
	}
	if (err)
		return err;
	return rk_trust_check_module_bytes(name, bytes, len, release, level);
}

/* Copies until the end, or one byte more than there should be. */
static struct rk_err *copy(int from, int to, const char *name, uint64_t length)
{
	_cleanup_free_ char *buf = malloc(COPY_SIZE);
	uint64_t total = 0;

	if (!buf)
		return rk_err_nomem();
	while (total <= length) {
		uint64_t rest = length + 1 - total;
		ssize_t n = read(from, buf, rest < COPY_SIZE ? rest : COPY_SIZE);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return rk_err_sys(errno, "cannot read '%s'", name);
		if (n == 0)
			break;
		RK_TRY(rk_fs_write_all(to, buf, (size_t)n, name));
		total += (uint64_t)n;
	}
	return NULL;
}

struct rk_err *rk_trust_copy_module(int from, const struct rk_release *release,
				    const struct rk_release_level *level, const char *path)
{
	_cleanup_fs_pending_ struct rk_fs_pending pending = {.fd = -1};

	RK_TRY(rk_fs_pending_open(path, 0644, &pending));
	RK_TRY(copy(from, pending.fd, level->name, level->length));
	RK_TRY(check_file(pending.path, level->name, release, level));
	return rk_fs_pending_commit(&pending, path);
}

struct rk_err *rk_trust_check_module(const char *path, const struct rk_release *release,
				     const struct rk_release_level *level)
{
	return check_file(path, path, release, level);
}
