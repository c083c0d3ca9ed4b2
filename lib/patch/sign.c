/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signing a module: what the kernel checks is a PKCS#7 message over the module's bytes, detached, without certificates and
 * signed attributes, found by struct module_signature and the magic text at the very end of the file.
 */
#include "lib/patch/sign.h"

#include <arpa/inet.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/patch/sign_internal.h"

/* A key or certificate in PEM has a few KiB. */
#define PEM_SIZE_MAX (1u << 20)

static void bio_cleanup(BIO **bio)
{
	BIO_free(*bio);
}
static void key_cleanup(EVP_PKEY **key)
{
	EVP_PKEY_free(*key);
}
static void cert_cleanup(X509 **cert)
{
	X509_free(*cert);
}
static void cms_cleanup(CMS_ContentInfo **cms)
{
	CMS_ContentInfo_free(*cms);
}
#define _cleanup_bio_  _cleanup_(bio_cleanup)
#define _cleanup_key_  _cleanup_(key_cleanup)
#define _cleanup_cert_ _cleanup_(cert_cleanup)
#define _cleanup_cms_  _cleanup_(cms_cleanup)

/* An error with the first reason of OpenSSL's queue, which is emptied. */
static struct rk_err *ssl_err(enum rk_err_code code, const char *what, const char *path)
{
	unsigned long reason = ERR_get_error();
	char text[256] = "unknown reason";

	if (reason)
		ERR_error_string_n(reason, text, sizeof(text));
	ERR_clear_error();
	return rk_err(code, "%s '%s': %s", what, path, text);
}

/* Instead of OpenSSL's own, which would ask on the terminal. */
static int no_passphrase(char *buf, int size, int is_write, void *asked)
{
	(void)buf, (void)size, (void)is_write;
	*(bool *)asked = true;
	return -1;
}

static struct rk_err *open_pem(const char *path, char **ret_text, BIO **ret)
{
	_cleanup_free_ char *text = NULL;
	size_t len;

	RK_TRY(rk_fs_read(path, PEM_SIZE_MAX, &text, &len));
	BIO *bio = BIO_new_mem_buf(text, (int)len);
	if (!bio)
		return rk_err_nomem();
	*ret_text = take_ptr(text);
	*ret = bio;
	return NULL;
}

static struct rk_err *read_key(const char *path, EVP_PKEY **ret)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_bio_ BIO *bio = NULL;
	bool asked = false;

	RK_TRY(open_pem(path, &text, &bio));
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, &asked);
	OPENSSL_cleanse(text, strlen(text));
	if (!key && asked) {
		ERR_clear_error();
		return rk_err(RK_ERR_UNSUPPORTED,
			      "the private key '%s' is encrypted; decrypt it first (openssl pkey)",
			      path);
	}
	if (!key)
		return ssl_err(RK_ERR_FORMAT, "cannot read the private key", path);
	*ret = key;
	return NULL;
}

static struct rk_err *read_cert(const char *path, X509 **ret)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_bio_ BIO *bio = NULL;

	RK_TRY(open_pem(path, &text, &bio));
	X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	if (!cert)
		return ssl_err(RK_ERR_FORMAT, "cannot read the certificate", path);
	*ret = cert;
	return NULL;
}

