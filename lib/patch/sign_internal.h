/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bytes behind a signed module (kernel: include/linux/module_signature.h), shared with the tests that take them apart. */
#ifndef RK_PATCH_SIGN_INTERNAL_H
#define RK_PATCH_SIGN_INTERNAL_H

#include <stdint.h>

#define RK_SIGNATURE_MAGIC	"~Module signature appended~\n"
#define RK_SIGNATURE_MAGIC_SIZE (sizeof(RK_SIGNATURE_MAGIC) - 1)
#define RK_SIGNATURE_PKCS7	2

struct rk_module_signature {
	uint8_t algo, hash, id_type, signer_len, key_id_len, pad[3];
	uint32_t sig_len; /* of the message, big-endian */
};

_Static_assert(sizeof(struct rk_module_signature) == 12, "the kernel's layout");

#endif
