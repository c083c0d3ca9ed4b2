/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table as one page that stands alone: no script, no other file, light and dark as the reader has it, and the wide table
 * scrolls within itself where the window is narrow.
 */
#include <string.h>

#include "bench/coverage/report.h"
#include "tools/common/html.h"

#define CHART_WIDTH  720
#define LABEL_WIDTH  235
#define BAR_HEIGHT   22
#define BAR_STEP     32
#define NUMBER_WIDTH 60

/* Colours are the style sheet's: each outcome has a class. */
static const char style[] =
	"<style>\n"
	":root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--dim:#5b6470;--line:#d8dde3;--built:#1f7a4d;--acknowledged:#5aa469;"
	"--refused:#c77700;--incomplete:#8a5bb5;--error:#c22f2f;--rest:#9aa4af}\n"
	"@media (prefers-color-scheme:dark){:root{--bg:#14171b;--fg:#e6e9ed;--dim:#9aa4af;--line:#333a42;--built:#3fb27f;"
	"--acknowledged:#7cc48c;--refused:#e39a2d;--incomplete:#b48be0;--error:#ef6a6a;--rest:#6b7580}}\n"
	"body{font:16px/1.5 system-ui,sans-serif;background:var(--bg);color:var(--fg);max-width:76rem;margin:2rem auto;padding:0 1rem}\n"
	"h1{font-size:1.7rem;margin:0 0 .3rem}h2{font-size:1.15rem;margin:2.2rem 0 .6rem}p{max-width:60rem}.dim{color:var(--dim)}\n"
	".figures{display:flex;flex-wrap:wrap;gap:1.2rem 2.4rem;margin:1.4rem 0;padding:0;list-style:none}\n"
	".figures b{display:block;font-size:1.7rem;line-height:1.2;font-variant-numeric:tabular-nums}\n"
	"svg{display:block;width:100%;max-width:720px;height:auto}svg text{fill:var(--fg);font:14px system-ui,sans-serif}\n"
	"rect{fill:var(--rest)}rect.built{fill:var(--built)}rect.acknowledged{fill:var(--acknowledged)}rect.refused{fill:var(--refused)}"
	"rect.incomplete{fill:var(--incomplete)}rect.error{fill:var(--error)}\n"
	".wide{overflow-x:auto}table{border-collapse:collapse;font-size:.88rem}th,td{text-align:left;vertical-align:top;"
	"padding:.3rem .8rem .3rem 0;border-bottom:1px solid var(--line)}th{white-space:nowrap}\n"
	"td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}td.t{min-width:14rem}td.f{min-width:18rem}\n"
	"tr.built td.o,tr.acknowledged td.o{color:var(--built)}tr.refused td.o{color:var(--refused)}tr.error td.o,tr.incomplete td.o"
	"{color:var(--error)}.o{font-weight:600}details summary{cursor:pointer}ul{margin:.2rem 0;padding-left:1.1rem}code{font-size:.95em;"
	"overflow-wrap:anywhere}\n"
	"</style>\n";

static void add_figure(struct rk_str *out, const char *what, const char *fmt, double value)
{
	_cleanup_free_ char *number = rk_asprintf(fmt, value);

	rk_str_addf(out, "<li><b>%s</b>%s</li>\n", number ? number : "", what);
}

static void add_figures(struct rk_str *out, const json_t *doc)
{
	const json_t *s = json_object_get(doc, "summary");
	const json_t *seconds = json_object_get(s, "seconds");

	rk_str_add(out, "<ul class=\"figures\">\n");
	add_figure(out, "of the fixes that count are built", "%.1f&thinsp;%%",
		   cov_number(s, "built_percent"));
	add_figure(out, "fixes built", "%.0f", cov_number(s, "built"));
	add_figure(out, "fixes that count", "%.0f", cov_number(s, "counted"));
	add_figure(out, "functions replaced", "%.0f", cov_number(s, "functions"));
	add_figure(out, "modules loaded and unloaded", "%.0f",
		   cov_number(json_object_get(s, "load"), "passed"));
	add_figure(out, "median of one build", "%.1f&thinsp;s", cov_number(seconds, "median"));
	add_figure(out, "tool errors", "%.0f", cov_number(json_object_get(s, "outcomes"), "error"));
	rk_str_add(out, "</ul>\n");
}

