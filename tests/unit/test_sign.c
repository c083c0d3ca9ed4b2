/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Module signatures: made with keys of our own, taken apart again and checked by OpenSSL as the kernel checks them: a PKCS#7
 * message without certificates and attributes over exactly the module's bytes.
 */
#include <arpa/inet.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/patch/sign.h"
#include "lib/patch/sign_internal.h"
#include "tests/unit/tap.h"

static const char module[] = "not really a module, but signatures don't look inside";
#define MODULE_SIZE (sizeof(module) - 1)

struct identity {
	char *key_path, *cert_path;
	X509 *cert;
};

static void write_pem(const char *path, EVP_PKEY *key, X509 *cert, const char *passphrase)
{
	FILE *f = fopen(path, "we");

	if (!f)
		bail_out("cannot write '%s'", path);
	int done =
		cert ? PEM_write_X509(f, cert)
		     : PEM_write_PrivateKey(f, key, passphrase ? EVP_aes_128_cbc() : NULL,
					    (const unsigned char *)passphrase,
					    passphrase ? (int)strlen(passphrase) : 0, NULL, NULL);
	if (fclose(f) || !done)
		bail_out("cannot write '%s'", path);
}

static X509 *self_sign(EVP_PKEY *key, const char *name)
{
	X509 *cert = X509_new();

	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 7);
	X509_gmtime_adj(X509_getm_notBefore(cert), 0);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_set_pubkey(cert, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
				   (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(cert, X509_get_subject_name(cert));
	if (!X509_sign(cert, key, EVP_sha256()))
		bail_out("cannot make a certificate");
	return cert;
}

static struct identity make_identity(const char *name, EVP_PKEY *key)
{
	struct identity id = {
		.key_path = rk_asprintf("%s/%s.key", tap_tmpdir(), name),
		.cert_path = rk_asprintf("%s/%s.crt", tap_tmpdir(), name),
	};

	if (!key)
		bail_out("cannot make a key");
	id.cert = self_sign(key, name);
	write_pem(id.key_path, key, NULL, NULL);
	write_pem(id.cert_path, NULL, id.cert, NULL);
	EVP_PKEY_free(key);
	return id;
}

static void free_identity(struct identity *id)
{
	free(id->key_path);
	free(id->cert_path);
	X509_free(id->cert);
}

/* Does the signature behind file hold for its first size bytes, by this certificate? */
static bool verifies(const uint8_t *file, size_t file_size, size_t size, X509 *cert)
{
	const struct rk_module_signature *trailer =
		(const void *)(file + file_size - RK_SIGNATURE_MAGIC_SIZE - sizeof(*trailer));
	uint32_t len;
	memcpy(&len, (const uint8_t *)trailer + offsetof(struct rk_module_signature, sig_len),
	       sizeof(len));
	const unsigned char *der = (const uint8_t *)trailer - ntohl(len);
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &der, ntohl(len));
	BIO *data = BIO_new_mem_buf(file, (int)size);
	STACK_OF(X509) *certs = sk_X509_new_null();

	sk_X509_push(certs, cert);
	bool good = cms && der == (const uint8_t *)trailer &&
		    CMS_verify(cms, certs, NULL, data, NULL,
			       CMS_BINARY | CMS_NOINTERN | CMS_NO_SIGNER_CERT_VERIFY) == 1;
	ERR_clear_error();
	sk_X509_free(certs);
	BIO_free(data);
	CMS_ContentInfo_free(cms);
	return good;
}

