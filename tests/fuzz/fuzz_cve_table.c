/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables of CVEs. What is read is formed into fixes: each CVE must be in exactly one, and every name fit to be a file's. */
#include <string.h>

#include "bench/coverage/form.h"
#include "lib/base/str.h"
#include "tests/fuzz/fuzz.h"

static bool joins(void *ctx, const char *path)
{
	(void)ctx;
	return !rk_has_suffix(path, ".txt");
}

static void check_fixes(const struct cov_table *table)
{
	_cleanup_cov_fixes_ struct cov_fixes fixes = {};
	struct rk_err *err = cov_form(table, joins, NULL, &fixes);
	size_t cves = 0;

	if (err) {
		rk_err_free(err);
		return;
	}
	rk_vec_for_each(&fixes.list, fix) {
		cves += fix->cves.nr;
		if (!rk_has_prefix(fix->id, "CVE-") || strchr(fix->id, '/'))
			abort();
		rk_vec_for_each(&fix->files, path)
			if ((*path)[0] == '/' || rk_has_prefix(*path, "../") ||
			    strstr(*path, "/../"))
				abort();
	}
	if (cves != table->cves.nr)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_cov_table_ struct cov_table table = {};
	struct rk_err *err = cov_table_parse("table", (const char *)data, size, &table);

	if (!err)
		check_fixes(&table);
	else if (rk_err_code(err) != RK_ERR_FORMAT && rk_err_code(err) != RK_ERR_NOMEM)
		abort();
	rk_err_free(err);
	return 0;
}
