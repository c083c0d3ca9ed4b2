/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which units read a header: its includers, theirs, and so on, by the text of the tree's #include lines. An operand that can't be
 * resolved for certain counts for every file it could mean, so the answer may have units too many, never one too few.
 */
#include <string.h>

#include "lib/base/str.h"
#include "lib/build/include_graph.h"
#include "lib/build/internal.h"

/* Files for each unit that is compiled; with more than that the header is one of the whole kernel's. */
#define CANDIDATES_PER_UNIT 32

/* Of the files in the queue, the recipes of those that are compiled. */
static struct rk_err *compiled(struct rk_kbuild *kbuild, struct rk_file_set *readers, size_t max,
			       struct rk_users *users)
{
	size_t nr = 0;

	for (size_t i = 0; i < readers->list.nr; i++) {
		if (rk_has_suffix(readers->list.v[i], ".c"))
			readers->list.v[nr++] = readers->list.v[i];
	}
	users->candidates = nr;
	users->is_complete = nr <= max * CANDIDATES_PER_UNIT;
	if (nr)
		qsort(readers->list.v, nr, sizeof(*readers->list.v), rk_compare_texts);
	for (size_t i = 0; i < nr && users->is_complete; i++) {
		const struct rk_recipe *recipe;
		const char *reason;
		bool is_unit;

		/* A file that others include is there with each of them. */
		RK_TRY(rk_kbuild_is_unit(kbuild, readers->list.v[i], &is_unit));
		if (!is_unit)
			continue;
		users->is_complete = users->units.nr < max;
		if (!users->is_complete)
			break;
		RK_TRY(rk_kbuild_recipe(kbuild, readers->list.v[i], &recipe, &reason));
		if (!rk_vec_push(&users->units, recipe))
			return rk_err_nomem();
	}
	return NULL;
}

static bool has_only_c(const struct rk_file_set *readers)
{
	rk_vec_for_each(&readers->list, path)
		if (!rk_has_suffix(*path, ".c"))
			return false;
	return true;
}

/* *ret_is_done stays false when a header is among the readers: then the lines that name C files don't tell all. */
static struct rk_err *find_users(struct rk_kbuild *kbuild, const char *header, bool only_c,
				 size_t max, struct rk_users *users, bool *ret_is_done)
{
	struct rk_include_graph *graph;
	struct rk_file_set readers = {};

	RK_TRY(rk_include_graph_open(kbuild, only_c, &graph));
	struct rk_err *err = rk_include_graph_readers(graph, header, &readers);
	if (!err && (!only_c || has_only_c(&readers))) {
		err = compiled(kbuild, &readers, max, users);
		*ret_is_done = true;
	}
	rk_file_set_deinit(&readers);
	rk_include_graph_close(graph);
	return err;
}

struct rk_err *rk_kbuild_users(struct rk_kbuild *kbuild, const char *header, size_t max,
			       struct rk_users *ret)
{
	struct rk_users users = {};
	struct rk_err *err = NULL;
	bool is_done = false;

	if (rk_has_suffix(header, ".c"))
		err = find_users(kbuild, header, true, max, &users, &is_done);
	if (!err && !is_done)
		err = find_users(kbuild, header, false, max, &users, &is_done);
	if (err) {
		rk_users_deinit(&users);
		return err;
	}
	*ret = users;
	return NULL;
}

void rk_users_deinit(struct rk_users *users)
{
	rk_vec_deinit(&users->units);
}
