/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SHA-256 through OpenSSL's EVP interface. */
#include "lib/base/sha256.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <string.h>

#include "lib/base/hex.h"

#define DIGEST_SIZE 32
#define READ_SIZE   (128u << 10)

struct rk_sha256 {
	EVP_MD_CTX *ctx;
	bool failed;
};

static void destroy(struct rk_sha256 *h)
{
	EVP_MD_CTX_free(h->ctx);
	free(h);
}

struct rk_err *rk_sha256_create(struct rk_sha256 **ret)
{
	struct rk_sha256 *h = calloc(1, sizeof(*h));

	if (!h)
		return rk_err_nomem();
	h->ctx = EVP_MD_CTX_new();
	if (!h->ctx) {
		free(h);
		return rk_err_nomem();
	}
	if (EVP_DigestInit_ex(h->ctx, EVP_sha256(), NULL) != 1) {
		destroy(h);
		return rk_err(RK_ERR_UNSUPPORTED, "the cryptographic library offers no SHA-256");
	}
	*ret = h;
	return NULL;
}

void rk_sha256_add(struct rk_sha256 *h, const void *data, size_t len)
{
	if (len && EVP_DigestUpdate(h->ctx, data, len) != 1)
		h->failed = true;
}

void rk_sha256_add_str(struct rk_sha256 *h, const char *s)
{
	rk_sha256_add(h, s, strlen(s) + 1);
}

struct rk_err *rk_sha256_finish(struct rk_sha256 *h, char ret_hex[RK_SHA256_HEX_SIZE])
{
	unsigned char digest[DIGEST_SIZE];
	bool ok = !h->failed && EVP_DigestFinal_ex(h->ctx, digest, NULL) == 1;

	destroy(h);
	if (!ok)
		return rk_err(RK_ERR_UNSUPPORTED, "the cryptographic library failed at SHA-256");
	rk_hex_encode(digest, DIGEST_SIZE, ret_hex);
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
	struct rk_sha256 *h;

	if (fd < 0)
		return rk_err_sys(errno, "cannot open '%s'", path);
	RK_TRY(rk_sha256_create(&h));

	struct rk_err *err = add_fd(h, fd, path);
	if (err) {
		destroy(h);
		return err;
	}
	return rk_sha256_finish(h, ret_hex);
}
