/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's module signature: a detached PKCS#7 message behind the module, then struct module_signature, then the magic text
 * (kernel/module_signature.c, certs/ and scripts/sign-file of 6.1 say what is accepted).
 */
#ifndef RK_PATCH_SIGN_H
#define RK_PATCH_SIGN_H

#include <stddef.h>

#include "lib/base/err.h"

/* *ret (malloc'ed) is module followed by its signature, made with the PEM private key and certificate. hash: CONFIG_MODULE_SIG_HASH ("sha256"). */
struct rk_err *rk_sign_module(const void *module, size_t size, const char *key_path,
			      const char *cert_path, const char *hash, void **ret, size_t *ret_size)
	__must_use;

/* Bytes of the signature behind the module (0: not signed). Bounds-checked. */
struct rk_err *rk_sign_trailer_size(const void *module, size_t size, size_t *ret) __must_use;

#endif
