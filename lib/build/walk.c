/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files of the source tree that this kernel's units can come from: everything but documentation, tools and other
 * architectures, in an order that is always the same.
 */
#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/build/internal.h"

#define DEPTH_MAX 32

struct walk {
	const struct rk_kbuild *kbuild;
	rk_kbuild_on_file *on_file;
	void *ctx;
};

static bool is_outside(const struct rk_kbuild *kbuild, const char *path)
{
	const char *const outside[] = {"Documentation", "LICENSES", "debian",
				       "samples",	"scripts",  "tools"};

	for (size_t i = 0; i < ARRAY_SIZE(outside); i++) {
		if (rk_streq(path, outside[i]))
			return true;
	}
	return rk_has_prefix(path, "arch/") && !strchr(path + 5, '/') &&
	       !rk_streq(path + 5, kbuild->srcarch);
}

static struct rk_err *walk_dir(const struct walk *walk, const char *path, int depth);

static struct rk_err *visit(const struct walk *walk, const char *path, int depth)
{
	_cleanup_free_ char *full = rk_path_join(walk->kbuild->target->source, path);
	struct stat st;

	if (!full)
		return rk_err_nomem();
	if (lstat(full, &st) < 0)
		return NULL;
	if (S_ISREG(st.st_mode))
		return walk->on_file(walk->ctx, path, st.st_size);
	if (S_ISDIR(st.st_mode) && !is_outside(walk->kbuild, path))
		return walk_dir(walk, path, depth - 1);
	return NULL;
}

/* A directory that can't be read has no files: what was there for kbuild's own make can be read. */
static struct rk_err *walk_dir(const struct walk *walk, const char *path, int depth)
{
	_cleanup_free_ char *full = rk_path_join(walk->kbuild->target->source, path);
	struct dirent **entries = NULL;
	struct rk_err *err = full ? NULL : rk_err_nomem();
	int nr = full && depth > 0 ? scandir(full, &entries, NULL, alphasort) : 0;

	for (int i = 0; i < nr; i++) {
		_cleanup_free_ char *below = rk_path_join(path, entries[i]->d_name);

		if (!below && !err)
			err = rk_err_nomem();
		if (!err && entries[i]->d_name[0] != '.')
			err = visit(walk, below, depth);
		free(entries[i]);
	}
	free(entries);
	return err;
}

struct rk_err *rk_kbuild_walk(const struct rk_kbuild *kbuild, rk_kbuild_on_file *on_file, void *ctx)
{
	const struct walk walk = {kbuild, on_file, ctx};

	return walk_dir(&walk, "", DEPTH_MAX);
}