static void add_bar(struct rk_str *out, size_t place, const char *label, const char *class,
		    double value, double largest)
{
	double room = CHART_WIDTH - LABEL_WIDTH - NUMBER_WIDTH;
	double width = largest > 0 ? room * value / largest : 0;
	size_t y = place * BAR_STEP;

	rk_str_addf(out, "<text x=\"0\" y=\"%zu\">", y + 16);
	rk_html_add(out, label);
	rk_str_addf(
		out,
		"</text><rect class=\"%s\" x=\"%d\" y=\"%zu\" width=\"%.1f\" height=\"%d\" rx=\"2\"/>"
		"<text x=\"%.1f\" y=\"%zu\">%.0f</text>\n",
		class, LABEL_WIDTH, y, width < 1 ? 1 : width, BAR_HEIGHT, LABEL_WIDTH + width + 8,
		y + 16, value);
}

static void begin_chart(struct rk_str *out, size_t bars, const char *title)
{
	rk_str_addf(out, "<svg viewBox=\"0 0 %d %zu\" role=\"img\" aria-label=\"%s\">\n",
		    CHART_WIDTH, bars * BAR_STEP, title);
}

static void add_outcome_chart(struct rk_str *out, const json_t *summary)
{
	const json_t *fixes = json_object_get(summary, "outcomes");
	double largest = 0;
	size_t place = 0;

	for (size_t i = 0; i < COV_SHOWN_OUTCOMES; i++)
		if (cov_number(fixes, cov_shown_outcome(i)) > largest)
			largest = cov_number(fixes, cov_shown_outcome(i));
	rk_str_add(out, "<h2>How the fixes ended</h2>\n");
	begin_chart(out, json_object_size(fixes), "fixes by outcome");
	for (size_t i = 0; i < COV_SHOWN_OUTCOMES; i++) {
		const char *name = cov_shown_outcome(i);
		if (json_object_get(fixes, name))
			add_bar(out, place++, cov_outcome_meaning(name), name,
				cov_number(fixes, name), largest);
	}
	rk_str_add(out, "</svg>\n");
}

static void add_code_chart(struct rk_str *out, const char *title, const char *class,
			   const json_t *codes)
{
	double largest = 0;
	size_t place = 0;
	const char *code;
	json_t *count;

	if (json_object_size(codes) == 0)
		return;
	json_object_foreach((json_t *)codes, code, count) largest =
		json_number_value(count) > largest ? json_number_value(count) : largest;
	rk_str_addf(out, "<h2>%s</h2>\n", title);
	begin_chart(out, json_object_size(codes), title);
	json_object_foreach((json_t *)codes, code, count)
		add_bar(out, place++, code, class, json_number_value(count), largest);
	rk_str_add(out, "</svg>\n");
}

static void add_list(struct rk_str *out, const json_t *strings)
{
	_cleanup_str_ struct rk_str text = RK_STR_INIT;

	cov_add_joined(&text, strings, ", ");
	rk_html_add(out, rk_str_get(&text));
}

static void add_cves(struct rk_str *out, const json_t *row)
{
	const json_t *cve;
	size_t i;

	rk_str_add(out, "<td class=\"f\">");
	json_array_foreach(json_object_get(row, "cves"), i, cve)
	{
		rk_str_add(out, i ? "<br>" : "");
		rk_html_add(out, cov_text(cve, "id"));
		rk_str_add(out, " <span class=\"dim\">");
		rk_html_add(out, cov_text(cve, "title"));
		rk_str_add(out, "</span>");
	}
	rk_str_add(out, "</td>");
}

