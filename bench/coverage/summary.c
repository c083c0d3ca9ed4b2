/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The document that everything else is written from: the row of each fix, and the figures, which are counted from the rows and
 * from nothing else. A fix that has no result yet is a row too, without an outcome.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/coverage/coverage.h"
#include "bench/coverage/report.h"

/* A changed structure can give hundreds of findings; ten show which kind they are. */
#define SHOWN_PER_CODE 10

/* What of a kept result the table shows, in this order. */
static const char *const shown[] = {"outcome", "errors",	"acknowledge", "objects",
				    "units",   "carried",	"seconds",     "cpu_seconds",
				    "size",    "peak_kib",	"message",     "tool",
				    "load",    "module_sha256", "left_out"};

static void add_to(json_t *object, const char *key, json_int_t n)
{
	json_int_t before = json_integer_value(json_object_get(object, key));
	json_object_set_new(object, key, json_integer(before + n));
}

/* The findings that stood in the way, with their places; of each code the first few. */
json_t *cov_blocking(const json_t *result)
{
	json_t *list = json_array(), *shown_of = json_object();
	const json_t *finding;
	size_t i;

	json_array_foreach(json_object_get(result, "findings"), i, finding)
	{
		const char *severity = json_string_value(json_object_get(finding, "severity"));
		const char *code = cov_text(finding, "code");
		if (!severity || rk_streq(severity, "info"))
			continue;
		add_to(shown_of, code, 1);
		if (cov_number(shown_of, code) > SHOWN_PER_CODE)
			continue;
		json_t *row = json_object();
		for (size_t k = 0; k < 4; k++) {
			static const char *const keys[] = {"code", "unit", "symbol", "text"};
			json_t *value = json_object_get(finding, keys[k]);
			if (value)
				json_object_set(row, keys[k], value);
		}
		json_array_append_new(list, row);
	}
	json_decref(shown_of);
	return list;
}

static json_t *row_of(const struct cov_fix *fix, const json_t *result)
{
	json_t *row = json_pack("{s:s}", "id", fix->id), *cves = json_array();
	json_t *functions = json_object_get(result, "functions");

	rk_vec_for_each(&fix->cves, c)
		json_array_append_new(cves, json_pack("{s:s, s:s, s:s, s:s}", "id", (*c)->id,
						      "title", (*c)->title, "severity",
						      (*c)->severity, "score", (*c)->score));
	json_object_set_new(row, "cves", cves);
	json_object_set(row, "files", json_object_get(result, "files"));
	for (size_t i = 0; i < ARRAY_SIZE(shown); i++) {
		json_t *value = json_object_get(result, shown[i]);
		if (value)
			json_object_set(row, shown[i], value);
	}
	json_object_set_new(row, "functions", json_integer((json_int_t)json_array_size(functions)));
	json_object_set_new(row, "findings", cov_blocking(result));
	return row;
}

