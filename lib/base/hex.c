/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hexadecimal text, in one spelling only. */
#include "lib/base/hex.h"

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool rk_is_hex(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (digit(s[i]) < 0)
			return false;
	return true;
}

bool rk_hex_decode(const char *hex, size_t size, uint8_t *to)
{
	for (size_t i = 0; i < size; i++) {
		int high = digit(hex[2 * i]);
		int low = high < 0 ? -1 : digit(hex[2 * i + 1]);

		if (low < 0)
			return false;
		to[i] = (uint8_t)(high * 16 + low);
	}
	return true;
}

const char *rk_hex_encode(const uint8_t *bytes, size_t size, char *to)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < size; i++) {
		to[2 * i] = digits[bytes[i] >> 4];
		to[2 * i + 1] = digits[bytes[i] & 15];
	}
	to[2 * size] = '\0';
	return to;
}
