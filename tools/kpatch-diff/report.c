/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A comparison as text and as JSON. */
#include "lib/base/str.h"
#include "tools/common/analysis.h"
#include "tools/common/render.h"
#include "tools/kpatch-diff/comparison.h"

/* Spans of one kind under one heading. */
struct group {
	const char *heading, *key; /* in text, in JSON */
	bool (*has)(const struct rk_span *span);
	bool has_reason; /* says where it begins to differ */
};

static bool is_changed_function(const struct rk_span *span)
{
	return span->kind == RK_SPAN_FUNC && !span->parent && span->twin;
}

static bool is_new_function(const struct rk_span *span)
{
	return span->kind == RK_SPAN_FUNC && !span->parent && !span->twin;
}

static bool is_part(const struct rk_span *span)
{
	return span->kind == RK_SPAN_FUNC && span->parent;
}

static bool is_named_data(const struct rk_span *span)
{
	return span->kind == RK_SPAN_DATA;
}

static bool is_literal(const struct rk_span *span)
{
	return span->kind == RK_SPAN_STRING || span->kind == RK_SPAN_CONST ||
	       span->kind == RK_SPAN_ANON;
}

static const struct group groups[] = {
	{"changed functions", "changed", is_changed_function, true},
	{"new functions", "new", is_new_function, false},
	{"cold parts", "parts", is_part, false},
	{"data", "data", is_named_data, false},
	{"literals and unnamed data", "literals", is_literal, false},
};

static const char *reason_of(struct comparison *c, const struct pair *pair,
			     const struct rk_span *span)
{
	const char *text = rk_diff_explain(pair->diff, &c->arena, span);
	return text ? text : "";
}

static void print_span(struct comparison *c, const struct pair *pair, const struct group *group,
		       const struct rk_span *span)
{
	printf("    %s, %llu bytes", rk_span_describe(&c->arena, span),
	       (unsigned long long)span->size);
	if (group->has_reason && span->twin->size != span->size)
		printf(", were %llu", (unsigned long long)span->twin->size);
	if (group->has_reason)
		printf(": %s", reason_of(c, pair, span));
	else
		printf(", %s%s", span->section->name,
		       span->is_own_copy ? ", a copy of its own" : "");
	putchar('\n');
}

static void print_group(struct comparison *c, const struct pair *pair, const struct group *group)
{
	bool first = true;

	rk_vec_for_each(&pair->diff->included, it) {
		if (!group->has(*it))
			continue;
		if (first)
			printf("  %s\n", group->heading);
		first = false;
		print_span(c, pair, group, *it);
	}
}

/* Entries of one section about one function stand together. */
static void print_entries(const struct rk_diff *diff)
{
	const struct rk_span *last = NULL;
	size_t nr = 0, lines = 0;

	for (size_t i = 0; i <= diff->included.nr; i++) {
		const struct rk_span *span = i < diff->included.nr ? diff->included.v[i] : NULL;
		if (span && span->kind != RK_SPAN_ENTRY)
			continue;
		if (last && (!span || span->section != last->section || span->code != last->code)) {
			printf("%s    %zu in %s%s%s\n", lines++ ? "" : "  special entries\n", nr,
			       last->section->name, last->code ? " about " : "",
			       last->code && last->code->name ? last->code->name : "");
			nr = 0;
		}
		last = span;
		nr++;
	}
}

static const char *outside_text(const struct outside *o)
{
	if (!o->is_own)
		return "of elsewhere: an export, or found by livepatch";
	return o->is_local ? "a local of this unit: found by livepatch"
			   : "a global of this unit: an export, or found by livepatch";
}

static struct rk_err *print_outsides(struct comparison *c, const struct pair *pair)
{
	struct outsides outsides = {};
	struct rk_err *err = comparison_outsides(c, pair, &outsides);

	if (!err && outsides.list.nr)
		puts("  needs of the kernel");
	for (size_t i = 0; i < outsides.list.nr && !err; i++)
		printf("    %s, used by %s: %s\n", outsides.list.v[i].name, outsides.list.v[i].user,
		       outside_text(&outsides.list.v[i]));
	rk_vec_deinit(&outsides.list);
	return err;
}

static void print_resolved(const struct rk_plan *plan)
{
	puts("symbols");
	rk_vec_for_each(&plan->symbols, it) {
		const struct rk_plan_symbol *s = *it;
		if (s->kind == RK_PLAN_EXPORT)
			printf("  %s: exported by %s, crc 0x%08x%s%s\n", s->name, s->object, s->crc,
			       s->ns && *s->ns ? ", namespace " : "", s->ns ? s->ns : "");
		else if (s->kind == RK_PLAN_KLP)
			printf("  %s: found by livepatch in %s, position %u\n", s->name, s->object,
			       s->sympos);
	}
}

static void print_verdict(const struct comparison *c)
{
	size_t errors = rk_findings_count(&c->findings, RK_SEVERITY_ERROR);
	size_t open = rk_findings_count(&c->findings, RK_SEVERITY_ACKNOWLEDGE);

	if (errors)
		printf("can't be patched live: %zu finding%s\n", errors, errors == 1 ? "" : "s");
	else if (!c->nr_functions)
		puts("no function differs");
	else
		printf("%zu function%s to replace%s%s\n", c->nr_functions,
		       c->nr_functions == 1 ? "" : "s", open ? "; findings to think about: " : "",
		       open ? rk_arena_printf(&((struct comparison *)c)->arena, "%zu", open) : "");
}

