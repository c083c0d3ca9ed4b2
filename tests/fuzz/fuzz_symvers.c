// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Module.symvers of any bytes: an error, or as many exports as lines, each found by its name and
 * whole.
 */
#include <string.h>

#include "lib/target/exports.h"
#include "tests/fuzz/fuzz.h"

static size_t count_lines(const uint8_t *data, size_t size)
{
	size_t nr = size && data[size - 1] != '\n';

	for (size_t i = 0; i < size; i++)
		nr += data[i] == '\n';
	return nr;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_exports_ struct rk_exports *exports = NULL;
	_cleanup_err_ struct rk_err *err =
		rk_exports_parse("input", (const char *)data, size, &exports);
	size_t pos = 0, nr = 0;
	const char *name;
	void *value;

	if (err)
		return 0;
	for (; rk_map_next(&exports->by_name, &pos, &name, &value); nr++) {
		const struct rk_export *export = value;
		if (rk_exports_find(exports, name) != export || strcmp(export->name, name) != 0 ||
		    !*export->object || !export->ns || strpbrk(export->object, "/-\t\n") ||
		    strchr(name, '\t'))
			abort();
	}
	if (nr != exports->nr || nr != count_lines(data, size))
		abort();
	return 0;
}
