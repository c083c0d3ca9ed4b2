/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makefiles that name objects of other directories ("../../../virt/kvm/kvm_main.o") or include Makefiles that do. Nothing says from
 * the file's side who they are, so the few that can do it at all are found by their text, once per tree.
 */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/build/internal.h"

#define MAKEFILE_MAX   (4u << 20)
#define LIST_MAX       (1u << 20)
#define TREE_DEPTH_MAX 32
#define NEAR_DIRS      3 /* as "drivers/gpu/drm" for amdgpu and amd/display */

/* Without code of this kernel. */
static bool is_outside(const struct rk_kbuild *kbuild, const char *path)
{
	const char *const outside[] = {"Documentation", "LICENSES", "debian", "include",
				       "samples",	"scripts",  "tools",  ".git"};

	for (size_t i = 0; i < ARRAY_SIZE(outside); i++) {
		if (rk_streq(path, outside[i]))
			return true;
	}
	return rk_has_prefix(path, "arch/") && !strchr(path + 5, '/') &&
	       !rk_streq(path + 5, kbuild->srcarch);
}

static bool reaches_out(const char *text)
{
	if (strstr(text, "../") || rk_has_prefix(text, "include "))
		return true;
	return strstr(text, "\ninclude ") || strstr(text, "\n-include ");
}

/* Adds path, below which no more than depth levels are looked at, and what is below it to out, one a line. */
static struct rk_err *scan(const struct rk_kbuild *kbuild, const char *path, int depth,
			   struct rk_str *out)
{
	_cleanup_free_ char *full = rk_path_join(kbuild->target->source, path);
	struct dirent **entries = NULL;
	struct rk_err *err = NULL;

	if (!full)
		return rk_err_nomem();
	int nr = depth > 0 ? scandir(full, &entries, NULL, alphasort) : 0;
	for (int i = 0; i < nr; i++) {
		const char *name = entries[i]->d_name;
		_cleanup_free_ char *below = rk_path_join(path, name);
		_cleanup_free_ char *file =
			below ? rk_path_join(kbuild->target->source, below) : NULL;
		bool is_makefile = rk_streq(name, "Makefile") || rk_streq(name, "Kbuild");
		struct stat st;

		if (!file && !err)
			err = rk_err_nomem();
		if (!err && is_makefile && *path) {
			_cleanup_free_ char *text = NULL;

			err = rk_fs_read(file, MAKEFILE_MAX, &text, NULL);
			if (!err && reaches_out(text))
				rk_str_addf(out, "%s\n", path);
		} else if (!err && name[0] != '.' && !strchr(name, '.') &&
			   !is_outside(kbuild, below) && lstat(file, &st) == 0 &&
			   S_ISDIR(st.st_mode)) {
			err = scan(kbuild, below, depth - 1, out);
		}
		free(entries[i]);
	}
	free(entries);
	return err;
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
	RK_TRY(scan(kbuild, "", TREE_DEPTH_MAX, &out));
	RK_TRY(rk_str_check(&out));
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
