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

/* Does one line of text, of a file in dir, include path? */
static struct rk_err *line_includes(const char *line, const char *dir, const char *path, bool *ret)
{
	const char *s = line + strspn(line, " \t");

	*ret = false;
	if (*s++ != '#')
		return NULL;
	s += strspn(s, " \t");
	if (!rk_has_prefix(s, "include"))
		return NULL;
	s += strlen("include");
	s += strspn(s, " \t");
	if (*s++ != '"')
		return NULL;
	_cleanup_free_ char *named = rk_asprintf("%s/%.*s", dir, (int)strcspn(s, "\"\n"), s);
	if (!named)
		return rk_err_nomem();
	rk_path_normalise(named);
	*ret = rk_streq(named, path);
	return NULL;
}

static struct rk_err *file_includes(const struct rk_kbuild *kbuild, const char *file,
				    const char *dir, const char *path, bool *ret)
{
	_cleanup_free_ char *full = rk_path_join(kbuild->target->source, file), *text = NULL;
	const char *name = strrchr(path, '/');

	*ret = false;
	if (!full)
		return rk_err_nomem();
	name = name ? name + 1 : path;
	RK_TRY(rk_fs_read(full, SOURCE_MAX, &text, NULL));
	for (const char *s = text; !*ret && (s = strstr(s, name)); s++) {
		const char *line = s;

		while (line > text && line[-1] != '\n')
			line--;
		RK_TRY(line_includes(line, dir, path, ret));
	}
	return NULL;
}

/* A file of dir that includes path and is compiled, itself or in another. */
static struct rk_err *scan_dir(struct rk_kbuild *kbuild, const char *dir, const char *path,
			       const char **ret)
{
	_cleanup_free_ char *full = rk_path_join(kbuild->target->source, dir);
	struct dirent **entries = NULL;
	struct rk_err *err = NULL;

	if (!full)
		return rk_err_nomem();
	/* Sorted: the answer must not depend on the file system. */
	int nr = scandir(full, &entries, NULL, alphasort);
	for (int i = 0; i < nr; i++) {
		const char *name = entries[i]->d_name;
		_cleanup_free_ char *file = rk_path_join(dir, name);
		bool includes = false;

		if (!err && !file)
			err = rk_err_nomem();
		if (!err && !*ret && rk_has_suffix(name, ".c") && !rk_streq(file, path))
			err = file_includes(kbuild, file, dir, path, &includes);
		if (includes && !err) {
			const struct rk_recipe *recipe;
			const char *reason;

			err = rk_kbuild_recipe(kbuild, file, &recipe, &reason);
			if (!err && recipe)
				*ret = recipe->unit;
		}
		free(entries[i]);
	}
	free(entries);
	return err;
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
		RK_TRY(scan_dir(kbuild, dir, path, ret));
	}
	return NULL;
}
