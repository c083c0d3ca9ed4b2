/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading one X.509 certificate, as far as it takes to find its key in the kernel. */
#include "lib/host/certificate.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "lib/base/fs.h"
#include "lib/base/hex.h"
#include "lib/base/str.h"

static struct rk_err *encode(const char *path, const unsigned char *id, int len,
			     char ret[RK_CERTIFICATE_ID_SIZE])
{
	if (id && len > 1 && !*id) {
		id++;
		len--;
	}
	if (!id || len <= 0 || (size_t)len > (RK_CERTIFICATE_ID_SIZE - 1) / 2)
		return rk_err(RK_ERR_FORMAT, "'%s': the certificate has no id that can be used",
			      path);
	rk_hex_encode(id, (size_t)len, ret);
	return NULL;
}

struct rk_err *rk_certificate_key_id(const char *path, char ret[RK_CERTIFICATE_ID_SIZE])
{
	_cleanup_free_ char *bytes = NULL;
	size_t len = 0;

	RK_TRY(rk_fs_read(path, RK_CERTIFICATE_SIZE_MAX, &bytes, &len));
	const unsigned char *at = (const unsigned char *)bytes;
	X509 *certificate = d2i_X509(NULL, &at, (long)len);
	ERR_clear_error(); /* what is told is told below */
	if (!certificate)
		return rk_err(RK_ERR_FORMAT,
			      "'%s' is no X.509 certificate in DER form; 'openssl x509 -outform "
			      "DER' makes one of a PEM file",
			      path);
	const ASN1_STRING *id = X509_get0_subject_key_id(certificate);
	if (!id)
		id = X509_get0_serialNumber(certificate);
	struct rk_err *err = encode(path, ASN1_STRING_get0_data(id), ASN1_STRING_length(id), ret);
	X509_free(certificate);
	return err;
}
