/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ed25519 through OpenSSL's EVP interface. */
#include "lib/trust/key.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"

#define PEM_SIZE_MAX (64u << 10) /* an Ed25519 key has 120 bytes */

struct rk_private_key {
	EVP_PKEY *pkey;
	struct rk_public_key public;
};

static void bio_cleanup(BIO **bio)
{
	BIO_free(*bio);
}
static void pkey_cleanup(EVP_PKEY **key)
{
	EVP_PKEY_free(*key);
}
static void md_ctx_cleanup(EVP_MD_CTX **ctx)
{
	EVP_MD_CTX_free(*ctx);
}
#define _cleanup_bio_	 _cleanup_(bio_cleanup)
#define _cleanup_pkey_	 _cleanup_(pkey_cleanup)
#define _cleanup_md_ctx_ _cleanup_(md_ctx_cleanup)

static struct rk_err *library_failed(const char *what)
{
	ERR_clear_error();
	return rk_err(RK_ERR_UNSUPPORTED, "the cryptographic library failed at %s", what);
}

struct rk_err *rk_public_key_from_raw(const uint8_t raw[RK_KEY_RAW_SIZE], struct rk_public_key *ret)
{
	struct rk_public_key key;

	memcpy(key.raw, raw, RK_KEY_RAW_SIZE);
	RK_TRY(rk_sha256_bytes(raw, RK_KEY_RAW_SIZE, key.id));
	*ret = key;
	return NULL;
}

static struct rk_err *public_of(const EVP_PKEY *pkey, const char *path, struct rk_public_key *ret)
{
	uint8_t raw[RK_KEY_RAW_SIZE];
	size_t len = sizeof(raw);

	if (EVP_PKEY_get_id(pkey) != EVP_PKEY_ED25519)
		return rk_err(RK_ERR_UNSUPPORTED, "'%s' is no Ed25519 key", path);
	if (EVP_PKEY_get_raw_public_key(pkey, raw, &len) != 1 || len != sizeof(raw))
		return library_failed("reading a key");
	return rk_public_key_from_raw(raw, ret);
}

/* Takes pkey in any case. */
static struct rk_err *wrap_private(EVP_PKEY *pkey, const char *path, struct rk_private_key **ret)
{
	_cleanup_private_key_ struct rk_private_key *key = calloc(1, sizeof(*key));

	if (!key) {
		EVP_PKEY_free(pkey);
		return rk_err_nomem();
	}
	key->pkey = pkey;
	RK_TRY(public_of(pkey, path, &key->public));
	*ret = take_ptr(key);
	return NULL;
}

struct rk_err *rk_private_key_generate(struct rk_private_key **ret)
{
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

	return pkey ? wrap_private(pkey, "a new key", ret) : library_failed("making a key");
}

/* A key that others may read is nobody's signature. */
static struct rk_err *check_mode(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return rk_err_sys(errno, "cannot read '%s'", path);
	if (st.st_mode & (S_IRWXG | S_IRWXO))
		return rk_err(
			RK_ERR_INVALID,
			"others may read the private key '%s'; make it yours only (chmod 600)",
			path);
	return NULL;
}

/* Instead of OpenSSL's own, which would ask on the terminal. */
static int no_passphrase(char *buf, int size, int is_write, void *asked)
{
	(void)buf, (void)size, (void)is_write;
	*(bool *)asked = true;
	return -1;
}

struct rk_err *rk_private_key_read(const char *path, struct rk_private_key **ret)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_bio_ BIO *bio = NULL;
	bool asked = false;
	size_t len;

	RK_TRY(check_mode(path));
	RK_TRY(rk_fs_read(path, PEM_SIZE_MAX, &text, &len));
	bio = BIO_new_mem_buf(text, (int)len);
	EVP_PKEY *pkey = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, &asked) : NULL;
	OPENSSL_cleanse(text, len);
	if (pkey)
		return wrap_private(pkey, path, ret);
	ERR_clear_error();
	if (asked)
		return rk_err(RK_ERR_UNSUPPORTED,
			      "the private key '%s' is encrypted; decrypt it first (openssl pkey)",
			      path);
	return rk_err(RK_ERR_FORMAT, "'%s' is no private key in PEM", path);
}

