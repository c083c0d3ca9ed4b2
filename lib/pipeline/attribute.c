/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which fix is to blame: one that alone changes what a unit is compiled from is; of several, the unit is built with more and more of them until
 * what stands in the way shows up. Fixes found innocent stay in for the search for the next one.
 */
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/pipeline/internal.h"
#include "lib/pipeline/session.h"

#define REASON_MAX 300 /* bytes of a compiler's message in a list of fixes */

static bool is_here(const struct rk_finding *finding, const char *unit)
{
	return finding->unit && rk_streq(finding->unit, unit) &&
	       finding->code != RK_FINDING_NO_CHANGE;
}

static const struct rk_build_unit *find_unit(const struct rk_build *build, const char *unit)
{
	rk_vec_for_each(&build->units, u)
		if (rk_streq(u->recipe->unit, unit))
			return u;
	return NULL;
}

static const struct rk_err *compile_error(const struct rk_build *build, const char *unit)
{
	const struct rk_build_unit *u = find_unit(build, unit);
	return u ? u->compile_error : NULL;
}

static bool is_blocked(const struct rk_build *build, const char *unit)
{
	rk_vec_for_each(&build->findings.list, finding)
		if (is_here(finding, unit) && rk_finding_is_blocking(finding))
			return true;
	return compile_error(build, unit) != NULL;
}

/* The line of the compiler's message that says what is wrong. */
static const char *error_line(struct rk_arena *arena, const char *message)
{
	const char *error = strstr(message, "error: ");
	const char *from = error ? error : message;
	size_t len = strcspn(from, "\n");

	return rk_arena_strndup(arena, from, len > REASON_MAX ? REASON_MAX : len);
}

static struct rk_err *add_code(struct rk_left_out *out, const char *code)
{
	for (size_t i = 0; i < out->codes.nr; i++)
		if (rk_streq(out->codes.v[i], code))
			return NULL;
	return rk_vec_push(&out->codes, code) ? NULL : rk_err_nomem();
}

/* Puts what stands in build's way at unit into out. */
static struct rk_err *describe(struct rk_session *session, const struct rk_build *build,
			       const char *unit, struct rk_left_out *out)
{
	const struct rk_err *error = compile_error(build, unit);

	if (error) {
		const char *line = error_line(&session->arena, rk_err_message(error));
		out->reason = line ? rk_arena_printf(&session->arena, "'%s' doesn't compile: %s",
						     unit, line)
				   : NULL;
		RK_TRY(add_code(out, RK_LEFT_OUT_COMPILE));
	}
	rk_vec_for_each(&build->findings.list, f) {
		if (!is_here(f, unit) || !rk_finding_is_blocking(f))
			continue;
		if (!out->reason)
			out->reason = rk_arena_printf(&session->arena, "'%s'%s%s: %s", unit,
						      f->symbol ? ": " : "",
						      f->symbol ? f->symbol : "", f->text);
		RK_TRY(add_code(out, rk_finding_code_name(f->code)));
	}
	return out->reason ? NULL : rk_err_nomem();
}

/* One fix may stand in the way at several units: then it is left out once, with all codes. */
static struct rk_err *blame(struct rk_session *session, const struct rk_build *build,
			    const char *unit, const struct rk_patch_file *fix)
{
	rk_vec_for_each(&session->left_out, known)
		if (known->fix == fix)
			return describe(session, build, unit, known);
	if (!rk_vec_push(&session->left_out, (struct rk_left_out){.fix = fix}))
		return rk_err_nomem();
	return describe(session, build, unit, &session->left_out.v[session->left_out.nr - 1]);
}

/* ---- probes ---- */

struct search {
	struct rk_session *session;
	const struct rk_build *build; /* the whole one */
	const char *unit;
	struct rk_patch_list with; /* fixes found innocent */
};

static bool has(const struct rk_patch_list *list, const struct rk_patch_file *fix)
{
	rk_vec_for_each(list, it)
		if (*it == fix)
			return true;
	return false;
}

static struct rk_err *add(struct rk_patch_list *list, const struct rk_patch_file *fix)
{
	return has(list, fix) || rk_vec_push(list, fix) ? NULL : rk_err_nomem();
}

/* Adds what the fixes of the list can't be applied without. */
static struct rk_err *add_needs(const struct rk_view *view, struct rk_patch_list *list)
{
	for (size_t i = 0; i < list->nr; i++)
		rk_vec_for_each(&view->needs, need)
			if (need->fix == list->v[i])
				RK_TRY(add(list, need->needs));
	return NULL;
}

/* Units the probe must hold: the one in question, and those whose own file a fix of the list changes: they may define what the
 * others use. */
static struct rk_err *probe_units(const struct search *s, const struct rk_patch_list *list,
				  struct rk_arena *arena, struct rk_session_part *part)
{
	const char **units = rk_arena_calloc(arena, s->build->units.nr + 1, sizeof(*units));
	size_t nr = 0;

	if (!units)
		return rk_err_nomem();
	units[nr++] = s->unit;
	rk_vec_for_each(&s->build->view->files, file) {
		bool is_theirs = false;
		for (size_t i = 0; i < file->nr_fixes; i++)
			is_theirs = is_theirs || has(list, file->fixes[i]);
		const struct rk_build_unit *unit =
			is_theirs ? find_unit(s->build, file->path) : NULL;
		if (unit && !rk_streq(unit->recipe->unit, s->unit))
			units[nr++] = unit->recipe->unit;
	}
	part->units = units;
	part->nr_units = nr;
	return NULL;
}

