/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the renderings have in common, the table as comma-separated values, and where all of it is put. */
#include <string.h>

#include "bench/coverage/report.h"
#include "lib/base/fs.h"

const char *cov_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "";
}

double cov_number(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

void cov_add_joined(struct rk_str *out, const json_t *strings, const char *separator)
{
	const json_t *s;
	size_t i;

	json_array_foreach(strings, i, s)
	{
		rk_str_add(out, i ? separator : "");
		rk_str_add(out, json_string_value(s) ? json_string_value(s) : "");
	}
}

const char *cov_shown_outcome(size_t i)
{
	return i < COV_OUTCOMES ? cov_outcome_name((enum cov_outcome)i) : "pending";
}

const char *cov_outcome_meaning(const char *name)
{
	static const char *const meanings[COV_SHOWN_OUTCOMES] = {
		[COV_BUILT] = "built, nothing to acknowledge",
		[COV_ACKNOWLEDGED] = "built, findings acknowledged",
		[COV_REFUSED] = "refused, with the reason",
		[COV_INCOMPLETE] = "doesn't compile as cut",
		[COV_ERROR] = "the tool failed",
		[COV_NO_EFFECT] = "compiled, the same code",
		[COV_NOT_COMPILED] = "not part of this kernel",
		[COV_NO_DIFFERENCE] = "the same in both packages",
		[COV_OUTCOMES] = "not run yet",
	};

	for (size_t i = 0; i < COV_SHOWN_OUTCOMES; i++)
		if (rk_streq(name, cov_shown_outcome(i)))
			return meanings[i];
	return "";
}

/* RFC 4180: in quotes, quotes doubled. */
static void add_field(struct rk_str *out, const char *text)
{
	rk_str_add_char(out, '"');
	for (; *text; text++) {
		if (*text == '"')
			rk_str_add_char(out, '"');
		rk_str_add_char(out, *text);
	}
	rk_str_add_char(out, '"');
}

static void add_list_field(struct rk_str *out, const json_t *strings)
{
	_cleanup_str_ struct rk_str text = RK_STR_INIT;

	cov_add_joined(&text, strings, " ");
	rk_str_add_char(out, ',');
	add_field(out, rk_str_get(&text));
}

static void add_cves_field(struct rk_str *out, const json_t *cves)
{
	_cleanup_str_ struct rk_str text = RK_STR_INIT;
	const json_t *cve;
	size_t i;

	json_array_foreach(cves, i, cve)
		rk_str_addf(&text, "%s%s", i ? " " : "", cov_text(cve, "id"));
	rk_str_add_char(out, ',');
	add_field(out, rk_str_get(&text));
}

struct rk_err *cov_csv(const json_t *document, char **ret)
{
	_cleanup_str_ struct rk_str out = RK_STR_INIT;
	const json_t *row;
	size_t i;

	rk_str_add(&out, "fix,outcome,cves,errors,acknowledge,objects,units,carried,functions,"
			 "seconds,size,peak_kib,load\r\n");
	json_array_foreach(json_object_get(document, "fixes"), i, row)
	{
		add_field(&out, cov_text(row, "id"));
		rk_str_addf(&out, ",%s", cov_text(row, "outcome"));
		add_cves_field(&out, json_object_get(row, "cves"));
		static const char *const lists[] = {"errors", "acknowledge", "objects", "units",
						    "carried"};
		for (size_t k = 0; k < ARRAY_SIZE(lists); k++)
			add_list_field(&out, json_object_get(row, lists[k]));
		rk_str_addf(&out, ",%.0f,%.2f,%.0f,%.0f,%s\r\n", cov_number(row, "functions"),
			    cov_number(row, "seconds"), cov_number(row, "size"),
			    cov_number(row, "peak_kib"),
			    cov_text(json_object_get(row, "load"), "result"));
	}
	return rk_str_take(&out, ret);
}

static struct rk_err *write_text(const char *dir, const char *name, char *text)
{
	_cleanup_free_ char *path = rk_path_join(dir, name);

	if (!path || !text)
		return rk_err_nomem();
	return rk_fs_write(path, text, strlen(text), 0644);
}

struct rk_err *cov_write_all(const json_t *document, const char *dir)
{
	_cleanup_free_ char *csv = NULL, *markdown = NULL, *page = NULL;
	_cleanup_free_ char *json = json_dumps(document, JSON_INDENT(1) | JSON_REAL_PRECISION(6));

	RK_TRY(cov_csv(document, &csv));
	RK_TRY(cov_markdown(document, &markdown));
	RK_TRY(cov_page(document, &page));
	RK_TRY(rk_fs_mkdir_p(dir, 0777));
	RK_TRY(write_text(dir, "coverage.json", json));
	RK_TRY(write_text(dir, "coverage.csv", csv));
	RK_TRY(write_text(dir, "coverage.html", page));
	return write_text(dir, "COVERAGE.md", markdown);
}