/* For each code, in how many fixes it is. */
static void count_codes(json_t *counts, const json_t *codes)
{
	const json_t *code;
	size_t i;

	json_array_foreach(codes, i, code) add_to(counts, json_string_value(code), 1);
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

static json_t *seconds_of(double *seconds, size_t nr)
{
	double sum = 0;

	if (nr == 0)
		return json_null();
	qsort(seconds, nr, sizeof(*seconds), compare_doubles);
	for (size_t i = 0; i < nr; i++)
		sum += seconds[i];
	return json_pack("{s:f, s:f, s:f, s:f}", "median", seconds[nr / 2], "ninth_decile",
			 seconds[nr * 9 / 10], "longest", seconds[nr - 1], "sum", sum);
}

struct counts {
	json_t *fixes, *cves, *errors, *acknowledge, *load, *tools;
	double *seconds, cpu_seconds;
	size_t nr_seconds;
	json_int_t functions, counted, built, peak_kib, all_cves, counted_cves, built_cves;
};

static void count_row(struct counts *c, const json_t *row)
{
	enum cov_outcome o = cov_outcome_of(row);
	const char *name = o < COV_OUTCOMES ? cov_outcome_name(o) : "pending";
	json_int_t cves = (json_int_t)json_array_size(json_object_get(row, "cves"));
	json_int_t peak = json_integer_value(json_object_get(row, "peak_kib"));
	const char *load =
		json_string_value(json_object_get(json_object_get(row, "load"), "result"));

	if (*cov_text(row, "tool"))
		add_to(c->tools, cov_text(row, "tool"), 1);
	add_to(c->fixes, name, 1);
	add_to(c->cves, name, cves);
	c->all_cves += cves;
	if (peak > c->peak_kib)
		c->peak_kib = peak;
	if (!cov_outcome_counts(o))
		return;
	c->counted++;
	c->counted_cves += cves;
	c->seconds[c->nr_seconds++] = json_real_value(json_object_get(row, "seconds"));
	c->cpu_seconds += json_real_value(json_object_get(row, "cpu_seconds"));
	count_codes(c->errors, json_object_get(row, "errors"));
	count_codes(c->acknowledge, json_object_get(row, "acknowledge"));
	if (o != COV_BUILT && o != COV_ACKNOWLEDGED)
		return;
	c->built++;
	c->built_cves += cves;
	c->functions += json_integer_value(json_object_get(row, "functions"));
	add_to(c->load, load ? load : "pending", 1);
}

struct rk_err *cov_summarise(const json_t *rows, json_t **ret)
{
	_cleanup_free_ double *seconds = calloc(json_array_size(rows) + 1, sizeof(*seconds));
	struct counts c = {
		.fixes = json_object(),
		.cves = json_object(),
		.errors = json_object(),
		.acknowledge = json_object(),
		.load = json_object(),
		.tools = json_object(),
		.seconds = seconds,
	};
	const json_t *row;
	size_t i;

	if (!seconds)
		return rk_err_nomem();
	json_array_foreach(rows, i, row) count_row(&c, row);
	double percent = c.counted ? 100.0 * (double)c.built / (double)c.counted : 0;
	*ret = json_pack(
		"{s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:f, s:o}",
		"fixes", (json_int_t)json_array_size(rows), "cves", c.all_cves, "counted",
		c.counted, "counted_cves", c.counted_cves, "built", c.built, "built_cves",
		c.built_cves, "built_percent", percent, "functions", c.functions, "peak_kib",
		c.peak_kib, "outcomes", c.fixes, "outcome_cves", c.cves, "errors", c.errors,
		"acknowledge", c.acknowledge, "load", c.load, "seconds",
		seconds_of(seconds, c.nr_seconds), "cpu_seconds", c.cpu_seconds, "tools", c.tools);
	return *ret ? NULL : rk_err_nomem();
}

static struct rk_err *rows_of(const struct cov_run *run, const json_t *reasons, json_t **ret)
{
	json_t *rows = json_array();

	rk_vec_for_each(&run->fixes->list, fix) {
		json_t *result = cov_load_result(run, fix->id);
		json_t *row = row_of(fix, result);
		json_t *reason = json_object_get(reasons, fix->id);
		if (reason && cov_outcome_of(row) == COV_REFUSED)
			json_object_set(row, "inherent", reason);
		json_array_append_new(rows, row);
		json_decref(result);
	}
	*ret = rows;
	return rows ? NULL : rk_err_nomem();
}

struct rk_err *cov_document(const struct cov_run *run, const struct cov_facts *facts, json_t **ret)
{
	json_t *rows, *summary;
	time_t now = time(NULL);
	struct tm tm;
	char date[16];

	RK_TRY(rows_of(run, facts->reasons, &rows));
	struct rk_err *err = cov_summarise(rows, &summary);
	if (err) {
		json_decref(rows);
		return err;
	}
	gmtime_r(&now, &tm);
	strftime(date, sizeof(date), "%Y-%m-%d", &tm);
	*ret = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:I, s:o, s:O?, s:O?, s:O?, s:o}",
			 "schema", "readykernel-coverage/1", "date", date, "target", facts->target,
			 "version", facts->version, "older", facts->older, "newer", facts->newer,
			 "processors", (int)facts->processors, "cache_bytes",
			 (json_int_t)facts->cache_bytes, "summary", summary, "runs", facts->runs,
			 "cumulative", facts->cumulative, "repeat", facts->repeat, "fixes", rows);
	return *ret ? NULL : rk_err_nomem();
}
