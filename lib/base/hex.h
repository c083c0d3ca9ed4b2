/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes as lower-case hexadecimal text: hashes, build-ids, keys, signatures. Upper-case digits are refused, so that equal bytes are
 * equal text. */
#ifndef RK_BASE_HEX_H
#define RK_BASE_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* True when the first len characters of s are all of 0-9a-f. */
bool rk_is_hex(const char *s, size_t len);

/* Reads exactly size bytes from the first 2 * size characters of hex; false if one isn't a digit (nothing is promised of to then). */
bool rk_hex_decode(const char *hex, size_t size, uint8_t *to);

/* Writes 2 * size characters and a NUL. Returns to. */
const char *rk_hex_encode(const uint8_t *bytes, size_t size, char *to);

#endif
