/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Patched objects used again within a session. What an object was made of is known from the compiler's own list; of those files only the
 * changed ones can differ from build to build, so their hashes tell whether the object is still the one.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/pipeline/session.h"
#include "lib/source/paths.h"

static const struct rk_changed_file *find_changed(const struct rk_view *view, const char *path)
{
	size_t lo = 0, hi = view->files.nr;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int diff = strcmp(view->files.v[mid].path, path);
		if (diff == 0)
			return &view->files.v[mid];
		if (diff < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

/* Of the changed files among deps, and of the names that came and went: a new header may take another one's place. */
static struct rk_err *digest(const struct rk_view *view, char **deps, char *ret)
{
	struct rk_sha256 *hash;
	struct rk_err *err = NULL;

	RK_TRY(rk_sha256_create(&hash));
	for (char **dep = deps; *dep && !err; dep++) {
		_cleanup_free_ char *path = strdup(*dep);
		if (!path) {
			err = rk_err_nomem();
			break;
		}
		rk_path_normalise(path);
		const struct rk_changed_file *file = find_changed(view, path);
		if (!file)
			continue;
		rk_sha256_add_str(hash, file->path);
		rk_sha256_add_str(hash, file->sha256);
	}
	rk_vec_for_each(&view->files, file) {
		if (!file->is_new && !file->is_delete)
			continue;
		rk_sha256_add_str(hash, file->is_new ? "new" : "gone");
		rk_sha256_add_str(hash, file->path);
	}
	struct rk_err *hash_err = rk_sha256_finish(hash, ret);
	if (!err)
		return hash_err;
	rk_err_free(hash_err);
	return err;
}

static size_t count(char **deps)
{
	size_t nr = 0;

	while (deps[nr])
		nr++;
	return nr;
}

/* As rk_compile() makes them. */
static struct rk_err *copy_deps(char **deps, char ***ret)
{
	char **copy = calloc(count(deps) + 1, sizeof(*copy));
	bool ok = copy != NULL;

	for (size_t i = 0; ok && deps[i]; i++) {
		copy[i] = strdup(deps[i]);
		ok = copy[i] != NULL;
	}
	if (!ok) {
		for (size_t i = 0; copy && copy[i]; i++)
			free(copy[i]);
		free(copy);
		return rk_err_nomem();
	}
	*ret = copy;
	return NULL;
}

struct rk_err *rk_session_get(struct rk_session *session, const struct rk_view *view,
			      const char *unit, const char *output, char ***ret_deps)
{
	struct rk_session_object *object = rk_map_get(&session->objects, unit);

	for (; object; object = object->next) {
		char now[RK_SHA256_HEX_SIZE];
		RK_TRY(digest(view, object->deps, now));
		if (!rk_streq(now, object->digest))
			continue;
		if (link(object->path, output) < 0)
			return rk_err_sys(errno, "cannot create '%s'", output);
		return copy_deps(object->deps, ret_deps);
	}
	*ret_deps = NULL;
	return NULL;
}

struct rk_err *rk_session_put(struct rk_session *session, const struct rk_view *view,
			      const char *unit, const char *object, char **deps)
{
	struct rk_arena *arena = &session->arena;
	struct rk_session_object *new = rk_arena_new(arena, struct rk_session_object);
	const char *dir = rk_arena_printf(arena, "%s/objects", session->options->work_dir);
	size_t nr = count(deps);

	if (!new || !dir)
		return rk_err_nomem();
	RK_TRY(rk_fs_mkdir_p(dir, 0777));
	new->path = rk_arena_printf(arena, "%s/%zu.o", dir, session->nr_objects++);
	new->deps = rk_arena_calloc(arena, nr + 1, sizeof(*new->deps));
	const char *key = rk_arena_strdup(arena, unit);
	if (!new->path || !new->deps || !key)
		return rk_err_nomem();
	for (size_t i = 0; i < nr; i++) {
		new->deps[i] = rk_arena_strdup(arena, deps[i]);
		if (!new->deps[i])
			return rk_err_nomem();
	}
	RK_TRY(digest(view, deps, new->digest));
	if (link(object, new->path) < 0)
		return rk_err_sys(errno, "cannot create '%s'", new->path);
	new->next = rk_map_get(&session->objects, unit);
	return rk_map_set(&session->objects, key, new) ? NULL : rk_err_nomem();
}

struct rk_err *rk_session_compile(struct rk_build *build, struct rk_compile_job *jobs, size_t nr)
{
	bool is_shared = build->options->skip_refused;
	_cleanup_free_ size_t *places = calloc(nr + 1, sizeof(*places));
	_cleanup_free_ struct rk_compile_job *rest = calloc(nr + 1, sizeof(*rest));
	struct rk_err *err = places && rest ? NULL : rk_err_nomem();
	size_t todo = 0;

	for (size_t i = 0; i < nr && !err; i++) {
		if (is_shared && !jobs[i].is_original)
			err = rk_session_get(build->session, build->view, jobs[i].recipe->unit,
					     jobs[i].output, &jobs[i].deps);
		jobs[i].from_cache = jobs[i].deps != NULL;
		if (!jobs[i].deps) {
			places[todo] = i;
			rest[todo++] = jobs[i];
		}
	}
	if (!err)
		err = rk_compile(build->kbuild, rest, todo, build->options->jobs,
				 build->options->reporter);
	for (size_t i = 0; i < todo; i++)
		jobs[places[i]] = rest[i];
	return err;
}

struct rk_err *rk_session_keep(struct rk_build *build, const struct rk_compile_job *jobs, size_t nr)
{
	for (size_t i = 0; i < nr && build->options->skip_refused; i++)
		if (!jobs[i].is_original && jobs[i].deps && !jobs[i].from_cache)
			RK_TRY(rk_session_put(build->session, build->view, jobs[i].recipe->unit,
					      jobs[i].output, jobs[i].deps));
	return NULL;
}
