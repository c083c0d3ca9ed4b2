/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Findings and the table of their codes. */
#include "lib/base/finding.h"

#include <stdarg.h>
#include <string.h>

/* The levels of the table: a severity, and whether a human may accept it. */
#define LEVEL_INFO	  RK_SEVERITY_INFO, false
#define LEVEL_ACKNOWLEDGE RK_SEVERITY_ACKNOWLEDGE, true
#define LEVEL_OVERRIDABLE RK_SEVERITY_ERROR, true
#define LEVEL_ERROR	  RK_SEVERITY_ERROR, false

static const struct {
	const char *name;
	enum rk_severity severity;
	bool is_acceptable;
	const char *title;
	const char *advice;
} codes[RK_FINDING_CODES] = {
#define RK_FINDING(id, name, level, title, advice) \
	[RK_FINDING_##id] = {name, LEVEL_##level, title, advice},
#include "lib/base/finding-codes.def"
#undef RK_FINDING
};

void rk_findings_deinit(struct rk_findings *f)
{
	rk_vec_deinit(&f->list);
	rk_arena_deinit(&f->arena);
}

/* Copies s, which may be NULL, into the arena; false without memory. */
static bool copy(struct rk_findings *f, const char *s, const char **ret)
{
	*ret = s ? rk_arena_strdup(&f->arena, s) : NULL;
	return !s || *ret;
}

static struct rk_err *append_copy(struct rk_findings *f, const struct rk_finding *from)
{
	struct rk_finding finding = *from;

	if (!copy(f, from->unit, &finding.unit) || !copy(f, from->object, &finding.object) ||
	    !copy(f, from->symbol, &finding.symbol) || !copy(f, from->text, &finding.text) ||
	    !copy(f, from->advice, &finding.advice) || !copy(f, from->reason, &finding.reason) ||
	    !rk_vec_push(&f->list, finding))
		return rk_err_nomem();
	return NULL;
}

struct rk_err *rk_finding_add(struct rk_findings *f, enum rk_finding_code code, const char *unit,
			      const char *object, const char *symbol, const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	int len = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (len < 0) {
		text = NULL;
		return rk_err_nomem();
	}
	return append_copy(f, &(struct rk_finding){
				      .code = code,
				      .severity = codes[code].severity,
				      .unit = unit,
				      .object = object,
				      .symbol = symbol,
				      .text = text,
				      .advice = codes[code].advice,
			      });
}

struct rk_err *rk_findings_merge(struct rk_findings *to, const struct rk_findings *from)
{
	/* By index: merging a set into itself moves what an iterator would point to. */
	size_t nr = from->list.nr;

	for (size_t i = 0; i < nr; i++) {
		struct rk_finding finding = from->list.v[i];

		RK_TRY(append_copy(to, &finding));
	}
	return NULL;
}

static int compare_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

static int compare(const void *pa, const void *pb)
{
	const struct rk_finding *a = pa;
	const struct rk_finding *b = pb;
	int diff = (int)b->severity - (int)a->severity;

	if (!diff)
		diff = compare_text(a->unit, b->unit);
	if (!diff)
		diff = compare_text(a->symbol, b->symbol);
	if (!diff)
		diff = (int)a->code - (int)b->code;
	if (!diff)
		diff = compare_text(a->text, b->text);
	if (!diff)
		diff = compare_text(a->object, b->object);
	if (!diff)
		diff = compare_text(a->advice, b->advice);
	return diff;
}

void rk_findings_sort(struct rk_findings *f)
{
	size_t kept = 0;

	if (f->list.nr < 2)
		return;
	qsort(f->list.v, f->list.nr, sizeof(*f->list.v), compare);
	for (size_t i = 1; i < f->list.nr; i++) {
		if (compare(&f->list.v[kept], &f->list.v[i]) != 0)
			f->list.v[++kept] = f->list.v[i];
	}
	f->list.nr = kept + 1;
}

struct rk_err *rk_findings_fold(struct rk_findings *f, enum rk_finding_code code, const char *what)
{
	size_t kept = 0;

	if (f->list.nr < 2)
		return NULL;
	qsort(f->list.v, f->list.nr, sizeof(*f->list.v), compare);
	for (size_t i = 0, next; i < f->list.nr; i = next) {
		struct rk_finding finding = f->list.v[i];

		for (next = i + 1; next < f->list.nr && finding.code == code &&
				   compare(&finding, &f->list.v[next]) == 0;)
			next++;
		if (next - i > 1)
			finding.text = rk_arena_printf(&f->arena, "%s (in %zu %s)", finding.text,
						       next - i, what);
		if (!finding.text)
			return rk_err_nomem();
		f->list.v[kept++] = finding;
	}
	f->list.nr = kept;
	return NULL;
}

size_t rk_findings_count(const struct rk_findings *f, enum rk_severity severity)
{
	size_t nr = 0;

	rk_vec_for_each(&f->list, it) {
		if (it->severity == severity)
			nr++;
	}
	return nr;
}

bool rk_finding_is_blocking(const struct rk_finding *finding)
{
	return finding->severity != RK_SEVERITY_INFO && !finding->is_accepted;
}

size_t rk_findings_count_blocking(const struct rk_findings *f, enum rk_severity severity)
{
	size_t nr = 0;

	rk_vec_for_each(&f->list, it)
		nr += it->severity == severity && rk_finding_is_blocking(it);
	return nr;
}

static bool is_place(const char *place, const char *of)
{
	return of && strcmp(place, of) == 0;
}

bool rk_finding_is_meant(const struct rk_finding *finding, const char *wish)
{
	const char *code = rk_finding_code_name(finding->code);
	size_t n = strlen(code);

	if (strncmp(wish, code, n) != 0)
		return false;
	if (wish[n] == '\0')
		return true;
	return wish[n] == ':' &&
	       (is_place(wish + n + 1, finding->symbol) || is_place(wish + n + 1, finding->unit) ||
		is_place(wish + n + 1, finding->object));
}

bool rk_acceptance_code(const char *wish, enum rk_finding_code *ret)
{
	size_t n = strcspn(wish, ":");

	for (int code = 0; code < RK_FINDING_CODES; code++) {
		if (strlen(codes[code].name) != n || strncmp(codes[code].name, wish, n) != 0)
			continue;
		*ret = (enum rk_finding_code)code;
		return true;
	}
	return false;
}

/* An error isn't accepted without a word on why. */
static bool can_accept(const struct rk_acceptance *acceptance, const struct rk_finding *finding)
{
	if (!codes[finding->code].is_acceptable || !rk_finding_is_meant(finding, acceptance->wish))
		return false;
	return finding->severity != RK_SEVERITY_ERROR ||
	       (acceptance->reason && *acceptance->reason);
}

struct rk_err *rk_findings_accept(struct rk_findings *f, const struct rk_acceptance *list,
				  size_t nr)
{
	rk_vec_for_each(&f->list, it) {
		for (size_t i = 0; i < nr && rk_finding_is_blocking(it); i++) {
			if (!can_accept(&list[i], it))
				continue;
			it->is_accepted = true;
			if (!copy(f, list[i].reason, &it->reason))
				return rk_err_nomem();
		}
	}
	return NULL;
}

const char *rk_finding_code_name(enum rk_finding_code code)
{
	return codes[code].name;
}

const char *rk_finding_code_title(enum rk_finding_code code)
{
	return codes[code].title;
}

const char *rk_finding_code_advice(enum rk_finding_code code)
{
	return codes[code].advice;
}

enum rk_severity rk_finding_code_severity(enum rk_finding_code code)
{
	return codes[code].severity;
}

bool rk_finding_code_is_acceptable(enum rk_finding_code code)
{
	return codes[code].is_acceptable;
}

const char *rk_severity_name(enum rk_severity severity)
{
	static const char *const names[] = {
		[RK_SEVERITY_INFO] = "info",
		[RK_SEVERITY_ACKNOWLEDGE] = "acknowledge",
		[RK_SEVERITY_ERROR] = "error",
	};

	return names[severity];
}
