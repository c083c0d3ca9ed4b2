/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table as text for people who read the repository: figures first, then every fix in one line. */
#include <string.h>

#include "bench/coverage/report.h"

static void add_goals(struct rk_str *out, const json_t *doc)
{
	const json_t *s = json_object_get(doc, "summary");
	const json_t *seconds = json_object_get(s, "seconds");
	const json_t *outcomes = json_object_get(s, "outcomes");
	const json_t *load = json_object_get(s, "load");

	rk_str_add(out, "| goal | reached |\n|---|---|\n");
	rk_str_addf(
		out,
		"| ≥ 85 %% of the fixes built | %.1f %%: %.0f of %.0f, %.0f of them with nothing to acknowledge |\n",
		cov_number(s, "built_percent"), cov_number(s, "built"), cov_number(s, "counted"),
		cov_number(outcomes, "built"));
	rk_str_addf(out, "| 0 tool errors | %.0f; %.0f fixes don't compile as cut |\n",
		    cov_number(outcomes, "error"), cov_number(outcomes, "incomplete"));
	rk_str_addf(
		out,
		"| every module loads, replaces its functions, warns of nothing, unloads | %.0f passed, %.0f failed, %.0f not run |\n",
		cov_number(load, "passed"), cov_number(load, "failed"),
		cov_number(load, "pending"));
	rk_str_addf(
		out,
		"| median of one fix ≤ 10 s | %.1f s (nine of ten ≤ %.1f s, longest %.1f s; %.1f s of processor time on average) |\n",
		cov_number(seconds, "median"), cov_number(seconds, "ninth_decile"),
		cov_number(seconds, "longest"),
		cov_number(s, "counted") > 0
			? cov_number(s, "cpu_seconds") / cov_number(s, "counted")
			: 0);
	rk_str_addf(out, "| peak memory ≤ 1.5 GiB | %.2f GiB, the largest process of any build |\n",
		    cov_number(s, "peak_kib") / (1024 * 1024));
	rk_str_addf(out, "| cache for this target ≤ 6 GB | %.1f GB |\n",
		    cov_number(doc, "cache_bytes") / 1e9);
}

static void add_runs(struct rk_str *out, const json_t *doc)
{
	static const char *const caches[] = {"cold", "warm"};
	const json_t *runs = json_object_get(doc, "runs");
	const json_t *cumulative = json_object_get(doc, "cumulative");
	const json_t *repeat = json_object_get(doc, "repeat");

	for (size_t i = 0; i < ARRAY_SIZE(caches); i++) {
		const json_t *run = json_object_get(runs, caches[i]);

		if (run)
			rk_str_addf(
				out,
				"| whole corpus ≤ %d min with a %s cache | %.1f min, %.0f at once |\n",
				i == 0 ? 75 : 20, caches[i], cov_number(run, "seconds") / 60,
				cov_number(run, "jobs"));
	}
	if (json_object_size(cumulative))
		rk_str_addf(
			out,
			"| all built fixes as one module, ≤ 15 min | %s: %.0f fixes, %.0f functions, %.1f min; load: %s |\n",
			cov_text(cumulative, "outcome"), cov_number(cumulative, "fixes"),
			cov_number(cumulative, "functions"), cov_number(cumulative, "seconds") / 60,
			cov_text(json_object_get(cumulative, "load"), "result"));
	if (json_object_size(repeat))
		rk_str_addf(
			out,
			"| 50 fixes again on another path with another `-j`: same bytes | %.0f of %.0f the same |\n",
			cov_number(repeat, "same"), cov_number(repeat, "fixes"));
}

static void add_outcomes(struct rk_str *out, const json_t *summary)
{
	const json_t *fixes = json_object_get(summary, "outcomes");
	const json_t *cves = json_object_get(summary, "outcome_cves");

	rk_str_add(out, "\n| outcome | meaning | fixes | CVEs |\n|---|---|---|---|\n");
	for (size_t i = 0; i < COV_SHOWN_OUTCOMES; i++) {
		const char *name = cov_shown_outcome(i);
		if (json_object_get(fixes, name))
			rk_str_addf(out, "| %s | %s | %.0f | %.0f |\n", name,
				    cov_outcome_meaning(name), cov_number(fixes, name),
				    cov_number(cves, name));
	}
}

