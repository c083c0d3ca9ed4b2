/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Leaving fixes out: those that stand in the way of a build, then all that can't be applied without them. Each gets its reason, so that nothing is
 * left out in silence.
 */
#include <string.h>

#include "lib/base/str.h"
#include "lib/pipeline/internal.h"
#include "lib/pipeline/session.h"

static bool is_left_out(const struct rk_session *session, const struct rk_patch_file *fix)
{
	rk_vec_for_each(&session->left_out, out)
		if (out->fix == fix)
			return true;
	return false;
}

static struct rk_err *add_candidates(const struct rk_session *session, struct rk_patch_list *list,
				     const struct rk_patch_file *const *fixes, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		bool known = is_left_out(session, fixes[i]);
		rk_vec_for_each(list, it)
			known = known || *it == fixes[i];
		if (!known && !rk_vec_push(list, fixes[i]))
			return rk_err_nomem();
	}
	return NULL;
}

/* The fixes that what is compiled or changed under this name has to do with. */
static struct rk_err *candidates_of(const struct rk_session *session, const struct rk_build *build,
				    const char *unit, struct rk_patch_list *list)
{
	rk_vec_for_each(&build->units, u)
		if (rk_streq(u->recipe->unit, unit))
			return add_candidates(session, list, u->fixes, u->nr_fixes);
	rk_vec_for_each(&build->view->files, file)
		if (rk_streq(file->path, unit))
			return add_candidates(session, list, file->fixes, file->nr_fixes);
	return NULL;
}

static struct rk_err *blame_at(struct rk_session *session, const struct rk_build *build,
			       const char *unit, struct rk_map *done)
{
	_cleanup_patch_list_ struct rk_patch_list candidates = {};

	if (rk_map_get(done, unit))
		return NULL;
	if (!rk_map_set(done, unit, session))
		return rk_err_nomem();
	RK_TRY(candidates_of(session, build, unit, &candidates));
	return rk_session_blame(session, build, unit, &candidates);
}

static struct rk_err *blame_all(struct rk_session *session, const struct rk_build *build,
				struct rk_map *done)
{
	rk_vec_for_each(&build->units, unit)
		if (unit->compile_error)
			RK_TRY(blame_at(session, build, unit->recipe->unit, done));
	rk_vec_for_each(&build->findings.list, f)
		if (rk_finding_is_blocking(f) && f->unit && f->code != RK_FINDING_NO_CHANGE)
			RK_TRY(blame_at(session, build, f->unit, done));
	return NULL;
}

static struct rk_err *add_left_out(struct rk_session *session, const struct rk_patch_file *fix,
				   const struct rk_patch_file *needs, const char *reason)
{
	struct rk_left_out out = {.fix = fix, .needs = needs, .reason = reason};

	if (!reason || !rk_vec_push(&out.codes, RK_LEFT_OUT_DEPENDS))
		return rk_err_nomem();
	if (rk_vec_push(&session->left_out, out))
		return NULL;
	rk_vec_deinit(&out.codes);
	return rk_err_nomem();
}

/* Fixes whose hunks are made of lines that a left-out one writes. */
static struct rk_err *leave_out_needing(struct rk_session *session, const struct rk_view *view)
{
	for (bool again = true; again;) {
		again = false;
		rk_vec_for_each(&view->needs, need) {
			if (!is_left_out(session, need->needs) || is_left_out(session, need->fix))
				continue;
			const char *reason = rk_arena_printf(
				&session->arena,
				"it changes lines that '%s', which is left out, wrote",
				need->needs->metadata.name);
			RK_TRY(add_left_out(session, need->fix, need->needs, reason));
			again = true;
		}
	}
	return NULL;
}

static bool changes(const struct rk_view *view, const struct rk_patch_file *fix,
		    const struct rk_patch_file *other)
{
	rk_vec_for_each(&view->files, file) {
		bool one = false, two = false;
		for (size_t i = 0; i < file->nr_fixes; i++) {
			one = one || file->fixes[i] == fix;
			two = two || file->fixes[i] == other;
		}
		if (one && two)
			return true;
	}
	return false;
}

/* The last left-out fix that changes a file of this one. */
static const struct rk_patch_file *find_needed(const struct rk_session *session,
					       const struct rk_view *view,
					       const struct rk_patch_file *fix)
{
	const struct rk_patch_file *needed = NULL;

	rk_vec_for_each(&session->left_out, out)
		if (changes(view, fix, out->fix))
			needed = out->fix;
	return needed;
}

static struct rk_err *take_active(const struct rk_session *session, struct rk_patch_list *active)
{
	size_t kept = 0;

	for (size_t i = 0; i < active->nr; i++)
		if (!is_left_out(session, active->v[i]))
			active->v[kept++] = active->v[i];
	active->nr = kept;
	return NULL;
}

/* Whatever else doesn't apply any more, one after the other. */
static struct rk_err *leave_out_failing(struct rk_session *session, const struct rk_build *build,
					struct rk_patch_list *active)
{
	for (;;) {
		const struct rk_patch_file *failed;
		_cleanup_err_ struct rk_err *why = NULL;

		RK_TRY(take_active(session, active));
		RK_TRY(rk_view_try(session->target->source,
				   (struct rk_patch_file *const *)active->v, active->nr, "x86",
				   &failed, &why));
		if (!failed)
			return NULL;
		const char *reason = rk_arena_strdup(&session->arena, rk_err_message(why));
		RK_TRY(add_left_out(session, failed, find_needed(session, build->view, failed),
				    reason));
	}
}

struct rk_err *rk_session_leave_out(struct rk_session *session, const struct rk_build *build,
				    struct rk_patch_list *active, size_t *ret_nr)
{
	size_t before = session->left_out.nr;
	struct rk_map done = {};
	struct rk_err *err = blame_all(session, build, &done);

	rk_map_deinit(&done);
	if (err)
		return err;
	if (session->left_out.nr > before) {
		RK_TRY(leave_out_needing(session, build->view));
		RK_TRY(leave_out_failing(session, build, active));
	}
	*ret_nr = session->left_out.nr - before;
	return NULL;
}
