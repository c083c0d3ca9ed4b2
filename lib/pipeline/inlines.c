/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Are all copies of a changed inline function rebuilt? Which units a header reaches was worked out from names in the source; the debug info of
 * the shipped vmlinux is another witness: every unit it has the function inlined in must be among those that are compiled. Within these
 * the diff finds each function that differs. That of modules is not searched.
 */
#include "lib/build/reach.h"
#include "lib/elf/debug_inlines.h"
#include "lib/pipeline/internal.h"

/* Functions that are named for one inline function; then their number does. */
#define NAMED_MAX 16

static bool is_left_out(void *ctx, const char *name)
{
	const struct rk_build *build = ctx;
	rk_vec_for_each(&build->units, unit)
		if (rk_streq(unit->recipe->unit, name) || rk_streq(unit->recipe->input, name))
			return false;
	return true;
}

static struct rk_err *report(struct rk_build *build, const char *header, const char *function,
			     const struct rk_debug_container *container)
{
	if (container->section && rk_has_prefix(container->section, ".init"))
		return rk_finding_add(&build->findings, RK_FINDING_INLINE_RAN, container->unit,
				      "vmlinux", container->function,
				      "has '%s' of '%s' inlined, and ran at boot", function,
				      header);
	return rk_finding_add(&build->findings, RK_FINDING_INLINE_INCOMPLETE, container->unit,
			      "vmlinux", container->function,
			      "%shas '%s' of '%s' inlined and isn't rebuilt",
			      container->function ? "" : "a function of it ", function, header);
}

static struct rk_err *check_function(struct rk_build *build, struct rk_debug_inlines *shipped,
				     const char *header, const char *function)
{
	_cleanup_debug_containers_ struct rk_debug_containers found = {};

	RK_TRY(rk_debug_inlines_find(shipped, function, header, is_left_out, build, &found));
	for (size_t i = 0; i < found.list.nr && i < NAMED_MAX; i++)
		RK_TRY(report(build, header, function, &found.list.v[i]));
	if (found.list.nr <= NAMED_MAX)
		return NULL;
	return rk_finding_add(&build->findings, RK_FINDING_INLINE_INCOMPLETE, header, "vmlinux",
			      function, "%zu more functions have it inlined and aren't rebuilt",
			      found.list.nr - NAMED_MAX);
}

/* Is it about code that units have inlined as it was? */
static bool is_about_code(const struct rk_decl_change *change)
{
	return change->kind == RK_DECL_FUNCTION && change->change != RK_CHANGE_ADDED &&
	       *change->name;
}

struct rk_err *rk_build_inlines(struct rk_build *build, const struct rk_reach_header *headers,
				size_t nr)
{
	_cleanup_debug_inlines_ struct rk_debug_inlines *shipped = NULL;

	for (size_t i = 0; i < nr; i++) {
		for (size_t k = 0; k < headers[i].nr_changes; k++) {
			const struct rk_decl_change *change = &headers[i].changes[k];
			if (!is_about_code(change))
				continue;
			if (!shipped)
				RK_TRY(rk_debug_inlines_open(build->target->vmlinux, &shipped));
			RK_TRY(check_function(build, shipped, headers[i].path, change->name));
		}
	}
	return NULL;
}
