/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Building until what is left of a series can be built, or there is nothing to leave out any more. */
#include "lib/pipeline/session.h"

#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/pipeline/internal.h"

void rk_session_free(struct rk_session *session)
{
	if (!session)
		return;
	if (session->symbols)
		rk_symbols_close(session->symbols);
	if (session->kbuild)
		rk_kbuild_close(session->kbuild);
	rk_vec_for_each(&session->left_out, out)
		rk_vec_deinit(&out->codes);
	rk_vec_deinit(&session->left_out);
	rk_map_deinit(&session->objects);
	rk_arena_deinit(&session->arena);
	free(session);
}

/* What a build before left in the folders of its phases. */
static struct rk_err *clear_phases(const char *dir)
{
	static const char *const folders[] = {"1-source", "2-orig", "3-patched",
					      "4-diff",	  "5-link", "6-module"};

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		_cleanup_free_ char *path = rk_path_join(dir, folders[i]);
		if (!path)
			return rk_err_nomem();
		RK_TRY(rk_fs_remove_tree(path));
	}
	return NULL;
}

static size_t place(const struct rk_build_options *options, const struct rk_patch_file *fix)
{
	size_t i = 0;

	while (i < options->nr_patches && options->patches[i] != fix)
		i++;
	return i;
}

/* In the order of the series. */
static void sort_left_out(struct rk_session *session)
{
	struct rk_left_out *v = session->left_out.v;

	for (size_t i = 1; i < session->left_out.nr; i++)
		for (size_t j = i; j > 0 && place(session->options, v[j - 1].fix) >
						    place(session->options, v[j].fix);
		     j--) {
			struct rk_left_out t = v[j];
			v[j] = v[j - 1];
			v[j - 1] = t;
		}
}

static struct rk_err *build_active(struct rk_session *session, const struct rk_patch_list *active,
				   struct rk_build **ret)
{
	struct rk_session_part part = {
		.patches = rk_arena_memdup(&session->arena, active->v,
					   active->nr * sizeof(*active->v)),
		.nr = active->nr,
	};

	if (!part.patches)
		return rk_err_nomem();
	RK_TRY(clear_phases(session->options->work_dir));
	return rk_session_build(session, &part, session->options->work_dir, ret);
}

static struct rk_err *run(struct rk_session *session, struct rk_patch_list *active,
			  struct rk_build **ret)
{
	for (;;) {
		_cleanup_build_ struct rk_build *build = NULL;
		size_t nr = 0;

		RK_TRY(build_active(session, active, &build));
		if (!build->module && session->options->skip_refused)
			RK_TRY(rk_session_leave_out(session, build, active, &nr));
		sort_left_out(session);
		if (!nr || !active->nr) {
			*ret = take_ptr(build);
			return NULL;
		}
		rk_report_note(session->options->reporter, "%zu fix%s left out, %zu to go on with",
			       nr, nr == 1 ? "" : "es", active->nr);
	}
}

struct rk_err *rk_build_run(const struct rk_target *target, const struct rk_build_options *options,
			    struct rk_build **ret)
{
	_cleanup_patch_list_ struct rk_patch_list active = {};
	struct rk_session *session = calloc(1, sizeof(*session));
	struct rk_build *build = NULL;
	struct rk_err *err = NULL;

	if (!session)
		return rk_err_nomem();
	session->target = target;
	session->options = options;
	for (size_t i = 0; i < options->nr_patches && !err; i++)
		if (!rk_vec_push(&active, options->patches[i]))
			err = rk_err_nomem();
	if (!err)
		err = run(session, &active, &build);
	if (err) {
		rk_session_free(session);
		return err;
	}
	build->owns_session = true;
	*ret = build;
	return NULL;
}
