/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From what the user names to the fixes in order. */
#include "lib/source/series.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"

#define SIDE_FILE_MAX	(1u << 20)
#define SERIES_FILE_MAX (4u << 20)

void rk_series_deinit(struct rk_series *series)
{
	rk_vec_for_each(&series->patches, patch)
		rk_patch_file_free(*patch);
	rk_vec_deinit(&series->patches);
}

static struct rk_err *read_side_file(struct rk_patch_file *patch)
{
	_cleanup_free_ char *path = rk_asprintf("%s" RK_METADATA_SUFFIX, patch->path);
	_cleanup_free_ char *json = NULL;
	size_t len;

	if (!path)
		return rk_err_nomem();
	if (!rk_fs_exists(path))
		return NULL;
	RK_TRY(rk_fs_read(path, SIDE_FILE_MAX, &json, &len));
	return rk_metadata_parse_side(path, json, len, &patch->arena, &patch->metadata);
}

static struct rk_err *add_patch(struct rk_series *series, const char *path, uint32_t strip)
{
	struct rk_patch_file *patch;

	RK_TRY(rk_patch_file_read(path, &patch));
	struct rk_err *err = strip == RK_STRIP_DEFAULT ? NULL : rk_patch_file_strip(patch, strip);
	if (!err)
		err = read_side_file(patch);
	if (!err && !rk_vec_push(&series->patches, patch))
		err = rk_err_nomem();
	if (err)
		rk_patch_file_free(patch);
	return err;
}

static struct rk_err *add_lines(struct rk_series *series, const char *path,
				const struct rk_series_lines *lines)
{
	_cleanup_free_ char *dir = strdup(path);

	if (!dir)
		return rk_err_nomem();
	char *slash = strrchr(dir, '/');
	if (slash)
		*slash = '\0';
	if (!lines->list.nr)
		return rk_err(RK_ERR_NOT_FOUND, "'%s' names no patch", path);
	rk_vec_for_each(&lines->list, line) {
		_cleanup_free_ char *patch = slash && line->path[0] != '/'
						     ? rk_asprintf("%s/%s", dir, line->path)
						     : strdup(line->path);
		if (!patch)
			return rk_err_nomem();
		if (!rk_fs_exists(patch))
			return rk_err(RK_ERR_NOT_FOUND, "'%s' line %u: there is no patch '%s'",
				      path, line->line, patch);
		RK_TRY(add_patch(series, patch, line->strip));
	}
	return NULL;
}

static struct rk_err *add_series_file(struct rk_series *series, const char *path)
{
	_cleanup_free_ char *data = NULL;
	_cleanup_(rk_series_lines_deinit) struct rk_series_lines lines = {};
	size_t len;

	RK_TRY(rk_fs_read(path, SERIES_FILE_MAX, &data, &len));
	RK_TRY(rk_series_parse(path, data, len, &lines));
	return add_lines(series, path, &lines);
}

static int is_patch_name(const struct dirent *entry)
{
	return entry->d_name[0] != '.' &&
	       (rk_has_suffix(entry->d_name, ".patch") || rk_has_suffix(entry->d_name, ".diff"));
}

/* By bytes: the same order in every language. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static struct rk_err *add_directory(struct rk_series *series, const char *dir)
{
	_cleanup_free_ char *file = rk_path_join(dir, "series");
	struct dirent **entries;
	struct rk_err *err = NULL;

	if (!file)
		return rk_err_nomem();
	if (rk_fs_exists(file))
		return add_series_file(series, file);
	int nr = scandir(dir, &entries, is_patch_name, by_name);
	if (nr < 0)
		return rk_err_sys(errno, "cannot read '%s'", dir);
	if (nr == 0)
		err = rk_err(RK_ERR_NOT_FOUND,
			     "'%s' holds no patches: neither a series file nor *.patch or *.diff",
			     dir);
	for (int i = 0; i < nr; i++) {
		_cleanup_free_ char *path = err ? NULL : rk_path_join(dir, entries[i]->d_name);
		if (!err)
			err = path ? add_patch(series, path, RK_STRIP_DEFAULT) : rk_err_nomem();
		free(entries[i]);
	}
	free(entries);
	return err;
}

struct rk_err *rk_series_add(struct rk_series *series, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	if (rk_fs_is_dir(path))
		return add_directory(series, path);
	if (rk_streq(name, "series") || rk_has_suffix(name, ".series"))
		return add_series_file(series, path);
	return add_patch(series, path, RK_STRIP_DEFAULT);
}