/* What the kernel's parser demands of the message (crypto/asymmetric_keys/pkcs7_parser.c). */
static void check_message(const uint8_t *file, size_t size)
{
	const unsigned char *der = file + MODULE_SIZE;
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &der, (long)(size - MODULE_SIZE));

	if (!ok(cms != NULL, "the message is a CMS one"))
		return;
	ASN1_OCTET_STRING **content = CMS_get0_content(cms);
	ok(content && !*content, "it is detached");
	STACK_OF(X509) *certs = CMS_get1_certs(cms);
	ok(!certs, "it has no certificates");
	STACK_OF(CMS_SignerInfo) *signers = CMS_get0_SignerInfos(cms);
	is_int(sk_CMS_SignerInfo_num(signers), 1, "it has one signer");
	is_int(CMS_signed_get_attr_count(sk_CMS_SignerInfo_value(signers, 0)), -1,
	       "it has no signed attributes");
	CMS_ContentInfo_free(cms);
}

static void test_rsa(const struct identity *id, const struct identity *other)
{
	uint8_t *file, *again;
	size_t size, again_size, trailer;

	if (!no_err(rk_sign_module(module, MODULE_SIZE, id->key_path, id->cert_path, "sha256",
				   (void **)&file, &size),
		    "a module is signed"))
		return;
	is_mem(file, MODULE_SIZE, module, MODULE_SIZE, "the module is unchanged in front");
	if (no_err(rk_sign_trailer_size(file, size, &trailer), "its signature is found"))
		is_int(trailer, size - MODULE_SIZE, "and has all of the rest");
	is_mem(file + size - 28, 28, "~Module signature appended~\n", 28,
	       "the magic is at the end");
	check_message(file, size);
	ok(verifies(file, size, MODULE_SIZE, id->cert), "OpenSSL verifies it");
	ok(!verifies(file, size, MODULE_SIZE, other->cert), "but not with another certificate");
	ok(!verifies(file, size, MODULE_SIZE - 1, id->cert), "nor over less");
	file[10] ^= 1;
	ok(!verifies(file, size, MODULE_SIZE, id->cert), "nor with one changed bit");
	file[10] ^= 1;

	is_err(rk_sign_module(file, size, id->key_path, id->cert_path, "sha256", (void **)&again,
			      &again_size),
	       RK_ERR_INVALID, "the module is signed already", "no second signature");
	if (no_err(rk_sign_module(module, MODULE_SIZE, id->key_path, id->cert_path, "sha256",
				  (void **)&again, &again_size),
		   "signed again")) {
		is_mem(again, again_size, file, size,
		       "the same bytes: RSA signatures are deterministic");
		free(again);
	}
	free(file);
}

static void test_ecdsa(const struct identity *id)
{
	uint8_t *file;
	size_t size;

	if (!no_err(rk_sign_module(module, MODULE_SIZE, id->key_path, id->cert_path, "sha512",
				   (void **)&file, &size),
		    "signed with ECDSA and sha512"))
		return;
	ok(verifies(file, size, MODULE_SIZE, id->cert), "OpenSSL verifies it");
	free(file);
}

static void test_bad_input(const struct identity *id, const struct identity *other)
{
	_cleanup_free_ char *absent = rk_path_join(tap_tmpdir(), "absent");
	_cleanup_free_ char *encrypted = rk_path_join(tap_tmpdir(), "encrypted.key");
	_cleanup_free_ char *message = NULL;
	void *file;
	size_t size;

	is_err(rk_sign_module(module, MODULE_SIZE, id->key_path, id->cert_path, "md6", &file,
			      &size),
	       RK_ERR_INVALID, "unknown hash 'md6' for a module signature", "unknown hash");
	is_err_like(rk_sign_module(module, MODULE_SIZE, absent, id->cert_path, "sha256", &file,
				   &size),
		    RK_ERR_SYS, absent, "no key");
	is_err_like(rk_sign_module(module, MODULE_SIZE, id->key_path, absent, "sha256", &file,
				   &size),
		    RK_ERR_SYS, absent, "no certificate");
	is_err_like(rk_sign_module(module, MODULE_SIZE, id->cert_path, id->cert_path, "sha256",
				   &file, &size),
		    RK_ERR_FORMAT, "cannot read the private key", "a certificate for a key");
	is_err_like(rk_sign_module(module, MODULE_SIZE, id->key_path, id->key_path, "sha256", &file,
				   &size),
		    RK_ERR_FORMAT, "cannot read the certificate", "a key for a certificate");
	message = rk_asprintf("the private key '%s' doesn't belong to the certificate '%s'",
			      id->key_path, other->cert_path);
	is_err(rk_sign_module(module, MODULE_SIZE, id->key_path, other->cert_path, "sha256", &file,
			      &size),
	       RK_ERR_MISMATCH, message, "key and certificate of two people");
	EVP_PKEY *key = EVP_RSA_gen(2048);
	write_pem(encrypted, key, NULL, "secret");
	EVP_PKEY_free(key);
	is_err_like(rk_sign_module(module, MODULE_SIZE, encrypted, id->cert_path, "sha256", &file,
				   &size),
		    RK_ERR_UNSUPPORTED, "is encrypted; decrypt it first",
		    "a key with a passphrase");
}

