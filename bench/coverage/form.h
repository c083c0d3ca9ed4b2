/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From CVEs to fixes: CVEs that touch a common file can't be told apart without history, so they are one fix. */
#ifndef RK_BENCH_COVERAGE_FORM_H
#define RK_BENCH_COVERAGE_FORM_H

#include <stdbool.h>

#include "bench/coverage/table.h"

struct cov_fix {
	const char *id;			     /* of its first CVE */
	rk_vec(const struct cov_cve *) cves; /* as in the table */
	rk_vec(const char *) files;	     /* of all its CVEs, each once, sorted */
};

struct cov_fixes {
	rk_vec(struct cov_fix) list; /* by id; every CVE of the table is in exactly one */
};

/* joins() says whether a file that two CVEs touch makes them one fix; ctx is handed to it. Strings are the table's. */
struct rk_err *cov_form(const struct cov_table *table, bool (*joins)(void *ctx, const char *path),
			void *ctx, struct cov_fixes *ret) __must_use;
void cov_fixes_deinit(struct cov_fixes *fixes);

#define _cleanup_cov_fixes_ _cleanup_(cov_fixes_deinit)

#endif
