/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A finding is one statement of the analysis: a stable code, a severity, a place and an advice.
 * Findings are collected and all shown; an error-level finding makes the verdict negative (exit
 * status 3), it never ends the analysis. The codes stand in one table, lib/base/finding-codes.def.
 */
#ifndef RK_BASE_FINDING_H
#define RK_BASE_FINDING_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/vec.h"

enum rk_severity {
	RK_SEVERITY_INFO,	 /* worth knowing */
	RK_SEVERITY_ACKNOWLEDGE, /* nothing is written until a human has accepted it */
	RK_SEVERITY_ERROR,	 /* can't be patched live like this: nothing is written */
};

enum rk_finding_code {
#define RK_FINDING(id, name, level, title, advice) RK_FINDING_##id,
#include "lib/base/finding-codes.def"
#undef RK_FINDING
	RK_FINDING_CODES
};

struct rk_finding {
	enum rk_finding_code code;
	enum rk_severity severity;
	const char *unit;   /* source file ("net/ipv4/tcp.c"), or NULL */
	const char *object; /* klp object ("vmlinux", "af_key"), or NULL */
	const char *symbol; /* function, variable, type or path it is about, or NULL */
	const char *text;   /* what was found, one line, lower-case, no full stop */
	const char *advice; /* what to do; the table's unless more specific */
	bool is_accepted;   /* by a human: doesn't stand in the way */
	const char *reason; /* why it was accepted, in that person's words, or NULL */
};

struct rk_findings {
	struct rk_arena arena; /* all strings */
	rk_vec(struct rk_finding) list;
};

void rk_findings_deinit(struct rk_findings *f);

/* Adds one with the table's severity and advice. unit, object, symbol are copied and may be NULL. */
struct rk_err *rk_finding_add(struct rk_findings *f, enum rk_finding_code code, const char *unit,
			      const char *object, const char *symbol, const char *fmt, ...)
	__must_use __printf(6, 7);

/* Appends copies of all of from. */
struct rk_err *rk_findings_merge(struct rk_findings *to, const struct rk_findings *from) __must_use;

/* Stable order: severity (errors first), unit, symbol, code, text; exact duplicates removed. */
void rk_findings_sort(struct rk_findings *f);

/* Nothing is written while there is one: an error, or what a human has to accept and hasn't. */
bool rk_finding_is_blocking(const struct rk_finding *finding);
size_t rk_findings_count_blocking(const struct rk_findings *f, enum rk_severity severity);

/*
 * A human's word on findings, "CODE" or "CODE:PLACE": a symbol, a unit or an object.
 */
struct rk_acceptance {
	const char *wish;
	const char *reason; /* or NULL; errors need one */
};

/* Is wish about the finding? */
bool rk_finding_is_meant(const struct rk_finding *finding, const char *wish);
/* The code that wish begins with; false if there is none of that name. */
bool rk_acceptance_code(const char *wish, enum rk_finding_code *ret);
/* Sets is_accepted and reason where one of the list is about the finding and can accept it. */
struct rk_err *rk_findings_accept(struct rk_findings *f, const struct rk_acceptance *list,
				  size_t nr) __must_use;

/* Exact duplicates of code become one, whose text says how many there were: "… (in 37 units)". Sorts by the way. On error
 * duplicates may be left. */
struct rk_err *rk_findings_fold(struct rk_findings *f, enum rk_finding_code code, const char *what)
	__must_use;

size_t rk_findings_count(const struct rk_findings *f, enum rk_severity severity);

/* "data-changed", "no-fentry" … */
const char *rk_finding_code_name(enum rk_finding_code code);
const char *rk_finding_code_title(enum rk_finding_code code);
const char *rk_finding_code_advice(enum rk_finding_code code);
enum rk_severity rk_finding_code_severity(enum rk_finding_code code);
/* May a human accept it, and so have the module made all the same? Errors that may be need a written reason. */
bool rk_finding_code_is_acceptable(enum rk_finding_code code);
const char *rk_severity_name(enum rk_severity severity); /* "info", "acknowledge", "error" */

#endif
