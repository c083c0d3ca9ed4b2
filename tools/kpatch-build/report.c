/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The result of a build as text and as JSON. */
#include "tools/kpatch-build/report.h"

#include "lib/base/json.h"
#include "lib/base/str.h"
#include "tools/common/analysis.h"
#include "tools/common/render.h"

static void print_headers(const struct rk_build *build)
{
	const struct rk_build_headers *h = &build->headers;

	if (h->units)
		printf("%zu changed header%s: %zu unit%s may use what changed, %zu of them come out the same\n",
		       h->headers, h->headers == 1 ? "" : "s", h->units, h->units == 1 ? "" : "s",
		       h->same);
}

static const char *fix_title(const struct rk_patch_file *fix)
{
	return fix->metadata.title ? fix->metadata.title : "";
}

static void print_codes(const struct rk_left_out *out)
{
	printf(" [");
	for (size_t i = 0; i < out->codes.nr; i++)
		printf("%s%s", i ? ", " : "", out->codes.v[i]);
	puts("]");
}

/* One patch names itself by its module; of several each is said. */
static void print_fixes(const struct rk_build *build, bool is_built)
{
	const struct rk_build_options *o = build->options;
	size_t nr_out;
	const struct rk_left_out *out = rk_build_left_out(build, &nr_out);

	if (o->nr_patches + nr_out < 2)
		return;
	if (is_built) {
		printf("fixes: %zu in the module, %zu left out\n", o->nr_patches, nr_out);
		for (size_t i = 0; i < o->nr_patches; i++)
			printf("  %s  %s%s\n", o->patches[i]->metadata.name,
			       fix_title(o->patches[i]),
			       rk_build_has_effect(build, o->patches[i])
				       ? ""
				       : "  (changes nothing in this kernel)");
	}
	if (nr_out)
		puts("left out");
	for (size_t i = 0; i < nr_out; i++) {
		printf("  %s  %s", out[i].fix->metadata.name, out[i].reason);
		print_codes(&out[i]);
	}
}

static void print_times(const struct rk_build *build)
{
	double sum = 0;
	for (int p = 0; p < RK_PHASES; p++)
		sum += build->seconds[p];
	printf("%.1f s:", sum);
	for (int p = 0; p < RK_PHASES; p++)
		printf("%s %s %.2f", p ? "," : "", rk_build_phase_name(p), build->seconds[p]);
	putchar('\n');
}

static void print_refusal(const struct rk_build *build)
{
	size_t errors = rk_findings_count_blocking(&build->findings, RK_SEVERITY_ERROR);
	size_t open = rk_findings_count_blocking(&build->findings, RK_SEVERITY_ACKNOWLEDGE);

	if (errors)
		printf("can't be patched live: %zu finding%s; nothing was written\n", errors,
		       errors == 1 ? "" : "s");
	else
		printf("%zu finding%s to think about; nothing was written; go on with --accept CODE[:PLACE]\n",
		       open, open == 1 ? "" : "s");
}

struct rk_err *report_text(const struct rk_build *build, const char *path, bool verbose)
{
	bool proven = build->units.nr && build->units.v[0].proof;

	printf("target %s, %s\n", build->target->id, build->target->version);
	print_headers(build);
	if (proven) {
		puts("proof");
		rk_vec_for_each(&build->units, unit)
			if (unit->proof)
				rk_render_proof(stdout, unit->proof, verbose);
	}
	if (build->plan && build->plan->funcs.nr) {
		puts("replaced functions");
		rk_render_plan_functions(stdout, build->plan);
	}
	print_fixes(build, path != NULL);
	fflush(stdout);
	if (build->findings.list.nr) {
		puts("findings");
		rk_render_findings(stdout, &build->findings);
	}
	print_times(build);
	if (path) {
		char size[RK_SIZE_TEXT];
		printf("wrote '%s' (%s)\n", path, rk_render_size(build->module_size, size));
	} else {
		print_refusal(build);
	}
	return NULL;
}

static json_t *headers_json(const struct rk_build_headers *h)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "headers", (json_int_t)h->headers,
			 "declarations", (json_int_t)h->declarations, "units", (json_int_t)h->units,
			 "vmlinux_units", (json_int_t)h->vmlinux_units, "modules",
			 (json_int_t)h->modules, "same_units", (json_int_t)h->same);
}

static json_t *units_json(const struct rk_build *build)
{
	json_t *units = json_array();
	rk_vec_for_each(&build->units, u) {
		json_t *unit = json_pack("{s:s, s:s, s:f, s:f}", "path", u->recipe->unit, "object",
					 u->recipe->object, "original_seconds", u->original_seconds,
					 "patched_seconds", u->patched_seconds);
		if (u->proof)
			json_object_set_new(unit, "proof", rk_render_proof_json(u->proof));
		if (u->reason)
			json_object_set_new(unit, "reason", json_string(u->reason));
		json_array_append_new(units, unit);
	}
	return units;
}

static json_t *fix_json(const struct rk_patch_file *fix, const char *status)
{
	const struct rk_fix_metadata *m = &fix->metadata;

	return json_pack("{s:s, s:s, s:s?, s:s, s:o, s:s}", "name", m->name, "file", fix->path,
			 "title", m->title, "sha256", fix->sha256, "cves",
			 rk_json_texts(m->cves.v, m->cves.nr), "status", status);
}

/* Every fix that was asked for, in the module or not. */
static json_t *fixes_json(const struct rk_build *build, bool is_built)
{
	const struct rk_build_options *o = build->options;
	json_t *list = json_array();
	size_t nr_out;
	const struct rk_left_out *out = rk_build_left_out(build, &nr_out);

	for (size_t i = 0; i < o->nr_patches; i++)
		json_array_append_new(list, fix_json(o->patches[i],
						     !is_built ? "refused"
						     : rk_build_has_effect(build, o->patches[i])
							     ? "built"
							     : "no-effect"));
	for (size_t i = 0; i < nr_out; i++) {
		json_t *fix = fix_json(out[i].fix, "left-out");
		json_object_set_new(fix, "reason", json_string(out[i].reason));
		json_object_set_new(fix, "codes", rk_json_texts(out[i].codes.v, out[i].codes.nr));
		json_object_set_new(fix, "depends_on",
				    rk_json_text(out[i].needs ? out[i].needs->metadata.name
							      : NULL));
		json_array_append_new(list, fix);
	}
	return list;
}

struct rk_err *report_json(const struct rk_build *build, const char *path)
{
	json_t *doc = rk_render_document("kpatch-build", 1);
	json_t *seconds = json_object();

	for (int p = 0; p < RK_PHASES; p++)
		json_object_set_new(seconds, rk_build_phase_name(p), json_real(build->seconds[p]));
	json_object_set_new(doc, "verdict", json_string(path ? "built" : "refused"));
	json_object_set_new(doc, "target", json_string(build->target->id));
	json_object_set_new(doc, "name", json_string(build->options->name));
	json_object_set_new(doc, "module", rk_json_text(path));
	json_object_set_new(doc, "size", json_integer((json_int_t)build->module_size));
	if (build->headers.headers)
		json_object_set_new(doc, "headers", headers_json(&build->headers));
	json_object_set_new(doc, "fixes", fixes_json(build, path != NULL));
	json_object_set_new(doc, "units", units_json(build));
	json_object_set_new(doc, "functions",
			    build->plan ? rk_render_plan_functions_json(build->plan)
					: json_array());
	json_object_set_new(doc, "findings", rk_render_findings_json(&build->findings));
	json_object_set_new(doc, "seconds", seconds);
	return rk_render_json(doc);
}