/* module bytes, message bytes, then this trailer and the magic. */
static size_t forge(uint8_t *out, size_t before, const struct rk_module_signature *trailer)
{
	memset(out, 'x', before);
	memcpy(out + before, trailer, sizeof(*trailer));
	memcpy(out + before + sizeof(*trailer), RK_SIGNATURE_MAGIC, RK_SIGNATURE_MAGIC_SIZE);
	return before + sizeof(*trailer) + RK_SIGNATURE_MAGIC_SIZE;
}

static void test_trailer(void)
{
	static const struct {
		struct rk_module_signature trailer; /* sig_len in host order */
		const char *message;
	} cases[] = {
		{{.id_type = 2, .sig_len = 0}, "module signature: 0 bytes in a module of 20"},
		{{.id_type = 2, .sig_len = 20}, "module signature: 20 bytes in a module of 20"},
		{{.id_type = 2, .sig_len = UINT32_MAX},
		 "module signature: 4294967295 bytes in a module of 20"},
		{{.id_type = 1, .sig_len = 5}, "module signature: not a plain PKCS#7 one"},
		{{.id_type = 2, .hash = 4, .sig_len = 5},
		 "module signature: not a plain PKCS#7 one"},
		{{.id_type = 2, .pad = {0, 0, 1}, .sig_len = 5},
		 "module signature: not a plain PKCS#7 one"},
	};
	uint8_t file[100];
	size_t size, trailer = 99;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rk_module_signature t = cases[i].trailer;
		t.sig_len = htonl(t.sig_len);
		size = forge(file, 20, &t);
		is_err(rk_sign_trailer_size(file, size, &trailer), RK_ERR_FORMAT, cases[i].message,
		       cases[i].message);
	}
	is_err(rk_sign_trailer_size(file + 21, size - 21, &trailer), RK_ERR_FORMAT,
	       "module signature: cut off", "less than a trailer");
	is_int(trailer, 99, "the output is untouched on failure");
	struct rk_module_signature good = {.id_type = 2, .sig_len = htonl(5)};
	size = forge(file, 20, &good);
	if (no_err(rk_sign_trailer_size(file, size, &trailer), "a good one"))
		is_int(trailer, 5 + 12 + 28, "has this size");
	if (no_err(rk_sign_trailer_size(file, size - 1, &trailer), "without its last byte"))
		is_int(trailer, 0, "it is none");
	if (no_err(rk_sign_trailer_size(file, 0, &trailer), "an empty file"))
		is_int(trailer, 0, "has none");
}

int main(void)
{
	struct identity rsa = make_identity("rsa", EVP_RSA_gen(2048));
	struct identity other = make_identity("other", EVP_RSA_gen(2048));
	struct identity ec = make_identity("ec", EVP_EC_gen("P-256"));

	test_rsa(&rsa, &other);
	test_ecdsa(&ec);
	test_bad_input(&rsa, &other);
	test_trailer();
	free_identity(&rsa);
	free_identity(&other);
	free_identity(&ec);
	return done_testing();
}
