/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The result of a build as one page that stands alone: what it fixes, for which kernel, with which proof. */
#include "tools/common/html.h"
#include "tools/kpatch-build/report.h"

static void add_cell(struct rk_str *out, const char *text)
{
	rk_str_add(out, "<td>");
	rk_html_add(out, text ? text : "");
	rk_str_add(out, "</td>");
}

static void add_row(struct rk_str *out, const char *head, const char *text)
{
	rk_str_addf(out, "<tr><th scope=\"row\">%s</th>", head);
	add_cell(out, text);
	rk_str_add(out, "</tr>\n");
}

static void add_list(struct rk_str *out, const struct rk_manifest_strings *strings)
{
	for (size_t i = 0; i < strings->nr; i++) {
		rk_str_add(out, i ? "<br>" : "");
		rk_html_add(out, strings->v[i]);
	}
}

static void add_fixes(struct rk_str *out, const struct rk_manifest *m)
{
	rk_str_add(
		out,
		"<h2>Fixes</h2>\n<table><thead><tr><th>CVE</th><th>Title</th><th>File</th></tr></thead>\n<tbody>\n");
	rk_vec_for_each(&m->fixes, fix) {
		rk_str_add(out, "<tr><td>");
		add_list(out, &fix->cves);
		rk_str_add(out, "</td>");
		add_cell(out, fix->title);
		add_cell(out, fix->file);
		rk_str_add(out, "</tr>\n");
	}
	rk_str_add(out, "</tbody></table>\n");
}

static void add_skipped(struct rk_str *out, const struct rk_manifest *m)
{
	if (!m->skipped.nr)
		return;
	rk_str_add(
		out,
		"<h2>Left out</h2>\n<table><thead><tr><th>CVE</th><th>Fix</th><th>Codes</th><th>Why</th></tr></thead>\n<tbody>\n");
	rk_vec_for_each(&m->skipped, skipped) {
		rk_str_add(out, "<tr><td>");
		add_list(out, &skipped->cves);
		rk_str_add(out, "</td>");
		add_cell(out, skipped->title ? skipped->title : skipped->name);
		rk_str_add(out, "<td>");
		add_list(out, &skipped->codes);
		rk_str_add(out, "</td>");
		add_cell(out, skipped->reason);
		rk_str_add(out, "</tr>\n");
	}
	rk_str_add(out, "</tbody></table>\n");
}

static void add_functions(struct rk_str *out, const struct rk_manifest *m)
{
	rk_str_add(
		out,
		"<h2>Replaced functions</h2>\n<table><thead><tr><th>Function</th><th>Object</th><th>Unit</th>"
		"<th>Bytes</th></tr></thead>\n<tbody>\n");
	rk_vec_for_each(&m->funcs, f) {
		rk_str_add(out, "<tr>");
		add_cell(out, f->name);
		add_cell(out, f->object);
		add_cell(out, f->unit);
		rk_str_addf(out, "<td>%llu &rarr; %llu</td></tr>\n",
			    (unsigned long long)f->old_size, (unsigned long long)f->new_size);
	}
	rk_str_add(out, "</tbody></table>\n");
}

static void add_proof(struct rk_str *out, const struct rk_build *build)
{
	rk_str_add(
		out,
		"<h2>Proof of match</h2>\n<p>Each original function was held against the shipped binary.</p>\n"
		"<table><thead><tr><th>Unit</th><th>Object</th><th>Matched</th><th>Differing</th><th>Absent</th>"
		"<th>Overridden</th><th>Discarded</th></tr></thead>\n<tbody>\n");
	rk_vec_for_each(&build->units, u) {
		const struct rk_proof *p = u->proof;
		rk_str_add(out, "<tr>");
		add_cell(out, u->recipe->unit);
		add_cell(out, u->recipe->object);
		rk_str_addf(out,
			    "<td>%zu</td><td>%zu</td><td>%zu</td><td>%zu</td><td>%zu</td></tr>\n",
			    p->matched, p->differing, p->absent, p->overridden, p->discarded);
	}
	rk_str_add(out, "</tbody></table>\n");
	rk_vec_for_each(&build->units, u)
		rk_vec_for_each(&u->proof->functions, f) {
			if (f->verdict != RK_PROOF_DIFFERS)
				continue;
			rk_str_add(out, "<p>");
			rk_html_add(out, f->function);
			rk_str_add(out, ": ");
			rk_html_add(out, f->reason ? f->reason : "differs");
			rk_str_add(out, "</p>\n");
		}
}

