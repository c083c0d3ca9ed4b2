/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makefiles that name objects of other directories ("../../../virt/kvm/kvm_main.o") or include Makefiles that do. Nothing says from
 * the file's side who they are, so the few that can do it at all are found by their text, once per tree.
 */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/build/internal.h"

#define MAKEFILE_MAX (4u << 20)
#define LIST_MAX     (1u << 20)
#define NEAR_DIRS    3 /* as "drivers/gpu/drm" for amdgpu and amd/display */

static bool reaches_out(const char *text)
{
	if (strstr(text, "../") || rk_has_prefix(text, "include "))
		return true;
	return strstr(text, "\ninclude ") || strstr(text, "\n-include ");
}

struct list {
	const struct rk_kbuild *kbuild;
	struct rk_str out;
};

/* Adds the Makefile's directory; the topmost one and those of headers name no objects. */
static struct rk_err *add_makefile(void *ctx, const char *path, off_t size)
{
	struct list *list = ctx;
	_cleanup_free_ char *file = NULL, *text = NULL;
	const char *slash = strrchr(path, '/');

	(void)size;
	if (!slash || rk_has_prefix(path, "include/") ||
	    (!rk_streq(slash, "/Makefile") && !rk_streq(slash, "/Kbuild")))
		return NULL;
	file = rk_path_join(list->kbuild->target->source, path);
	if (!file)
		return rk_err_nomem();
	RK_TRY(rk_fs_read(file, MAKEFILE_MAX, &text, NULL));
	if (reaches_out(text))
		rk_str_addf(&list->out, "%.*s\n", (int)(slash - path), path);
	return NULL;
}

static struct rk_err *make_list(const struct rk_kbuild *kbuild, struct rk_str *out)
{
	struct list list = {kbuild, RK_STR_INIT};
	struct rk_err *err = rk_kbuild_walk(kbuild, add_makefile, &list);

	*out = list.out;
	return err ? err : rk_str_check(out);
}

/* The list, from the file it is kept in or made now. */
static struct rk_err *get_list(struct rk_kbuild *kbuild, char **ret)
{
	_cleanup_str_ struct rk_str out = RK_STR_INIT;
	_cleanup_free_ char *file = kbuild->dir ? rk_path_join(kbuild->dir, "reaching-out") : NULL;

	if (kbuild->dir && !file)
		return rk_err_nomem();
	if (kbuild->keeps_recipes && rk_fs_exists(file))
		return rk_fs_read(file, LIST_MAX, ret, NULL);
	RK_TRY(make_list(kbuild, &out));
	if (kbuild->keeps_recipes)
		RK_TRY(rk_fs_write(file, rk_str_get(&out), out.len, 0666));
	return rk_str_take(&out, ret);
}

/* Leading directories that a and b have in common. */
static unsigned int common_dirs(const char *a, const char *b)
{
	unsigned int nr = 0;

	for (; *a && *a == *b; a++, b++)
		nr += *a == '/';
	return nr + (*a == '\0' && *b == '/');
}

/* How likely dir's Makefile names unit: by nearness, or because it writes the unit's directory out; 0 is not at all. */
static struct rk_err *rank(struct rk_kbuild *kbuild, const char *dir, const char *unit,
			   unsigned int *ret)
{
	const char *const names[] = {"Kbuild", "Makefile"};
	const char *slash = strrchr(unit, '/');
	_cleanup_free_ char *unit_dir = strndup(unit, slash ? (size_t)(slash - unit) : 0);

	if (!unit_dir)
		return rk_err_nomem();
	*ret = common_dirs(dir, unit);
	if (*ret < NEAR_DIRS)
		*ret = 0;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_free_ char *file = rk_path_join(dir, names[i]);
		const char *text;

		if (!file)
			return rk_err_nomem();
		RK_TRY(rk_makefile(kbuild, file, &text));
		if (text && strchr(unit_dir, '/') && strstr(text, unit_dir))
			*ret = UINT_MAX;
	}
	return NULL;
}

struct candidate {
	const char *dir;
	unsigned int rank;
};

static int compare_rank(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->rank != y->rank)
		return x->rank > y->rank ? -1 : 1;
	return strcmp(x->dir, y->dir);
}

struct rk_err *rk_dirs_reaching_out(struct rk_kbuild *kbuild, const char *unit, const char ***ret)
{
	_cleanup_free_ char *list = NULL;
	_cleanup_free_ struct candidate *candidates = NULL;
	size_t nr = 0;

	RK_TRY(get_list(kbuild, &list));
	candidates = calloc(strlen(list) + 1, sizeof(*candidates));
	if (!candidates)
		return rk_err_nomem();
	for (const char *s = list; *s; s += strcspn(s, "\n") + 1) {
		struct candidate *it = &candidates[nr];

		it->dir = rk_arena_strndup(&kbuild->arena, s, strcspn(s, "\n"));
		if (!it->dir)
			return rk_err_nomem();
		RK_TRY(rank(kbuild, it->dir, unit, &it->rank));
		nr += it->rank > 0;
	}
	qsort(candidates, nr, sizeof(*candidates), compare_rank);
	const char **dirs = rk_arena_calloc(&kbuild->arena, nr + 1, sizeof(*dirs));
	if (!dirs)
		return rk_err_nomem();
	for (size_t i = 0; i < nr; i++)
		dirs[i] = candidates[i].dir;
	*ret = dirs;
	return NULL;
}
