/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of CVEs: tab-separated, a line of column names first, one line for each release that fixed a CVE. */
#ifndef RK_BENCH_COVERAGE_TABLE_H
#define RK_BENCH_COVERAGE_TABLE_H

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/map.h"
#include "lib/base/vec.h"

struct cov_cve {
	const char *id; /* "CVE-2026-43284" */
	const char *title, *severity, *score;
	const char *fixed_in; /* the release that fixed it, the last one if there are several */
	rk_vec(const char *) files; /* paths in the kernel tree, each once */
};

struct cov_table {
	struct rk_arena arena;	       /* all strings and CVEs */
	rk_vec(struct cov_cve *) cves; /* by year and number */
	struct rk_map by_id;
};

/* Reads len bytes of text; name is for messages. Columns cve, files, title, severity, cvss and fixed_ver must be there; others are
 * ignored. Lines about the same CVE are one CVE with the files of all. Errors: RK_ERR_FORMAT "'NAME' line N: …" (too few
 * columns, no CVE id, a path that is absolute or leaves the tree, no CVE at all). */
struct rk_err *cov_table_parse(const char *name, const char *text, size_t len,
			       struct cov_table *ret) __must_use;
void cov_table_deinit(struct cov_table *table);

/* Order of CVE ids: by year, then by number. */
int cov_cve_compare(const char *a, const char *b);

#define _cleanup_cov_table_ _cleanup_(cov_table_deinit)

#endif
