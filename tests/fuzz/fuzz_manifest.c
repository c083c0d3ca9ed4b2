/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The manifest reader on any bytes; what it takes must come out of the writer unchanged when read and written once more. */
#include <stdint.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/patch/manifest.h"
#include "tests/fuzz/fuzz.h"

static char *rewrite(const char *json, size_t len)
{
	struct rk_manifest *m;
	char *out = NULL;
	_cleanup_err_ struct rk_err *err = rk_manifest_parse("input", json, len, &m);

	if (err)
		return NULL;
	/* Whatever can be read can be written. */
	err = rk_manifest_to_json(m, &out);
	if (err)
		abort();
	rk_manifest_free(m);
	return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *first = rewrite((const char *)data, size);

	if (!first)
		return 0;
	_cleanup_free_ char *second = rewrite(first, strlen(first));
	if (!second || !rk_streq(first, second))
		abort();
	return 0;
}
