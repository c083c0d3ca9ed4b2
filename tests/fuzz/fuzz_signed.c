/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signed files of any bytes: what can be taken apart is put together again as the same bytes, and no signature of chance holds. */
#include <string.h>

#include "lib/trust/signed.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t raw[RK_KEY_RAW_SIZE] = {1, 2, 3};
	struct rk_signed file;
	struct rk_public_key key;
	_cleanup_free_ char *again = NULL;
	size_t len;
	_cleanup_err_ struct rk_err *err =
		rk_signed_parse("input", (const char *)data, size, &file);

	if (err)
		return 0;
	err = rk_signed_write(&file, &again, &len);
	if (err || len != size || memcmp(again, data, size))
		abort();
	err = rk_public_key_from_raw(raw, &key);
	const struct rk_public_key *keys[] = {&key};
	const struct rk_role role = {"timestamp", 1, keys, 1};
	if (err || rk_signed_count(&file, &role))
		abort();
	return 0;
}
