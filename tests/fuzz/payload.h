/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A fuzz target of one kind of payload: what can be read can be written, and is the same when it is read and written once more. */
#ifndef RK_TESTS_FUZZ_PAYLOAD_H
#define RK_TESTS_FUZZ_PAYLOAD_H

#include <string.h>

#include "lib/base/str.h"
#include "tests/fuzz/fuzz.h"

#define FUZZ_PAYLOAD(kind)                                                      \
	static char *rewrite(const char *json, size_t len)                      \
	{                                                                       \
		struct rk_##kind *payload;                                      \
		char *text = NULL;                                              \
		_cleanup_err_ struct rk_err *err =                              \
			rk_##kind##_parse("input", json, len, &payload);        \
                                                                                \
		if (err)                                                        \
			return NULL;                                            \
		err = rk_##kind##_write(payload, &text);                        \
		if (err)                                                        \
			abort();                                                \
		rk_##kind##_free(payload);                                      \
		return text;                                                    \
	}                                                                       \
                                                                                \
	int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)            \
	{                                                                       \
		_cleanup_free_ char *first = rewrite((const char *)data, size); \
                                                                                \
		if (!first)                                                     \
			return 0;                                               \
		_cleanup_free_ char *second = rewrite(first, strlen(first));    \
		if (!second || !rk_streq(first, second))                        \
			abort();                                                \
		return 0;                                                       \
	}

#endif
