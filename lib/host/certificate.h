/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The certificate of whoever signs modules for the kernel's own check: what the kernel calls its key. */
#ifndef RK_HOST_CERTIFICATE_H
#define RK_HOST_CERTIFICATE_H

#include "lib/base/err.h"

#define RK_CERTIFICATE_FILE	"/etc/readykernel/module-signing.der"
#define RK_CERTIFICATE_SIZE_MAX 65536
#define RK_CERTIFICATE_ID_SIZE	129

/* The id in hex by which /proc/keys lists the key of a certificate: its subject key identifier, else its serial number, without a leading zero
 * byte (x509_key_preparse(), kernel 6.1). Errors: RK_ERR_FORMAT (not X.509 in DER form), RK_ERR_SYS. */
struct rk_err *rk_certificate_key_id(const char *path, char ret[RK_CERTIFICATE_ID_SIZE]) __must_use;

#endif