/* The message in DER; *ret malloc'ed. */
static struct rk_err *make_pkcs7(const void *module, size_t size, const char *key_path,
				 const char *cert_path, const EVP_MD *md, uint8_t **ret,
				 size_t *ret_size)
{
	_cleanup_key_ EVP_PKEY *key = NULL;
	_cleanup_cert_ X509 *cert = NULL;
	/* No certificates: the kernel has them. No attributes (they hold the time): same input, same bytes. */
	const unsigned int flags =
		CMS_NOCERTS | CMS_BINARY | CMS_DETACHED | CMS_NOATTR | CMS_NOSMIMECAP;

	RK_TRY(read_key(key_path, &key));
	RK_TRY(read_cert(cert_path, &cert));
	if (X509_check_private_key(cert, key) != 1) {
		ERR_clear_error();
		return rk_err(RK_ERR_MISMATCH,
			      "the private key '%s' doesn't belong to the certificate '%s'",
			      key_path, cert_path);
	}
	_cleanup_bio_ BIO *data = BIO_new_mem_buf(module, (int)size);
	_cleanup_cms_ CMS_ContentInfo *cms =
		CMS_sign(NULL, NULL, NULL, NULL, flags | CMS_PARTIAL | CMS_STREAM);
	if (!data || !cms)
		return rk_err_nomem();
	if (!CMS_add1_signer(cms, cert, key, md, flags) || CMS_final(cms, data, NULL, flags) != 1)
		return ssl_err(RK_ERR_INVALID, "cannot sign with", key_path);
	unsigned char *der = NULL;
	int len = i2d_CMS_ContentInfo(cms, &der);
	if (len <= 0)
		return ssl_err(RK_ERR_INVALID, "cannot sign with", key_path);
	uint8_t *copy = malloc((size_t)len);
	if (copy)
		memcpy(copy, der, (size_t)len);
	OPENSSL_free(der);
	if (!copy)
		return rk_err_nomem();
	*ret = copy;
	*ret_size = (size_t)len;
	return NULL;
}

struct rk_err *rk_sign_module(const void *module, size_t size, const char *key_path,
			      const char *cert_path, const char *hash, void **ret, size_t *ret_size)
{
	_cleanup_free_ uint8_t *message = NULL;
	size_t message_size = 0, present;
	const EVP_MD *md = EVP_get_digestbyname(hash);

	if (!md)
		return rk_err(RK_ERR_INVALID, "unknown hash '%s' for a module signature", hash);
	if (size > INT32_MAX)
		return rk_err(RK_ERR_LIMIT, "a module of more than 2 GiB can't be signed");
	RK_TRY(rk_sign_trailer_size(module, size, &present));
	if (present)
		return rk_err(RK_ERR_INVALID, "the module is signed already");
	RK_TRY(make_pkcs7(module, size, key_path, cert_path, md, &message, &message_size));
	struct rk_module_signature trailer = {
		.id_type = RK_SIGNATURE_PKCS7,
		.sig_len = htonl((uint32_t)message_size),
	};
	size_t total = size + message_size + sizeof(trailer) + RK_SIGNATURE_MAGIC_SIZE;
	uint8_t *out = malloc(total);
	if (!out)
		return rk_err_nomem();
	memcpy(out, module, size);
	memcpy(out + size, message, message_size);
	memcpy(out + size + message_size, &trailer, sizeof(trailer));
	memcpy(out + size + message_size + sizeof(trailer), RK_SIGNATURE_MAGIC,
	       RK_SIGNATURE_MAGIC_SIZE);
	*ret = out;
	*ret_size = total;
	return NULL;
}

/* As the kernel's mod_check_sig(): PKCS#7 is the only type, and everything but the length is zero. */
struct rk_err *rk_sign_trailer_size(const void *module, size_t size, size_t *ret)
{
	const uint8_t *bytes = module;
	struct rk_module_signature trailer;
	static const struct rk_module_signature expected = {.id_type = RK_SIGNATURE_PKCS7};

	if (size < RK_SIGNATURE_MAGIC_SIZE ||
	    memcmp(bytes + size - RK_SIGNATURE_MAGIC_SIZE, RK_SIGNATURE_MAGIC,
		   RK_SIGNATURE_MAGIC_SIZE) != 0) {
		*ret = 0;
		return NULL;
	}
	size -= RK_SIGNATURE_MAGIC_SIZE;
	if (size < sizeof(trailer))
		return rk_err(RK_ERR_FORMAT, "module signature: cut off");
	size -= sizeof(trailer);
	memcpy(&trailer, bytes + size, sizeof(trailer));
	size_t message_size = ntohl(trailer.sig_len);
	trailer.sig_len = 0;
	if (memcmp(&trailer, &expected, sizeof(trailer)) != 0)
		return rk_err(RK_ERR_FORMAT, "module signature: not a plain PKCS#7 one");
	if (!message_size || message_size >= size)
		return rk_err(RK_ERR_FORMAT, "module signature: %zu bytes in a module of %zu",
			      message_size, size);
	*ret = message_size + sizeof(trailer) + RK_SIGNATURE_MAGIC_SIZE;
	return NULL;
}
