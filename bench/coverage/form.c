/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Union-find over the CVEs: the first one that touches a file stands for the file. */
#include "bench/coverage/form.h"

#include <string.h>

#include "lib/base/str.h"

struct sets {
	size_t *parent; /* of the CVE with that index */
};

static size_t find(struct sets *s, size_t i)
{
	while (s->parent[i] != i)
		i = s->parent[i] = s->parent[s->parent[i]];
	return i;
}

/* The lower index, the earlier CVE, stands for both. */
static void join(struct sets *s, size_t a, size_t b)
{
	a = find(s, a);
	b = find(s, b);
	s->parent[a > b ? a : b] = a > b ? b : a;
}

static struct rk_err *join_all(const struct cov_table *table,
			       bool (*joins)(void *ctx, const char *path), void *ctx,
			       struct sets *s, struct rk_map *first)
{
	for (size_t i = 0; i < table->cves.nr; i++) {
		rk_vec_for_each(&table->cves.v[i]->files, path) {
			if (!joins(ctx, *path))
				continue;
			struct cov_cve **other = rk_map_get(first, *path);
			if (other)
				join(s, i, (size_t)(other - table->cves.v));
			else if (!rk_map_set(first, *path, &table->cves.v[i]))
				return rk_err_nomem();
		}
	}
	return NULL;
}

static struct rk_err *add_cve(struct cov_fix *fix, const struct cov_cve *cve)
{
	if (!rk_vec_push(&fix->cves, cve))
		return rk_err_nomem();
	rk_vec_for_each(&cve->files, path) {
		bool known = false;
		rk_vec_for_each(&fix->files, other)
			known |= rk_streq(*path, *other);
		if (!known && !rk_vec_push(&fix->files, *path))
			return rk_err_nomem();
	}
	return NULL;
}

/* Fixes in the order of their first CVE. */
static struct rk_err *collect(const struct cov_table *table, struct sets *s,
			      struct cov_fixes *fixes)
{
	_cleanup_free_ size_t *place = calloc(table->cves.nr, sizeof(*place));

	if (!place)
		return rk_err_nomem();
	for (size_t i = 0; i < table->cves.nr; i++) {
		size_t top = find(s, i);
		if (top == i) {
			struct cov_fix fix = {.id = table->cves.v[i]->id};
			place[i] = fixes->list.nr;
			if (!rk_vec_push(&fixes->list, fix))
				return rk_err_nomem();
		}
		RK_TRY(add_cve(&fixes->list.v[place[top]], table->cves.v[i]));
	}
	rk_vec_for_each(&fixes->list, fix)
		if (fix->files.nr)
			qsort(fix->files.v, fix->files.nr, sizeof(*fix->files.v), rk_compare_texts);
	return NULL;
}

struct rk_err *cov_form(const struct cov_table *table, bool (*joins)(void *ctx, const char *path),
			void *ctx, struct cov_fixes *ret)
{
	struct cov_fixes fixes = {};
	struct rk_map first = {};
	_cleanup_free_ size_t *parent = calloc(table->cves.nr + 1, sizeof(*parent));
	struct sets s = {.parent = parent};

	if (!parent)
		return rk_err_nomem();
	for (size_t i = 0; i < table->cves.nr; i++)
		parent[i] = i;
	struct rk_err *err = join_all(table, joins, ctx, &s, &first);
	if (!err)
		err = collect(table, &s, &fixes);
	rk_map_deinit(&first);
	if (err) {
		cov_fixes_deinit(&fixes);
		return err;
	}
	*ret = fixes;
	return NULL;
}

void cov_fixes_deinit(struct cov_fixes *fixes)
{
	rk_vec_for_each(&fixes->list, fix) {
		rk_vec_deinit(&fix->cves);
		rk_vec_deinit(&fix->files);
	}
	rk_vec_deinit(&fixes->list);
}
