/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Errors, findings and JSON documents as people and programs read them. */
#include "tools/common/render.h"

#include <errno.h>
#include <string.h>

#include "lib/base/str.h"
#include "tools/common/journal.h"
#include "tools/common/text.h"

#define RED    "\033[1;31m"
#define YELLOW "\033[1;33m"
#define BOLD   "\033[1m"
#define RESET  "\033[0m"

#define NARROW	      72 /* columns, below which lines are indented less */
#define INDENT_NARROW 4

bool rk_render_has_color(FILE *out)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	return !(no_color && *no_color) && term && *term && !rk_streq(term, "dumb") &&
	       isatty(fileno(out));
}

void rk_render_error(FILE *out, const struct rk_err *err)
{
	bool color = rk_render_has_color(out);

	fprintf(out, "%s%serror:%s %s", rk_journal_prefix(out, RK_PRIORITY_ERROR), color ? RED : "",
		color ? RESET : "", rk_err_message(err));
	/* which attack it looks like: a word that can be searched for */
	if (rk_err_is_distrust(err))
		fprintf(out, " [%s]", rk_err_code_name(rk_err_code(err)));
	fputc('\n', out);
}

void rk_render_warning(FILE *out, const char *fmt, ...)
{
	bool color = rk_render_has_color(out);
	va_list ap;

	fprintf(out, "%s%swarning:%s ", rk_journal_prefix(out, RK_PRIORITY_WARNING),
		color ? YELLOW : "", color ? RESET : "");
	va_start(ap, fmt);
	vfprintf(out, fmt, ap);
	va_end(ap);
	fputc('\n', out);
}

json_t *rk_render_error_json(const struct rk_err *err)
{
	/* A message may quote a compiler, whose bytes need not be UTF-8. */
	json_t *message = json_string(rk_err_message(err));

	if (!message)
		message = json_string("the message is not valid UTF-8");
	return json_pack("{s:{s:s, s:o}}", "error", "code", rk_err_code_name(rk_err_code(err)),
			 "message", message);
}

static const char *severity_color(enum rk_severity severity)
{
	static const char *const colors[] = {
		[RK_SEVERITY_INFO] = BOLD,
		[RK_SEVERITY_ACKNOWLEDGE] = YELLOW,
		[RK_SEVERITY_ERROR] = RED,
	};

	return colors[severity];
}

/* "'net/ipv4/raw.c': raw_rcv: changed …": most texts name their symbol in a sentence of their own. */
static void add_statement(struct rk_str *out, const struct rk_finding *f)
{
	if (f->unit || f->object)
		rk_str_addf(out, "'%s': ", f->unit ? f->unit : f->object);
	if (f->symbol && !strstr(f->text, f->symbol))
		rk_str_addf(out, "%s: ", f->symbol);
	rk_str_addf(out, "%s [%s]", f->text, rk_finding_code_name(f->code));
}

/* What to do: nothing about what is accepted, and information asks for nothing. */
static void add_advice(struct rk_str *out, const struct rk_finding *f)
{
	if (f->is_accepted) {
		rk_str_addf(out, "accepted%s%s", f->reason ? ": " : "", f->reason ? f->reason : "");
		return;
	}
	if (f->severity != RK_SEVERITY_INFO && f->advice)
		rk_str_add(out, f->advice);
}

static void add_lines(struct rk_str *out, struct rk_str *text, size_t column, size_t indent,
		      size_t width)
{
	out->failed = out->failed || text->failed;
	if (text->len)
		rk_text_wrap(out, rk_str_get(text), column, indent, width);
	rk_str_clear(text);
}

/* Wrapped on a terminal; elsewhere a line stays a line, for programs that look for one. */
static void add_finding(struct rk_str *out, const struct rk_finding *f, bool color, size_t width)
{
	const char *severity = rk_severity_name(f->severity);
	size_t indent = strlen(severity) + 2;
	_cleanup_str_ struct rk_str text = RK_STR_INIT;

	rk_str_addf(out, "%s%s:%s ", color ? severity_color(f->severity) : "", severity,
		    color ? RESET : "");
	/* A narrow terminal's width isn't spent on blanks. */
	if (width < NARROW)
		indent = INDENT_NARROW;
	add_statement(&text, f);
	add_lines(out, &text, strlen(severity) + 2, indent, width);
	add_advice(&text, f);
	add_lines(out, &text, 0, indent, width);
	if (rk_finding_is_blocking(f))
		rk_str_addf(&text, "see kpatch-build --explain %s", rk_finding_code_name(f->code));
	add_lines(out, &text, 0, indent, width);
}

void rk_render_findings(FILE *out, const struct rk_findings *findings)
{
	_cleanup_str_ struct rk_str text = RK_STR_INIT;
	bool color = rk_render_has_color(out);
	size_t width = isatty(fileno(out)) ? rk_text_terminal_width(out) : SIZE_MAX;

	rk_vec_for_each(&findings->list, it)
		add_finding(&text, it, color, width);
	fputs(text.failed ? "out of memory\n" : rk_str_get(&text), out);
}

static bool set_text(json_t *object, const char *key, const char *value)
{
	return !value || json_object_set_new(object, key, json_string(value)) == 0;
}

static json_t *finding_json(const struct rk_finding *f)
{
	json_t *object = json_object();

	if (set_text(object, "code", rk_finding_code_name(f->code)) &&
	    set_text(object, "severity", rk_severity_name(f->severity)) &&
	    set_text(object, "unit", f->unit) && set_text(object, "object", f->object) &&
	    set_text(object, "symbol", f->symbol) && set_text(object, "text", f->text) &&
	    set_text(object, "advice", f->advice))
		return object;
	json_decref(object);
	return NULL;
}

json_t *rk_render_findings_json(const struct rk_findings *findings)
{
	json_t *array = json_array();

	rk_vec_for_each(&findings->list, it) {
		if (json_array_append_new(array, finding_json(it)) < 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

json_t *rk_render_document(const char *name, int version)
{
	return json_pack("{s:o}", "schema", json_sprintf("%s/%d", name, version));
}

struct rk_err *rk_render_json(json_t *doc)
{
	if (!doc)
		return rk_err_nomem();

	int failed = json_dumpf(doc, stdout, JSON_INDENT(2));
	json_decref(doc);
	if (failed || putchar('\n') == EOF)
		return rk_err_sys(errno, "cannot write to standard output");
	return NULL;
}

const char *rk_render_size(uint64_t bytes, char buf[RK_SIZE_TEXT])
{
	static const char *const units[] = {"kB", "MB", "GB", "TB"};
	double value = (double)bytes / 1000;
	size_t unit = 0;

	if (bytes < 1000) {
		snprintf(buf, RK_SIZE_TEXT, "%u bytes", (unsigned int)bytes);
		return buf;
	}
	/* 999.5 kB and more would show as 1000. */
	for (; value >= 999.5 && unit + 1 < ARRAY_SIZE(units); unit++)
		value /= 1000;
	snprintf(buf, RK_SIZE_TEXT, value < 9.95 ? "%.1f %s" : "%.0f %s", value, units[unit]);
	return buf;
}
