/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ed25519 keys (RFC 8032), by OpenSSL. A key is known by its id, the SHA-256 of its 32 public bytes. What is signed is never
 * the bytes alone but "readykernel:<role>:1\n" and then the bytes: a signature made for one role can't be used for another.
 */
#ifndef RK_TRUST_KEY_H
#define RK_TRUST_KEY_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/sha256.h"

#define RK_KEY_ID_SIZE	  RK_SHA256_HEX_SIZE
#define RK_KEY_RAW_SIZE	  32
#define RK_SIGNATURE_SIZE 64

struct rk_public_key {
	char id[RK_KEY_ID_SIZE];
	uint8_t raw[RK_KEY_RAW_SIZE];
};

struct rk_private_key; /* wiped when freed */

struct rk_err *rk_private_key_generate(struct rk_private_key **ret) __must_use;
/* PKCS#8 in PEM, not encrypted. Errors: RK_ERR_FORMAT, RK_ERR_UNSUPPORTED (encrypted, or no Ed25519 key), RK_ERR_INVALID when
 * others than the owner may read the file. */
struct rk_err *rk_private_key_read(const char *path, struct rk_private_key **ret) __must_use;
/* Mode 0600; an existing file is RK_ERR_SYS (EEXIST): a key is never written over another. */
struct rk_err *rk_private_key_write(const struct rk_private_key *key, const char *path) __must_use;
const struct rk_public_key *rk_private_key_public(const struct rk_private_key *key);
/* Signs payload for role. */
struct rk_err *rk_private_key_sign(const struct rk_private_key *key, const char *role,
				   const void *payload, size_t len,
				   uint8_t ret_signature[RK_SIGNATURE_SIZE]) __must_use;
void rk_private_key_free(struct rk_private_key *key);

/* Computes the id. */
struct rk_err *rk_public_key_from_raw(const uint8_t raw[RK_KEY_RAW_SIZE], struct rk_public_key *ret)
	__must_use;
/* SubjectPublicKeyInfo in PEM. */
struct rk_err *rk_public_key_read(const char *path, struct rk_public_key *ret) __must_use;
/* Mode 0644; an existing file is RK_ERR_SYS (EEXIST): it may be all that is left of a key that was put away. */
struct rk_err *rk_public_key_write(const struct rk_public_key *key, const char *path) __must_use;

/* RK_ERR_SIGNATURE when it doesn't hold. */
struct rk_err *rk_public_key_verify(const struct rk_public_key *key, const char *role,
				    const void *payload, size_t len,
				    const uint8_t signature[RK_SIGNATURE_SIZE]) __must_use;

static inline void rk_cleanup_private_key(struct rk_private_key **key)
{
	rk_private_key_free(*key);
}

#define _cleanup_private_key_ _cleanup_(rk_cleanup_private_key)

#endif