static void add_codes(struct rk_str *out, const char *title, const json_t *codes)
{
	const char *code;
	json_t *count;

	if (json_object_size(codes) == 0)
		return;
	rk_str_addf(out, "\n%s\n\n| code | fixes |\n|---|---|\n", title);
	json_object_foreach((json_t *)codes, code, count)
		rk_str_addf(out, "| `%s` | %lld |\n", code, (long long)json_integer_value(count));
}

static void add_cves(struct rk_str *out, const json_t *row)
{
	const json_t *cves = json_object_get(row, "cves"), *cve;
	size_t i;

	json_array_foreach(cves, i, cve)
		rk_str_addf(out, "%s%s", i ? ", " : "", cov_text(cve, "id"));
}

/* A '|' would end the cell. */
static void add_cell(struct rk_str *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '|')
			rk_str_add_char(out, '\\');
		rk_str_add_char(out, *text);
	}
}

static void add_reasons(struct rk_str *out, const json_t *row)
{
	const json_t *errors = json_object_get(row, "errors");

	if (json_array_size(errors))
		cov_add_joined(out, errors, ", ");
	else if (*cov_text(row, "message"))
		add_cell(out, cov_text(row, "message"));
	else
		cov_add_joined(out, json_object_get(row, "acknowledge"), ", ");
}

static void add_rows(struct rk_str *out, const json_t *rows)
{
	const json_t *row;
	size_t i;

	rk_str_add(
		out,
		"\n## Every fix\n\nCVEs that touch a common file are one fix. *carried*: files from elsewhere in the update "
		"that it doesn't compile without; *without hunks with*: lines of another change to its files, which use what no file that was "
		"carried along could bring.\n\n"
		"| CVEs | outcome | codes | objects | functions | s | bytes | carried | load |\n"
		"|---|---|---|---|---|---|---|---|---|\n");
	json_array_foreach(rows, i, row)
	{
		rk_str_add(out, "| ");
		add_cves(out, row);
		rk_str_addf(out, " | %s | ",
			    *cov_text(row, "outcome") ? cov_text(row, "outcome") : "pending");
		add_reasons(out, row);
		rk_str_add(out, " | ");
		cov_add_joined(out, json_object_get(row, "objects"), ", ");
		rk_str_addf(out, " | %.0f | %.1f | %.0f | ", cov_number(row, "functions"),
			    cov_number(row, "seconds"), cov_number(row, "size"));
		cov_add_joined(out, json_object_get(row, "carried"), ", ");
		if (json_array_size(json_object_get(row, "left_out"))) {
			rk_str_add(out, " without hunks with ");
			cov_add_joined(out, json_object_get(row, "left_out"), ", ");
		}
		rk_str_addf(out, " | %s |\n", cov_text(json_object_get(row, "load"), "result"));
	}
}

static bool is_error_of(const json_t *row, const json_t *finding)
{
	const json_t *error;
	size_t i;

	json_array_foreach(json_object_get(row, "errors"), i,
			   error) if (rk_streq(json_string_value(error),
					       cov_text(finding, "code"))) return true;
	return false;
}

/* "code `place`", each code with the first of its places: the findings are in order. */
static void add_places(struct rk_str *out, const json_t *row)
{
	const json_t *finding;
	const char *last = "";
	json_t *seen = json_object();
	size_t i;

	json_array_foreach(json_object_get(row, "findings"), i, finding)
	{
		const char *code = cov_text(finding, "code"), *symbol = cov_text(finding, "symbol");
		if (!is_error_of(row, finding) || json_object_get(seen, code))
			continue;
		rk_str_addf(out, "%s%s `%s`", *last ? ", " : "", code,
			    *symbol ? symbol : cov_text(finding, "unit"));
		json_object_set_new(seen, code, json_true());
		last = code;
	}
	json_decref(seen);
}

