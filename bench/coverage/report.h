/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table and what is written from it. */
#ifndef RK_BENCH_COVERAGE_REPORT_H
#define RK_BENCH_COVERAGE_REPORT_H

#include "bench/coverage/coverage.h"

/* What is said about a run besides its fixes. */
struct cov_facts {
	const char *target, *version; /* what is patched, and what it says of itself */
	const char *older, *newer;    /* versions of the source packages */
	unsigned int processors;
	uint64_t cache_bytes;
	json_t *runs, *cumulative, *repeat; /* borrowed, or NULL: not measured */
	json_t *reasons;		    /* borrowed, or NULL: see cov_reasons_parse() */
};

/* The whole document, a new reference: {"schema", "target", …, "summary", "fixes": [row …]}. A fix without a result is a row without
 * "outcome". */
struct rk_err *cov_document(const struct cov_run *run, const struct cov_facts *facts, json_t **ret)
	__must_use;
/* The figures of an array of rows, a new reference. */
struct rk_err *cov_summarise(const json_t *rows, json_t **ret) __must_use;

/* The findings of a document that kpatch-build printed, or of a kept result, that stand in the way; of each code the first few. A
 * new reference. */
json_t *cov_blocking(const json_t *result);

/* The document as text; *ret malloc'ed. They read nothing but the document. */
struct rk_err *cov_csv(const json_t *document, char **ret) __must_use;
struct rk_err *cov_markdown(const json_t *document, char **ret) __must_use;
struct rk_err *cov_page(const json_t *document, char **ret) __must_use;

/* What people found when they looked at refusals: lines of a fix's first CVE, a tab, and why no kernel could take it as it is;
 * lines with '#' are remarks. A new reference: {"CVE-…": "…"}. Errors: RK_ERR_FORMAT. */
struct rk_err *cov_reasons_parse(const char *name, const char *text, size_t size, json_t **ret)
	__must_use;

/* Writes coverage.json, coverage.csv, coverage.html and COVERAGE.md into dir (made if absent). */
struct rk_err *cov_write_all(const json_t *document, const char *dir) __must_use;

/* Reading rows: "" and 0 where there is nothing. */
const char *cov_text(const json_t *object, const char *key);
double cov_number(const json_t *object, const char *key);
/* Appends the strings of an array, separated. */
void cov_add_joined(struct rk_str *out, const json_t *strings, const char *separator);
/* What an outcome means, in a few words; name may be "pending". */
const char *cov_outcome_meaning(const char *name);
/* All outcomes' names in the order they are shown, "pending" last. */
#define COV_SHOWN_OUTCOMES (COV_OUTCOMES + 1)
const char *cov_shown_outcome(size_t i);

#endif