static struct rk_err *print_dumps(const struct comparison *c)
{
	for (size_t i = 0; i < c->nr_pairs; i++) {
		_cleanup_free_ char *text = NULL;
		RK_TRY(rk_diff_dump(c->pairs[i].diff, &text));
		fputs(text, stdout);
	}
	_cleanup_free_ char *text = NULL;
	if (c->plan)
		RK_TRY(rk_plan_dump(c->plan, &text));
	fputs(text ? text : "", stdout);
	return NULL;
}

struct rk_err *comparison_print(struct comparison *c, bool verbose)
{
	for (size_t i = 0; i < c->nr_pairs; i++) {
		const struct pair *pair = &c->pairs[i];
		printf("%s in %s\n", pair->unit, c->object);
		for (size_t j = 0; j < ARRAY_SIZE(groups); j++)
			print_group(c, pair, &groups[j]);
		print_entries(pair->diff);
		if (!c->plan)
			RK_TRY(print_outsides(c, pair));
	}
	if (c->symbols)
		puts("proof");
	for (size_t i = 0; i < c->nr_pairs && c->symbols; i++)
		rk_render_proof(stdout, c->pairs[i].proof, verbose);
	if (c->plan) {
		puts("replaced functions");
		rk_render_plan_functions(stdout, c->plan);
		print_resolved(c->plan);
	}
	if (c->findings.list.nr)
		puts("findings");
	rk_render_findings(stdout, &c->findings);
	if (verbose)
		RK_TRY(print_dumps(c));
	print_verdict(c);
	return NULL;
}

static json_t *span_json(struct comparison *c, const struct pair *pair, const struct group *group,
			 const struct rk_span *span)
{
	json_t *row = json_pack("{s:s, s:s, s:I}", "name", rk_span_describe(&c->arena, span),
				"section", span->section->name, "size", (json_int_t)span->size);

	if (!group->has_reason)
		return row;
	json_object_set_new(row, "old_size", json_integer((json_int_t)span->twin->size));
	json_object_set_new(row, "old_name", json_string(span->twin->name));
	json_object_set_new(row, "carried", json_boolean(!span->is_changed));
	json_object_set_new(row, "reason", json_string(reason_of(c, pair, span)));
	return row;
}

static json_t *group_json(struct comparison *c, const struct pair *pair, const struct group *group)
{
	json_t *list = json_array();

	rk_vec_for_each(&pair->diff->included, it)
		if (group->has(*it))
			json_array_append_new(list, span_json(c, pair, group, *it));
	return list;
}

static json_t *entries_json(const struct rk_diff *diff)
{
	json_t *list = json_array();

	rk_vec_for_each(&diff->included, it) {
		const struct rk_span *span = *it;
		if (span->kind == RK_SPAN_ENTRY)
			json_array_append_new(
				list, json_pack("{s:s, s:I, s:s?}", "section", span->section->name,
						"offset", (json_int_t)span->offset, "function",
						span->code ? span->code->name : NULL));
	}
	return list;
}

static struct rk_err *pair_json(struct comparison *c, const struct pair *pair, json_t *unit)
{
	struct outsides outsides = {};
	json_t *needs = json_array();

	json_object_set_new(unit, "unit", json_string(pair->unit));
	json_object_set_new(unit, "object", json_string(c->object));
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		json_object_set_new(unit, groups[i].key, group_json(c, pair, &groups[i]));
	json_object_set_new(unit, "entries", entries_json(pair->diff));
	struct rk_err *err = comparison_outsides(c, pair, &outsides);
	for (size_t i = 0; i < outsides.list.nr; i++) {
		const struct outside *o = &outsides.list.v[i];
		json_array_append_new(needs,
				      json_pack("{s:s, s:s, s:b, s:b}", "name", o->name, "user",
						o->user, "own", o->is_own, "local", o->is_local));
	}
	rk_vec_deinit(&outsides.list);
	json_object_set_new(unit, "needs", needs);
	if (pair->proof)
		json_object_set_new(unit, "proof", rk_render_proof_json(pair->proof));
	return err;
}

static json_t *symbols_json(const struct rk_plan *plan)
{
	json_t *list = json_array();

	rk_vec_for_each(&plan->symbols, it) {
		const struct rk_plan_symbol *s = *it;
		if (s->kind == RK_PLAN_EXPORT)
			json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:I, s:s}", "name",
							      s->name, "by", "export", "object",
							      s->object, "crc", (json_int_t)s->crc,
							      "namespace", s->ns ? s->ns : ""));
		else if (s->kind == RK_PLAN_KLP)
			json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:i}", "name",
							      s->name, "by", "livepatch", "object",
							      s->object, "sympos", (int)s->sympos));
	}
	return list;
}

struct rk_err *comparison_print_json(struct comparison *c)
{
	json_t *doc = rk_render_document("kpatch-diff", 1);
	json_t *units = json_array();
	struct rk_err *err = NULL;

	for (size_t i = 0; i < c->nr_pairs && !err; i++) {
		json_t *unit = json_object();
		err = pair_json(c, &c->pairs[i], unit);
		json_array_append_new(units, unit);
	}
	json_object_set_new(doc, "verdict", json_string(comparison_verdict(c)));
	json_object_set_new(doc, "units", units);
	if (c->plan) {
		json_object_set_new(doc, "functions", rk_render_plan_functions_json(c->plan));
		json_object_set_new(doc, "symbols", symbols_json(c->plan));
	}
	json_object_set_new(doc, "findings", rk_render_findings_json(&c->findings));
	if (!err)
		return rk_render_json(doc);
	json_decref(doc);
	return err;
}