/* One line a refusal: what stands in the way and where, and what a look at the patch said about it. */
static void add_inherent(struct rk_str *out, const json_t *rows)
{
	const json_t *row;
	size_t i;

	rk_str_add(
		out,
		"\n## Why each refusal is inherent\n\nThe findings are those of this run, each code with the first of its places; "
		"`kpatch-build --explain CODE` says what one means. The reason is what a person found who looked at the patch "
		"(`bench/data/refusals.tsv`).\n\n| fix | finding and place | reason |\n|---|---|---|\n");
	json_array_foreach(rows, i, row)
	{
		const char *reason = cov_text(row, "inherent");
		if (cov_outcome_of(row) != COV_REFUSED)
			continue;
		rk_str_addf(out, "| %s | ", cov_text(row, "id"));
		add_places(out, row);
		rk_str_add(out, " | ");
		add_cell(out, *reason ? reason : "**nobody looked at it yet**");
		rk_str_add(out, " |\n");
	}
}

/* Each refusal with what was found, so that it can be seen whether it is inherent. */
static void add_refusals(struct rk_str *out, const json_t *rows)
{
	const json_t *row, *finding;
	size_t i, k;

	rk_str_add(out, "\n## Every refusal\n\n");
	json_array_foreach(rows, i, row)
	{
		if (cov_outcome_of(row) != COV_REFUSED)
			continue;
		rk_str_addf(out, "- %s\n", cov_text(row, "id"));
		json_array_foreach(json_object_get(row, "findings"), k, finding)
		{
			if (!is_error_of(row, finding))
				continue;
			rk_str_addf(out, "  - `%s` %s `%s`: ", cov_text(finding, "code"),
				    cov_text(finding, "unit"), cov_text(finding, "symbol"));
			add_cell(out, cov_text(finding, "text"));
			rk_str_add_char(out, '\n');
		}
	}
}

struct rk_err *cov_markdown(const json_t *document, char **ret)
{
	const json_t *summary = json_object_get(document, "summary");
	const json_t *rows = json_object_get(document, "fixes");
	_cleanup_str_ struct rk_str out = RK_STR_INIT;

	rk_str_add(&out, "# Coverage\n\n");
	rk_str_addf(
		&out,
		"Written by `make coverage` (`bench/coverage`) on %s from `coverage.json`, %.0f processors. The fixes of %.0f CVEs, "
		"cut from the difference of Debian's kernel sources %s and %s, built against `%s` (%s) and loaded into it in QEMU.\n\n"
		"Without history a fix can only be cut by files: CVEs that touch a common file are one fix, and other changes of these "
		"files between the two packages come along. %.0f of %.0f fixes (%.0f CVEs) are about code that differs and that this "
		"kernel compiles; the percentages are of these, but none of the others is left out of the table.\n\n",
		cov_text(document, "date"), cov_number(document, "processors"),
		cov_number(summary, "cves"), cov_text(document, "older"),
		cov_text(document, "newer"), cov_text(document, "target"),
		cov_text(document, "version"), cov_number(summary, "counted"),
		cov_number(summary, "fixes"), cov_number(summary, "counted_cves"));
	if (json_object_size(json_object_get(summary, "tools")) > 1)
		rk_str_addf(
			&out,
			"The rows are not all of the same build of kpatch-build, but of %zu.\n\n",
			json_object_size(json_object_get(summary, "tools")));
	add_goals(&out, document);
	add_runs(&out, document);
	add_outcomes(&out, summary);
	add_codes(&out, "Findings that stop a fix:", json_object_get(summary, "errors"));
	add_codes(&out, "Findings to acknowledge:", json_object_get(summary, "acknowledge"));
	add_rows(&out, rows);
	add_inherent(&out, rows);
	add_refusals(&out, rows);
	return rk_str_take(&out, ret);
}
