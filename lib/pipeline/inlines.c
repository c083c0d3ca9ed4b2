/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Are all copies of a changed inline function rebuilt? Which units a header reaches was worked out from names in the source; the debug info of
 * the shipped vmlinux and its modules is another witness: every unit it has the function inlined in must be among those that are compiled.
 * Within these the diff finds each function that differs.
 */
#include "lib/target/inlines.h"

#include "lib/build/reach.h"
#include "lib/pipeline/internal.h"
#include "lib/source/paths.h"

/* Functions that are named for one inline function; then their number does. */
#define NAMED_MAX 16

struct check {
	struct rk_build *build;
	struct rk_inline_index *index; /* NULL: not yet needed */
	struct rk_map compiled;	       /* units, also by the names they are compiled as */
	const char *header, *function; /* that is asked about */
	size_t nr;		       /* places that aren't rebuilt */
};

static void check_deinit(struct check *check)
{
	rk_inline_index_close(check->index);
	rk_map_deinit(&check->compiled);
}

static struct rk_err *add_compiled(struct check *check, const char *path)
{
	char *name = rk_arena_strdup(&check->build->arena, path);

	if (!name)
		return rk_err_nomem();
	if (*name != '/')
		rk_path_normalise(name);
	return rk_map_set(&check->compiled, name, name) ? NULL : rk_err_nomem();
}

static struct rk_err *report(struct check *check, const struct rk_inline *found)
{
	struct rk_findings *findings = &check->build->findings;

	if (found->is_init)
		return rk_finding_add(findings, RK_FINDING_INLINE_RAN, found->unit, found->object,
				      found->container, "has '%s' of '%s' inlined, and %s",
				      check->function, check->header,
				      rk_streq(found->object, "vmlinux")
					      ? "ran at boot"
					      : "runs as it is whenever the module is loaded");
	bool is_module = !rk_streq(found->object, "vmlinux");
	return rk_finding_add(findings, RK_FINDING_INLINE_INCOMPLETE, found->unit, found->object,
			      found->container,
			      "%shas '%s' of '%s' inlined and isn't rebuilt%s%s%s",
			      found->container ? "" : "a function of it ", check->function,
			      check->header, is_module ? " (module '" : "",
			      is_module ? found->object : "", is_module ? "')" : "");
}

static struct rk_err *judge(void *ctx, const struct rk_inline *found)
{
	struct check *check = ctx;

	if (rk_map_get(&check->compiled, found->unit))
		return NULL;
	return check->nr++ < NAMED_MAX ? report(check, found) : NULL;
}

static struct rk_err *check_function(struct check *check, const char *header, const char *function)
{
	check->header = header;
	check->function = function;
	check->nr = 0;
	RK_TRY(rk_inline_index_find(check->index, function, header, judge, check));
	if (check->nr <= NAMED_MAX)
		return NULL;
	return rk_finding_add(&check->build->findings, RK_FINDING_INLINE_INCOMPLETE, header, NULL,
			      function, "%zu more functions have it inlined and aren't rebuilt",
			      check->nr - NAMED_MAX);
}

static const char *mend(const struct check *check)
{
	const struct rk_target *target = check->build->target;

	if (!rk_has_prefix(target->id, "debian:"))
		return "";
	return rk_arena_printf(&check->build->arena,
			       "; fetched by a version that didn't read it: 'kpatch-build target "
			       "rm %s', then 'kpatch-build target fetch %s'",
			       target->id, target->id);
}

/* What has no debug info can't be asked. */
static struct rk_err *report_unknown(struct check *check, const char *header)
{
	struct rk_findings *findings = &check->build->findings;
	struct rk_inline_counts counts;

	RK_TRY(rk_inline_index_count(check->index, &counts));
	if (!counts.knows_vmlinux)
		RK_TRY(rk_finding_add(findings, RK_FINDING_INLINE_UNCHECKED, header, "vmlinux",
				      NULL,
				      "vmlinux has no debug info: whether all copies are rebuilt "
				      "wasn't checked against it"));
	if (!check->build->target->modules)
		return rk_finding_add(findings, RK_FINDING_INLINE_UNCHECKED, header, NULL, NULL,
				      "no modules are given: whether copies in them are rebuilt "
				      "wasn't checked");
	if (!counts.unknown_modules)
		return NULL;
	const char *how = mend(check);
	if (!how)
		return rk_err_nomem();
	return rk_finding_add(findings, RK_FINDING_INLINE_UNCHECKED, header, NULL, NULL,
			      "%zu of %zu modules are without debug info: whether copies in them "
			      "are rebuilt wasn't checked%s",
			      counts.unknown_modules, counts.modules, how);
}

/* Is it about code that units have inlined as it was? */
static bool is_about_code(const struct rk_decl_change *change)
{
	return change->kind == RK_DECL_FUNCTION && change->change != RK_CHANGE_ADDED &&
	       *change->name;
}

static struct rk_err *begin(struct check *check)
{
	const struct rk_build_options *options = check->build->options;

	if (check->index)
		return NULL;
	rk_vec_for_each(&check->build->units, unit) {
		RK_TRY(add_compiled(check, unit->recipe->unit));
		RK_TRY(add_compiled(check, unit->recipe->input));
	}
	return rk_target_inlines(check->build->target, options->jobs, options->reporter,
				 &check->index);
}

static struct rk_err *check_header(struct check *check, const struct rk_reach_header *header)
{
	bool is_asked = false;

	for (size_t i = 0; i < header->nr_changes; i++) {
		const struct rk_decl_change *change = &header->changes[i];

		if (!is_about_code(change))
			continue;
		RK_TRY(begin(check));
		RK_TRY(check_function(check, header->path, change->name));
		is_asked = true;
	}
	return is_asked ? report_unknown(check, header->path) : NULL;
}

struct rk_err *rk_build_inlines(struct rk_build *build, const struct rk_reach_header *headers,
				size_t nr)
{
	_cleanup_(check_deinit) struct check check = {.build = build};

	for (size_t i = 0; i < nr; i++)
		RK_TRY(check_header(&check, &headers[i]));
	return NULL;
}