/* Builds what the fixes of list, which it sorts into the order of the series, make of the unit. */
static struct rk_err *probe(const struct search *s, const struct rk_patch_list *list,
			    struct rk_build **ret)
{
	const struct rk_build_options *all = s->session->options;
	_cleanup_arena_ struct rk_arena arena = RK_ARENA_INIT;
	struct rk_session_part part = {
		.patches = rk_arena_calloc(&s->session->arena, list->nr + 1, sizeof(*part.patches)),
	};
	_cleanup_free_ char *dir =
		rk_asprintf("%s/probes/%zu", all->work_dir, s->session->nr_builds);

	if (!part.patches || !dir)
		return rk_err_nomem();
	for (size_t i = 0; i < all->nr_patches; i++)
		if (has(list, all->patches[i]))
			part.patches[part.nr++] = all->patches[i];
	RK_TRY(probe_units(s, list, &arena, &part));
	RK_TRY(rk_fs_mkdir_p(dir, 0777));
	return rk_session_build(s->session, &part, dir, ret);
}

/* Does what stands in the way show up with the innocent and the first nr of rest? *ret_build is the probe. */
static struct rk_err *try_first(struct search *s, const struct rk_patch_list *rest, size_t nr,
				bool *ret, struct rk_build **ret_build)
{
	_cleanup_patch_list_ struct rk_patch_list list = {};

	rk_vec_for_each(&s->with, fix)
		RK_TRY(add(&list, *fix));
	for (size_t i = 0; i < nr; i++)
		RK_TRY(add(&list, rest->v[i]));
	RK_TRY(add_needs(s->build->view, &list));
	RK_TRY(probe(s, &list, ret_build));
	*ret = is_blocked(*ret_build, s->unit);
	return NULL;
}

/* The first of rest with which it shows up, as a probe just with those up to it has it. *ret_nr 0: it doesn't. */
static struct rk_err *find_first(struct search *s, const struct rk_patch_list *rest, size_t *ret_nr,
				 struct rk_build **ret_build)
{
	_cleanup_build_ struct rk_build *shown = NULL;
	size_t lo = 1, hi = rest->nr;
	bool blocked;

	RK_TRY(try_first(s, rest, hi, &blocked, &shown));
	*ret_nr = 0;
	if (!blocked)
		return NULL;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		_cleanup_build_ struct rk_build *build = NULL;

		RK_TRY(try_first(s, rest, mid, &blocked, &build));
		if (!blocked) {
			lo = mid + 1;
			continue;
		}
		hi = mid;
		rk_build_free(shown);
		shown = take_ptr(build);
	}
	*ret_nr = hi;
	*ret_build = take_ptr(shown);
	return NULL;
}

/* Does fix need, directly or not, another one of the session's left-out ones? */
static bool needs_left_out(const struct search *s, const struct rk_patch_file *fix)
{
	rk_vec_for_each(&s->build->view->needs, need) {
		if (need->fix != fix)
			continue;
		rk_vec_for_each(&s->session->left_out, out)
			if (out->fix == need->needs)
				return true;
		if (needs_left_out(s, need->needs))
			return true;
	}
	return false;
}

/* Finds all that are to blame among candidates; *ret_any is false if it doesn't show up with these fixes alone. */
static struct rk_err *search(struct search *s, const struct rk_patch_list *candidates,
			     bool *ret_any)
{
	_cleanup_patch_list_ struct rk_patch_list rest = {};

	rk_vec_for_each(candidates, fix)
		RK_TRY(add(&rest, *fix));
	while (rest.nr) {
		_cleanup_build_ struct rk_build *shown = NULL;
		_cleanup_patch_list_ struct rk_patch_list left = {};
		size_t nr;

		RK_TRY(find_first(s, &rest, &nr, &shown));
		if (!nr)
			return NULL;
		*ret_any = true;
		RK_TRY(blame(s->session, shown, s->unit, rest.v[nr - 1]));
		for (size_t i = 0; i + 1 < nr; i++)
			RK_TRY(add(&s->with, rest.v[i]));
		for (size_t i = nr; i < rest.nr; i++)
			if (!needs_left_out(s, rest.v[i]))
				RK_TRY(add(&left, rest.v[i]));
		rk_vec_deinit(&rest);
		rest = left;
		left = (struct rk_patch_list){};
	}
	return NULL;
}

struct rk_err *rk_session_blame(struct rk_session *session, const struct rk_build *build,
				const char *unit, const struct rk_patch_list *candidates)
{
	struct search s = {.session = session, .build = build, .unit = unit};
	bool any = false;
	struct rk_err *err = NULL;

	if (candidates->nr > 1) {
		rk_report_note(session->options->reporter,
			       "'%s': looking which of %zu fixes stands in the way", unit,
			       candidates->nr);
		err = search(&s, candidates, &any);
	}
	/* What only shows up together with the other fixes is held against all that have to do with the unit. */
	for (size_t i = 0; i < candidates->nr && !any && !err; i++)
		err = blame(session, build, unit, candidates->v[i]);
	rk_vec_deinit(&s.with);
	return err;
}