static void add_findings(struct rk_str *out, const json_t *row)
{
	const json_t *findings = json_object_get(row, "findings"), *f;
	size_t i;

	rk_str_add(out, "<td class=\"t\">");
	if (*cov_text(row, "message"))
		rk_html_add(out, cov_text(row, "message"));
	if (json_array_size(findings)) {
		rk_str_add(out, "<details><summary>");
		add_list(out, json_object_get(row, "errors"));
		if (json_array_size(json_object_get(row, "errors")) &&
		    json_array_size(json_object_get(row, "acknowledge")))
			rk_str_add(out, ", ");
		add_list(out, json_object_get(row, "acknowledge"));
		rk_str_add(out, "</summary><ul>");
		json_array_foreach(findings, i, f)
		{
			rk_str_add(out, "<li><code>");
			rk_html_add(out, *cov_text(f, "symbol") ? cov_text(f, "symbol")
								: cov_text(f, "unit"));
			rk_str_add(out, "</code> ");
			rk_html_add(out, cov_text(f, "text"));
			rk_str_add(out, "</li>");
		}
		rk_str_add(out, "</ul></details>");
	}
	rk_str_add(out, "</td>");
}

static void add_row(struct rk_str *out, const json_t *row)
{
	const char *outcome = *cov_text(row, "outcome") ? cov_text(row, "outcome") : "pending";

	rk_str_addf(out, "<tr class=\"%s\">", outcome);
	add_cves(out, row);
	rk_str_addf(out, "<td class=\"o\">%s</td>", outcome);
	add_findings(out, row);
	rk_str_add(out, "<td>");
	add_list(out, json_object_get(row, "objects"));
	rk_str_addf(
		out,
		"</td><td class=\"n\">%.0f</td><td class=\"n\">%.1f</td><td class=\"n\">%.0f</td><td>",
		cov_number(row, "functions"), cov_number(row, "seconds"),
		cov_number(row, "size") / 1000);
	add_list(out, json_object_get(row, "carried"));
	rk_str_add(out, "</td><td>");
	rk_html_add(out, cov_text(json_object_get(row, "load"), "result"));
	rk_str_add(out, "</td></tr>\n");
}

static void add_table(struct rk_str *out, const json_t *rows)
{
	const json_t *row;
	size_t i;

	rk_str_add(
		out,
		"<h2>Every fix</h2>\n<div class=\"wide\"><table><thead><tr><th>Fix</th><th>Outcome</th><th>Findings</th>"
		"<th>Objects</th><th class=\"n\">Functions</th><th class=\"n\">Seconds</th><th class=\"n\">kB</th>"
		"<th>Carried along</th><th>Loaded</th></tr></thead>\n<tbody>\n");
	json_array_foreach(rows, i, row) add_row(out, row);
	rk_str_add(out, "</tbody></table></div>\n");
}

struct rk_err *cov_page(const json_t *document, char **ret)
{
	const json_t *summary = json_object_get(document, "summary");
	_cleanup_str_ struct rk_str out = RK_STR_INIT;

	rk_str_add(
		&out,
		"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
		"content=\"width=device-width, initial-scale=1\">\n<title>Coverage of CVE fixes</title>\n");
	rk_str_add(&out, style);
	rk_str_add(&out, "</head>\n<body>\n<h1>CVE fixes as live patches</h1>\n<p>");
	rk_str_addf(&out, "%.0f CVEs in %.0f fixes, cut from Debian&rsquo;s kernel sources ",
		    cov_number(summary, "cves"), cov_number(summary, "fixes"));
	rk_html_add(&out, cov_text(document, "older"));
	rk_str_add(&out, " and ");
	rk_html_add(&out, cov_text(document, "newer"));
	rk_str_add(&out, ", built against ");
	rk_html_add(&out, cov_text(document, "target"));
	rk_str_add(
		&out,
		" and loaded into it. Fixes count when their code differs and this kernel compiles it.</p>\n"
		"<p class=\"dim\">");
	rk_html_add(&out, cov_text(document, "version"));
	rk_str_addf(&out, ", measured %s</p>\n", cov_text(document, "date"));
	add_figures(&out, document);
	add_outcome_chart(&out, summary);
	add_code_chart(&out, "Findings that stop a fix", "refused",
		       json_object_get(summary, "errors"));
	add_code_chart(&out, "Findings to acknowledge", "acknowledged",
		       json_object_get(summary, "acknowledge"));
	add_table(&out, json_object_get(document, "fixes"));
	rk_str_add(&out, "</body>\n</html>\n");
	return rk_str_take(&out, ret);
}
