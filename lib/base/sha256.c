/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SHA-256 by OpenSSL's own functions for it. Its general interface (EVP) would read a configuration and build tables of all algorithms before
 * the first byte: 6 million instructions, more than all else that 'kpatch status' does.
 */
#define OPENSSL_API_COMPAT \
	0x10100000L /* of 1.1.0, where these functions aren't called deprecated */
#include "lib/base/sha256.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/sha.h>
#include <stdbool.h>
#include <string.h>

#include "lib/base/hex.h"

#define READ_SIZE (128u << 10)

struct rk_sha256 {
	SHA256_CTX ctx;
	bool failed;
};

struct rk_err *rk_sha256_create(struct rk_sha256 **ret)
{
	struct rk_sha256 *h = calloc(1, sizeof(*h));

	if (!h)
		return rk_err_nomem();
	h->failed = SHA256_Init(&h->ctx) != 1;
	*ret = h;
	return NULL;
}

void rk_sha256_add(struct rk_sha256 *h, const void *data, size_t len)
{
	if (len && SHA256_Update(&h->ctx, data, len) != 1)
		h->failed = true;
}

void rk_sha256_add_str(struct rk_sha256 *h, const char *s)
{
	rk_sha256_add(h, s, strlen(s) + 1);
}

struct rk_err *rk_sha256_finish(struct rk_sha256 *h, char ret_hex[RK_SHA256_HEX_SIZE])
{
	unsigned char digest[SHA256_DIGEST_LENGTH];
	bool ok = !h->failed && SHA256_Final(digest, &h->ctx) == 1;

	free(h);
	if (!ok)
		return rk_err(RK_ERR_UNSUPPORTED, "the cryptographic library failed at SHA-256");
	rk_hex_encode(digest, sizeof(digest), ret_hex);
	return NULL;
}

struct rk_err *rk_sha256_bytes(const void *data, size_t len, char ret_hex[RK_SHA256_HEX_SIZE])
{
	struct rk_sha256 *h;

	RK_TRY(rk_sha256_create(&h));
	rk_sha256_add(h, data, len);
	return rk_sha256_finish(h, ret_hex);
}

static struct rk_err *add_fd(struct rk_sha256 *h, int fd, const char *path)
{
	_cleanup_free_ void *buf = malloc(READ_SIZE);

	if (!buf)
		return rk_err_nomem();
	for (;;) {
		ssize_t n = read(fd, buf, READ_SIZE);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return rk_err_sys(errno, "cannot read '%s'", path);
		if (n == 0)
			return NULL;
		rk_sha256_add(h, buf, (size_t)n);
	}
}

struct rk_err *rk_sha256_file(const char *path, char ret_hex[RK_SHA256_HEX_SIZE])
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return rk_err_sys(errno, "cannot open '%s'", path);
	return rk_sha256_fd(fd, path, ret_hex);
}

struct rk_err *rk_sha256_fd(int fd, const char *path, char ret_hex[RK_SHA256_HEX_SIZE])
{
	struct rk_sha256 *h;

	RK_TRY(rk_sha256_create(&h));

	struct rk_err *err = add_fd(h, fd, path);
	if (err) {
		free(h);
		return err;
	}
	return rk_sha256_finish(h, ret_hex);
}