/* The bytes a memory BIO holds. */
static struct rk_err *write_bio(BIO *bio, const char *path, mode_t mode)
{
	char *data;
	long len = BIO_get_mem_data(bio, &data);
	_cleanup_close_ int fd =
		open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);

	if (fd < 0)
		return rk_err_sys(errno, "cannot create '%s'", path);
	struct rk_err *err = rk_fs_write_all(fd, data, (size_t)len, path);
	if (!err && fsync(fd) < 0)
		err = rk_err_sys(errno, "cannot write '%s'", path);
	if (err)
		rk_err_free(rk_fs_unlink(path));
	return err;
}

struct rk_err *rk_private_key_write(const struct rk_private_key *key, const char *path)
{
	/* from secure memory where there is any; wiped as it is freed */
	_cleanup_bio_ BIO *bio = BIO_new(BIO_s_secmem());

	if (!bio || PEM_write_bio_PKCS8PrivateKey(bio, key->pkey, NULL, NULL, 0, NULL, NULL) != 1)
		return library_failed("writing a key");
	return write_bio(bio, path, 0600);
}

const struct rk_public_key *rk_private_key_public(const struct rk_private_key *key)
{
	return &key->public;
}

/* "readykernel:<role>:1\n<payload>": Ed25519 signs all of it as one. */
static struct rk_err *message_of(const char *role, const void *payload, size_t len,
				 struct rk_str *ret)
{
	rk_str_addf(ret, "readykernel:%s:1\n", role);
	rk_str_add_bytes(ret, payload, len);
	return rk_str_check(ret);
}

struct rk_err *rk_private_key_sign(const struct rk_private_key *key, const char *role,
				   const void *payload, size_t len,
				   uint8_t ret_signature[RK_SIGNATURE_SIZE])
{
	_cleanup_str_ struct rk_str message = RK_STR_INIT;
	_cleanup_md_ctx_ EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t signature[RK_SIGNATURE_SIZE];
	size_t size = sizeof(signature);

	RK_TRY(message_of(role, payload, len, &message));
	if (!ctx || EVP_DigestSignInit(ctx, NULL, NULL, NULL, key->pkey) != 1 ||
	    EVP_DigestSign(ctx, signature, &size, (const uint8_t *)message.s, message.len) != 1 ||
	    size != sizeof(signature))
		return library_failed("signing");
	memcpy(ret_signature, signature, sizeof(signature));
	return NULL;
}

void rk_private_key_free(struct rk_private_key *key)
{
	if (!key)
		return;
	EVP_PKEY_free(key->pkey);
	free(key);
}

struct rk_err *rk_public_key_read(const char *path, struct rk_public_key *ret)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_bio_ BIO *bio = NULL;
	bool asked = false;
	size_t len;

	RK_TRY(rk_fs_read(path, PEM_SIZE_MAX, &text, &len));
	bio = BIO_new_mem_buf(text, (int)len);
	_cleanup_pkey_ EVP_PKEY *pkey =
		bio ? PEM_read_bio_PUBKEY(bio, NULL, no_passphrase, &asked) : NULL;
	ERR_clear_error();
	if (!pkey)
		return rk_err(RK_ERR_FORMAT, "'%s' is no public key in PEM", path);
	return public_of(pkey, path, ret);
}

static EVP_PKEY *pkey_of(const struct rk_public_key *key)
{
	return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key->raw, RK_KEY_RAW_SIZE);
}

struct rk_err *rk_public_key_write(const struct rk_public_key *key, const char *path)
{
	_cleanup_pkey_ EVP_PKEY *pkey = pkey_of(key);
	_cleanup_bio_ BIO *bio = BIO_new(BIO_s_mem());

	if (!pkey || !bio || PEM_write_bio_PUBKEY(bio, pkey) != 1)
		return library_failed("writing a key");
	return write_bio(bio, path, 0644);
}

struct rk_err *rk_public_key_verify(const struct rk_public_key *key, const char *role,
				    const void *payload, size_t len,
				    const uint8_t signature[RK_SIGNATURE_SIZE])
{
	_cleanup_str_ struct rk_str message = RK_STR_INIT;
	_cleanup_pkey_ EVP_PKEY *pkey = pkey_of(key);
	_cleanup_md_ctx_ EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	RK_TRY(message_of(role, payload, len, &message));
	if (!pkey || !ctx || EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) != 1)
		return library_failed("checking a signature");
	if (EVP_DigestVerify(ctx, signature, RK_SIGNATURE_SIZE, (const uint8_t *)message.s,
			     message.len) != 1) {
		ERR_clear_error();
		return rk_err(RK_ERR_SIGNATURE, "the signature of key %.16s… as '%s' doesn't hold",
			      key->id, role);
	}
	return NULL;
}
