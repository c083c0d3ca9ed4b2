/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * C files that are no units of their own: kernel/sched/rt.c is included by kernel/sched/build_policy.c. Who includes a
 * file is read from the text of the files around it, as "#include "rt.c"" says no more than that.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/build/internal.h"
#include "lib/source/paths.h"

#define SOURCE_MAX (64u << 20)

/* One file of a directory that includes another piece of code. */
struct inclusion {
	const char *file, *path;
};

/* Those of one directory, by file. */
struct inclusions {
	size_t nr;
	const struct inclusion *list;
};

struct scan {
	struct rk_kbuild *kbuild;
	const char *dir;
	rk_vec(struct inclusion) list;
};

/* Notes what is named at s, behind the '#' of a line of file, if that is code and no header. */
static struct rk_err *note_inclusion(struct scan *scan, const char *file, const char *s)
{
	struct inclusion it = {.file = file};

	s += strspn(s, " \t");
	if (!rk_has_prefix(s, "include"))
		return NULL;
	s += strlen("include");
	s += strspn(s, " \t");
	if (*s++ != '"')
		return NULL;
	_cleanup_free_ char *named = rk_asprintf("%s/%.*s", scan->dir, (int)strcspn(s, "\"\n"), s);
	if (!named)
		return rk_err_nomem();
	if (!rk_has_suffix(named, ".c") && !rk_has_suffix(named, ".inc"))
		return NULL;
	rk_path_normalise(named);
	it.path = rk_arena_strdup(&scan->kbuild->arena, named);
	return it.path && rk_vec_push(&scan->list, it) ? NULL : rk_err_nomem();
}

static struct rk_err *scan_file(struct scan *scan, const char *name)
{
	struct rk_kbuild *kbuild = scan->kbuild;
	const char *file = rk_arena_printf(&kbuild->arena, "%s/%s", scan->dir, name);
	_cleanup_free_ char *full = file ? rk_path_join(kbuild->target->source, file) : NULL;
	_cleanup_free_ char *text = NULL;

	if (!full)
		return rk_err_nomem();
	RK_TRY(rk_fs_read(full, SOURCE_MAX, &text, NULL));
	for (const char *s = text; (s = strchr(s, '#')); s++) {
		const char *before = s;

		while (before > text && (before[-1] == ' ' || before[-1] == '\t'))
			before--;
		if (before == text || before[-1] == '\n')
			RK_TRY(note_inclusion(scan, file, s + 1));
	}
	return NULL;
}

static struct rk_err *scan_files(struct scan *scan)
{
	_cleanup_free_ char *full = rk_path_join(scan->kbuild->target->source, scan->dir);
	struct dirent **entries = NULL;
	struct rk_err *err = NULL;

	if (!full)
		return rk_err_nomem();
	/* Sorted: the answer must not depend on the file system. */
	int nr = scandir(full, &entries, NULL, alphasort);
	for (int i = 0; i < nr; i++) {
		if (!err && rk_has_suffix(entries[i]->d_name, ".c"))
			err = scan_file(scan, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return err;
}

/* What the files of dir include; each directory is read once, as a wide header asks for most of its files. */
static struct rk_err *inclusions_of(struct rk_kbuild *kbuild, const char *dir,
				    const struct inclusions **ret)
{
	struct inclusions *known = rk_map_get(&kbuild->inclusions, dir);

	if (!known) {
		struct scan scan = {kbuild, rk_arena_strdup(&kbuild->arena, dir), {}};
		struct rk_err *err = scan.dir ? scan_files(&scan) : rk_err_nomem();

		known = rk_arena_new(&kbuild->arena, struct inclusions);
		if (!err && known) {
			known->nr = scan.list.nr;
			known->list = rk_arena_memdup(&kbuild->arena, scan.list.v,
						      scan.list.nr * sizeof(*scan.list.v));
		}
		rk_vec_deinit(&scan.list);
		if (err)
			return err;
		if (!known || !known->list || !rk_map_set(&kbuild->inclusions, scan.dir, known))
			return rk_err_nomem();
	}
	*ret = known;
	return NULL;
}

/* A file of dir that includes path and is compiled, itself or in another. */
static struct rk_err *find_including(struct rk_kbuild *kbuild, const char *dir, const char *path,
				     const char **ret)
{
	const struct inclusions *all;

	RK_TRY(inclusions_of(kbuild, dir, &all));
	for (size_t i = 0; i < all->nr && !*ret; i++) {
		const struct inclusion *it = &all->list[i];
		const struct rk_recipe *recipe;
		const char *reason;

		if (!rk_streq(it->path, path) || rk_streq(it->file, path))
			continue;
		RK_TRY(rk_kbuild_recipe(kbuild, it->file, &recipe, &reason));
		if (recipe)
			*ret = recipe->unit;
	}
	return NULL;
}

struct rk_err *rk_unit_including(struct rk_kbuild *kbuild, const char *path, const char **ret)
{
	_cleanup_free_ char *dir = strdup(path);

	*ret = NULL;
	if (!dir)
		return rk_err_nomem();
	if (!rk_has_suffix(path, ".c") && !rk_has_suffix(path, ".inc"))
		return NULL;
	/* The same directory, then the one above: what is included from farther away is a header in all but name. */
	for (int level = 0; level < 2 && !*ret; level++) {
		char *slash = strrchr(dir, '/');

		if (!slash)
			return NULL;
		*slash = '\0';
		RK_TRY(find_including(kbuild, dir, path, ret));
	}
	return NULL;
}
