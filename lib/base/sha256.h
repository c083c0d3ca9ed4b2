/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SHA-256 (FIPS 180-4) of memory, files and sequences of parts, as lower-case hexadecimal text. */
#ifndef RK_BASE_SHA256_H
#define RK_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

#define RK_SHA256_HEX_SIZE 65 /* with the NUL */

struct rk_sha256; /* a hash under way */

struct rk_err *rk_sha256_create(struct rk_sha256 **ret) __must_use;
/* Adds len bytes; a failure sticks and is reported by rk_sha256_finish(). */
void rk_sha256_add(struct rk_sha256 *h, const void *data, size_t len);
/* Adds the string and its NUL, so that parts cannot run together. */
void rk_sha256_add_str(struct rk_sha256 *h, const char *s);
/* Frees h in any case. */
struct rk_err *rk_sha256_finish(struct rk_sha256 *h, char ret_hex[RK_SHA256_HEX_SIZE]) __must_use;

struct rk_err *rk_sha256_bytes(const void *data, size_t len, char ret_hex[RK_SHA256_HEX_SIZE])
	__must_use;
struct rk_err *rk_sha256_file(const char *path, char ret_hex[RK_SHA256_HEX_SIZE]) __must_use;
/* From where fd stands to the end; path is for messages. */
struct rk_err *rk_sha256_fd(int fd, const char *path, char ret_hex[RK_SHA256_HEX_SIZE]) __must_use;

#endif