static void add_place(struct rk_str *out, const struct rk_finding *f)
{
	rk_str_add(out, "<td>");
	rk_html_add(out, f->unit ? f->unit : f->object ? f->object : "");
	rk_str_add(out, f->symbol && (f->unit || f->object) ? "<br>" : "");
	rk_html_add(out, f->symbol ? f->symbol : "");
	rk_str_add(out, "</td>");
}

static void add_accepted(struct rk_str *out, const struct rk_finding *f)
{
	rk_str_add(out, "<td>accepted");
	if (f->reason) {
		rk_str_add(out, ": ");
		rk_html_add(out, f->reason);
	}
	rk_str_add(out, "</td>");
}

static void add_findings(struct rk_str *out, const struct rk_findings *findings)
{
	if (!findings->list.nr)
		return;
	rk_str_add(
		out,
		"<h2>Findings</h2>\n<table><thead><tr><th>Level</th><th>Code</th><th>Place</th><th>What</th>"
		"<th>Advice, or why it was accepted</th></tr></thead>\n<tbody>\n");
	rk_vec_for_each(&findings->list, f) {
		rk_str_add(out, "<tr>");
		add_cell(out, rk_severity_name(f->severity));
		add_cell(out, rk_finding_code_name(f->code));
		add_place(out, f);
		add_cell(out, f->text);
		if (f->is_accepted)
			add_accepted(out, f);
		else
			add_cell(out, f->advice);
		rk_str_add(out, "</tr>\n");
	}
	rk_str_add(out, "</tbody></table>\n");
}

struct rk_err *report_html(const struct rk_build *build, char **ret)
{
	static const char style[] =
		"<style>:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem "
		"auto;padding:0 1rem}table{border-collapse:collapse;display:block;overflow-x:auto;margin:.5rem 0 1.5rem}"
		"th,td{text-align:left;vertical-align:top;padding:.3rem .9rem .3rem 0;border-bottom:1px solid #8886}"
		"td{overflow-wrap:break-word}h1{font-size:1.6rem}h2{font-size:1.15rem;margin-top:2rem}</style>\n";
	_cleanup_str_ struct rk_str out = RK_STR_INIT;
	const struct rk_manifest *m = build->manifest;

	rk_str_add(
		&out,
		"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
		"content=\"width=device-width, initial-scale=1\">\n<title>");
	rk_html_add(&out, m->name);
	rk_str_add(&out, "</title>\n");
	rk_str_add(&out, style);
	rk_str_add(&out, "</head>\n<body>\n<h1>Live patch ");
	rk_html_add(&out, m->name);
	rk_str_addf(&out, ", level %llu</h1>\n<table><tbody>\n", (unsigned long long)m->level);
	add_row(&out, "Kernel", m->release);
	add_row(&out, "Version", m->version);
	add_row(&out, "Build-id", m->build_id);
	add_row(&out, "Compiler", m->compiler);
	rk_str_add(&out, "</tbody></table>\n");
	add_fixes(&out, m);
	add_skipped(&out, m);
	add_functions(&out, m);
	add_proof(&out, build);
	add_findings(&out, &build->findings);
	rk_str_addf(&out, "<p>Made by kpatch-build %s.</p>\n</body>\n</html>\n", m->tool_version);
	return rk_str_take(&out, ret);
}
