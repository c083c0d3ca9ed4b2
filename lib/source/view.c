/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Applying the fixes in memory, file by file, and laying the outcome over the unchanged tree: a directory of symbolic
 * links in which only what leads to a changed file is real. Compiling there costs what compiling in the tree costs.
 */
#include "lib/source/view.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/map.h"
#include "lib/base/str.h"
#include "lib/source/internal.h"
#include "lib/source/paths.h"

#define SOURCE_FILE_MAX (256u << 20)

/* A file while the fixes are applied. */
struct work_file {
	const char *path;
	char *data; /* the unchanged file's bytes, NULL for a new one */
	struct rk_text text;
	bool existed, exists; /* before the first, after the last fix so far */
	bool is_left_out;     /* no part of this kernel, and not unpacked: nothing to apply to */
	struct rk_patch_list fixes; /* that change it */
};

struct work {
	struct rk_view *view;
	const char *arch_dir;
	rk_vec(struct work_file *) files;
	struct rk_map by_path;
};

static void work_deinit(struct work *work)
{
	rk_vec_for_each(&work->files, it) {
		free((*it)->data);
		rk_text_deinit(&(*it)->text);
		rk_vec_deinit(&(*it)->fixes);
		free(*it);
	}
	rk_vec_deinit(&work->files);
	rk_map_deinit(&work->by_path);
}

static struct rk_err *source_path(const struct rk_view *view, const char *path, char **ret)
{
	*ret = rk_path_join(view->source, path);
	return *ret ? NULL : rk_err_nomem();
}

static struct rk_err *is_in_source(const struct rk_view *view, const char *path, bool *ret)
{
	_cleanup_free_ char *full = NULL;
	struct stat st;

	RK_TRY(source_path(view, path, &full));
	*ret = stat(full, &st) == 0 && S_ISREG(st.st_mode);
	return NULL;
}

/* Is path there, with the fixes so far? */
static struct rk_err *exists_now(const struct work *work, const char *path, bool *ret)
{
	const struct work_file *file = rk_map_get(&work->by_path, path);

	if (!file)
		return is_in_source(work->view, path, ret);
	*ret = file->exists;
	return NULL;
}

static struct rk_err *load_file(struct work_file *file, const struct rk_view *view)
{
	_cleanup_free_ char *full = NULL;
	size_t len = 0;

	RK_TRY(is_in_source(view, file->path, &file->existed));
	if (file->existed) {
		RK_TRY(source_path(view, file->path, &full));
		RK_TRY(rk_fs_read(full, SOURCE_FILE_MAX, &file->data, &len));
	}
	file->exists = file->existed;
	return rk_err_wrap(rk_text_split(file->data ? file->data : "", len, &file->text), "'%s'",
			   file->path);
}

static struct rk_err *get_file(struct work *work, const char *path, struct work_file **ret)
{
	struct work_file *file = rk_map_get(&work->by_path, path);

	if (!file) {
		file = calloc(1, sizeof(*file));
		if (!file)
			return rk_err_nomem();
		if (!rk_vec_push(&work->files, file)) {
			free(file);
			return rk_err_nomem();
		}
		file->path = rk_arena_strdup(&work->view->arena, path);
		if (!file->path)
			return rk_err_nomem();
		RK_TRY(load_file(file, work->view));
		if (!rk_map_set(&work->by_path, file->path, file))
			return rk_err_nomem();
	}
	*ret = file;
	return NULL;
}

/* Does the directory that path would be in exist in the source tree? */
static bool has_parent(const struct rk_view *view, const char *path)
{
	_cleanup_free_ char *full = rk_path_join(view->source, path);
	char *slash = full ? strrchr(full, '/') : NULL;

	if (!slash)
		return false;
	*slash = '\0';
	return rk_fs_is_dir(full);
}

/* Which of the names a change gives the tree knows: stripped first (-p1), then as written (-p0). *ret is NULL if none. */
static struct rk_err *choose_name(const struct work *work, const char *const *names, size_t nr,
				  const char **ret)
{
	for (size_t i = 0; i < nr; i++) {
		bool exists = false;

		if (names[i])
			RK_TRY(exists_now(work, names[i], &exists));
		if (exists) {
			*ret = names[i];
			return NULL;
		}
	}
	*ret = NULL;
	return NULL;
}

static struct rk_err *missing_file(const struct rk_patch_file *patch,
				   const struct rk_file_change *change, const char *path)
{
	return rk_err(RK_ERR_PATCH, "'%s' line %u: '%s' is not in the source tree", patch->path,
		      change->line, path);
}

/* The file a change of an existing file is about, new name first: editors leave "x.c.orig" in the old one. */
static struct rk_err *old_file_name(const struct work *work, const struct rk_patch_file *patch,
				    const struct rk_file_change *change, const char **ret)
{
	const char *names[] = {change->new_path, change->old_path, change->new_name,
			       change->old_name};
	const char *name;

	RK_TRY(choose_name(work, names, ARRAY_SIZE(names), &name));
	if (!name)
		return missing_file(patch, change,
				    change->new_path ? change->new_path : change->old_path);
	*ret = name;
	return NULL;
}

/* Remembers that patch changed file, and whose lines it needed. */
static struct rk_err *note_fix(struct work *work, const struct rk_patch_file *patch,
			       struct work_file *file)
{
	struct rk_view *view = work->view;

	if ((!file->fixes.nr || file->fixes.v[file->fixes.nr - 1] != patch) &&
	    !rk_vec_push(&file->fixes, patch))
		return rk_err_nomem();
	rk_vec_for_each(&file->text.needed, needed) {
		struct rk_fix_need need = {.fix = patch, .needs = *needed};
		if (*needed != patch && !rk_vec_push(&view->needs, need))
			return rk_err_nomem();
	}
	return NULL;
}

static struct rk_err *apply_new(struct work *work, const struct rk_patch_file *patch,
				const struct rk_file_change *change)
{
	const char *names[] = {change->new_path, change->new_name};
	const char *existing;
	struct work_file *file;

	RK_TRY(choose_name(work, names, 1, &existing));
	const char *name =
		existing || has_parent(work->view, names[0]) || !has_parent(work->view, names[1])
			? names[0]
			: names[1];
	RK_TRY(get_file(work, name, &file));
	if (file->exists && file->text.lines.nr > 0)
		return rk_err(
			RK_ERR_PATCH,
			"'%s' line %u: '%s' is new in the patch but exists in the source tree",
			patch->path, change->line, name);
	RK_TRY(rk_text_apply(&file->text, patch, change, name));
	file->exists = true;
	return note_fix(work, patch, file);
}

static struct rk_err *apply_delete(struct work *work, const struct rk_patch_file *patch,
				   const struct rk_file_change *change)
{
	const char *names[] = {change->old_path, change->old_name}, *name = NULL;
	struct work_file *file;

	RK_TRY(choose_name(work, names, ARRAY_SIZE(names), &name));
	if (!name)
		return missing_file(patch, change, change->old_path);
	RK_TRY(get_file(work, name, &file));
	RK_TRY(rk_text_apply(&file->text, patch, change, name));
	if (file->text.lines.nr > 0)
		return rk_err(
			RK_ERR_PATCH,
			"'%s' line %u: '%s' is to be deleted but has more lines than the patch removes",
			patch->path, change->line, name);
	file->exists = false;
	return note_fix(work, patch, file);
}

/* A renamed file is a new one: none of its lines has a number to keep, since its name in __FILE__ changes anyway. */
static struct rk_err *apply_rename(struct work *work, const struct rk_patch_file *patch,
				   const struct rk_file_change *change)
{
	struct work_file *from, *to;
	bool exists;

	RK_TRY(exists_now(work, change->old_path, &exists));
	if (!exists)
		return missing_file(patch, change, change->old_path);
	RK_TRY(get_file(work, change->old_path, &from));
	RK_TRY(get_file(work, change->new_path, &to));
	if (to->exists)
		return rk_err(RK_ERR_PATCH, "'%s' line %u: '%s' is renamed to '%s', which exists",
			      patch->path, change->line, change->old_path, change->new_path);
	to->text.lines.nr = 0;
	rk_vec_for_each(&from->text.lines, line) {
		struct rk_text_line copy = *line;

		copy.origin = 0;
		if (!rk_vec_push(&to->text.lines, copy))
			return rk_err_nomem();
	}
	RK_TRY(rk_text_apply(&to->text, patch, change, change->new_path));
	from->text.lines.nr = 0;
	from->exists = false;
	to->exists = true;
	RK_TRY(note_fix(work, patch, from));
	return note_fix(work, patch, to);
}

/* A target's tree holds what this kernel is compiled from; documentation and other machines' code may not be unpacked. */
static bool may_be_left_out(const struct work *work, const char *path)
{
	bool is_other_arch = false;

	return rk_classify(path, work->arch_dir, &is_other_arch) == RK_FILE_NOT_CODE ||
	       is_other_arch;
}

static struct rk_err *leave_out(struct work *work, const struct rk_patch_file *patch,
				const struct rk_file_change *change, bool *ret)
{
	const char *names[] = {change->old_path, change->new_path, change->new_name,
			       change->old_name};
	const char *name, *path = change->new_path ? change->new_path : change->old_path;
	struct work_file *file;

	*ret = false;
	if (change->is_new || !path || !may_be_left_out(work, path))
		return NULL;
	RK_TRY(choose_name(work, names, ARRAY_SIZE(names), &name));
	if (name)
		return NULL;
	RK_TRY(get_file(work, path, &file));
	file->is_left_out = true;
	*ret = true;
	return note_fix(work, patch, file);
}

static struct rk_err *apply_change(struct work *work, const struct rk_patch_file *patch,
				   const struct rk_file_change *change)
{
	struct work_file *file;
	const char *name = NULL;

	bool left_out;

	RK_TRY(leave_out(work, patch, change, &left_out));
	if (left_out)
		return NULL;
	if (change->is_rename)
		return apply_rename(work, patch, change);
	if (change->is_new)
		return apply_new(work, patch, change);
	if (change->is_delete)
		return apply_delete(work, patch, change);
	RK_TRY(old_file_name(work, patch, change, &name));
	RK_TRY(get_file(work, name, &file));
	RK_TRY(rk_text_apply(&file->text, patch, change, name));
	return note_fix(work, patch, file);
}

/* ---- the directory ---- */

static struct rk_err *link_entry(const char *source_dir, const char *view_dir, const char *name)
{
	_cleanup_free_ char *target = rk_path_join(source_dir, name);
	_cleanup_free_ char *link = rk_path_join(view_dir, name);

	if (!target || !link)
		return rk_err_nomem();
	if (symlink(target, link) < 0 && errno != EEXIST)
		return rk_err_sys(errno, "cannot create '%s'", link);
	return NULL;
}

/* Links every entry of source_dir into view_dir. */
static struct rk_err *link_entries(const char *source_dir, const char *view_dir)
{
	_cleanup_closedir_ DIR *dir = opendir(source_dir);
	struct dirent *entry;

	if (!dir) /* a directory that only the fixes have */
		return errno == ENOENT ? NULL : rk_err_sys(errno, "cannot read '%s'", source_dir);
	while ((entry = readdir(dir))) {
		if (!rk_streq(entry->d_name, ".") && !rk_streq(entry->d_name, ".."))
			RK_TRY(link_entry(source_dir, view_dir, entry->d_name));
	}
	return NULL;
}

/* Makes the directory path real, all above it first: lstat() follows links in all but the last part of a path, and what is
 * written below a link ends up in the source tree. The root ("") is real from the beginning. */
static struct rk_err *make_real(const struct rk_view *view, const char *path)
{
	_cleanup_free_ char *dir = rk_path_join(view->dir, path);
	_cleanup_free_ char *source = rk_path_join(view->source, path);
	_cleanup_free_ char *parent = strdup(path);
	struct stat st;

	if (!dir || !source || !parent)
		return rk_err_nomem();
	if (!*path)
		return NULL;
	char *slash = strrchr(parent, '/');
	*(slash ? slash : parent) = '\0';
	RK_TRY(make_real(view, parent));
	if (lstat(dir, &st) == 0) {
		if (S_ISDIR(st.st_mode))
			return NULL;
		if (!S_ISLNK(st.st_mode) || !rk_fs_is_dir(dir))
			return rk_err(RK_ERR_PATCH, "'%s' is a file and a directory", path);
		if (unlink(dir) < 0)
			return rk_err_sys(errno, "cannot remove '%s'", dir);
	}
	if (mkdir(dir, 0777) < 0)
		return rk_err_sys(errno, "cannot create '%s'", dir);
	return link_entries(source, dir);
}

static struct rk_err *make_parent_real(const struct rk_view *view, const char *path)
{
	_cleanup_free_ char *parent = strdup(path);

	if (!parent)
		return rk_err_nomem();
	char *slash = strrchr(parent, '/');
	*(slash ? slash : parent) = '\0';
	return make_real(view, parent);
}

static bool is_c(const char *path)
{
	return rk_has_suffix(path, ".c") || rk_has_suffix(path, ".h") ||
	       rk_has_suffix(path, ".inc");
}

/* The file's bytes as they go into the view. */
static struct rk_err *view_bytes(const struct work_file *file, char **ret, size_t *ret_len)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_free_ uint32_t *origin = NULL;
	size_t len, nr = file->text.lines.nr;

	RK_TRY(rk_text_join(&file->text, &text, &len));
	if (!file->existed || !is_c(file->path)) {
		*ret = take_ptr(text);
		*ret_len = len;
		return NULL;
	}
	origin = calloc(nr + 1, sizeof(*origin));
	if (!origin)
		return rk_err_nomem();
	for (size_t i = 0; i < nr; i++)
		origin[i] = file->text.lines.v[i].origin;
	struct rk_line_map map = {.origin = origin, .nr = nr};
	return rk_lines_keep(text, len, &map, ret, ret_len);
}

static struct rk_err *write_file(const struct rk_view *view, const struct work_file *file,
				 char *ret_sha256)
{
	_cleanup_free_ char *data = NULL, *path = rk_path_join(view->dir, file->path);
	_cleanup_fclose_ FILE *out = NULL;
	size_t len;

	if (!path)
		return rk_err_nomem();
	RK_TRY(make_parent_real(view, file->path));
	RK_TRY(rk_fs_unlink(path));
	if (!file->exists)
		return NULL;
	RK_TRY(view_bytes(file, &data, &len));
	RK_TRY(rk_sha256_bytes(data, len, ret_sha256));
	/* No need for rk_fs_write(): a view that isn't whole is removed. */
	out = fopen(path, "wxe");
	if (!out || fwrite(data, 1, len, out) != len || fflush(out) != 0)
		return rk_err_sys(errno, "cannot write '%s'", path);
	return NULL;
}

static struct rk_err *describe(struct work *work, struct work_file *file, const char *sha256)
{
	struct rk_changed_file out = {
		.path = file->path,
		.nr_fixes = file->fixes.nr,
		.is_new = !file->existed && !file->is_left_out,
		.is_delete = !file->exists && !file->is_left_out,
	};
	struct rk_view *view = work->view;

	out.kind = rk_classify(file->path, work->arch_dir, &out.is_other_arch);
	memcpy(out.sha256, sha256, sizeof(out.sha256));
	out.fixes = rk_arena_memdup(&view->arena, file->fixes.v,
				    file->fixes.nr * sizeof(*file->fixes.v));
	RK_TRY(rk_text_ranges(&file->text, &view->arena, &out.ranges, &out.nr_ranges));
	if (!out.fixes || !rk_vec_push(&view->files, out))
		return rk_err_nomem();
	return NULL;
}

static int compare_files(const void *a, const void *b)
{
	return strcmp((*(struct work_file *const *)a)->path, (*(struct work_file *const *)b)->path);
}

/* A file that is in the end as it was in the beginning is no changed file. */
static bool is_changed(struct work_file *file)
{
	if (file->existed != file->exists)
		return true;
	rk_text_settle(&file->text);
	if (file->text.lines.nr != file->text.nr_original)
		return true;
	for (size_t i = 0; i < file->text.lines.nr; i++) {
		if (file->text.lines.v[i].origin == 0)
			return true;
	}
	return false;
}

/* *ret_failed is the patch that was under way when it fails. */
static struct rk_err *apply_patches(struct work *work, struct rk_patch_file *const *patches,
				    size_t nr_patches, const struct rk_patch_file **ret_failed)
{
	for (size_t i = 0; i < nr_patches; i++) {
		*ret_failed = patches[i];
		rk_vec_for_each(&patches[i]->files, change)
			RK_TRY(apply_change(work, patches[i], change));
	}
	*ret_failed = NULL;
	return NULL;
}

static struct rk_err *build_view(struct work *work, struct rk_patch_file *const *patches,
				 size_t nr_patches)
{
	struct rk_view *view = work->view;
	const struct rk_patch_file *failed;

	RK_TRY(apply_patches(work, patches, nr_patches, &failed));
	if (mkdir(view->dir, 0777) < 0)
		return rk_err_sys(errno, "cannot create '%s'", view->dir);
	RK_TRY(link_entries(view->source, view->dir));
	if (work->files.nr)
		qsort(work->files.v, work->files.nr, sizeof(*work->files.v), compare_files);
	rk_vec_for_each(&work->files, it) {
		if (!(*it)->is_left_out && !is_changed(*it))
			continue;
		char sha256[RK_SHA256_HEX_SIZE] = "";
		if (!(*it)->is_left_out)
			RK_TRY(write_file(view, *it, sha256));
		RK_TRY(describe(work, *it, sha256));
	}
	return NULL;
}

static struct rk_err *absolute(struct rk_arena *arena, const char *path, const char **ret)
{
	char resolved[PATH_MAX];

	if (!realpath(path, resolved))
		return rk_err_sys(errno, "cannot find '%s'", path);
	*ret = rk_arena_strdup(arena, resolved);
	return *ret ? NULL : rk_err_nomem();
}

static struct rk_err *name_view(struct rk_view *view, const char *source, const char *dir)
{
	_cleanup_free_ char *copy = strdup(dir);
	const char *parent;

	if (!copy)
		return rk_err_nomem();
	RK_TRY(absolute(&view->arena, source, &view->source));
	if (rk_fs_exists(dir))
		return rk_err_sys(EEXIST, "cannot create '%s'", dir);

	char *slash = strrchr(copy, '/');
	if (!slash || slash == copy || !slash[1])
		return rk_err(RK_ERR_INVALID, "'%s' is not the absolute path of a new directory",
			      dir);
	*slash = '\0';
	RK_TRY(absolute(&view->arena, copy, &parent));
	view->dir = rk_arena_printf(&view->arena, "%s/%s", parent, slash + 1);
	return view->dir ? NULL : rk_err_nomem();
}

struct rk_err *rk_view_create(const char *source, const char *dir,
			      struct rk_patch_file *const *patches, size_t nr_patches,
			      const char *arch_dir, struct rk_view **ret)
{
	struct rk_view *view = calloc(1, sizeof(*view));
	struct work work = {.view = view, .arch_dir = arch_dir};

	if (!view)
		return rk_err_nomem();
	rk_arena_init(&view->arena);
	struct rk_err *err = name_view(view, source, dir);
	if (!err) {
		err = build_view(&work, patches, nr_patches);
		if (err)
			rk_err_free(rk_fs_remove_tree(view->dir));
	}
	work_deinit(&work);
	if (err) {
		rk_view_free(view);
		return err;
	}
	*ret = view;
	return NULL;
}

struct rk_err *rk_view_try(const char *source, struct rk_patch_file *const *patches,
			   size_t nr_patches, const char *arch_dir,
			   const struct rk_patch_file **ret, struct rk_err **ret_err)
{
	struct rk_view *view = calloc(1, sizeof(*view));
	struct work work = {.view = view, .arch_dir = arch_dir};
	const struct rk_patch_file *failed = NULL;

	if (!view)
		return rk_err_nomem();
	struct rk_err *err = absolute(&view->arena, source, &view->source);
	if (!err)
		err = apply_patches(&work, patches, nr_patches, &failed);
	work_deinit(&work);
	rk_view_free(view);
	if (err && rk_err_code(err) != RK_ERR_PATCH)
		return err;
	*ret_err = err;
	*ret = failed;
	return NULL;
}

void rk_view_free(struct rk_view *view)
{
	if (!view)
		return;
	rk_vec_deinit(&view->files);
	rk_vec_deinit(&view->needs);
	rk_arena_deinit(&view->arena);
	free(view);
}

struct rk_err *rk_view_realise(struct rk_view *view, const char *const *paths, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		const char *path = paths[i];

		/* Every directory that the path passes: "a/b/../c/x.h" goes through a/b, too. */
		for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
			_cleanup_free_ char *part = strndup(path, (size_t)(slash - path));

			if (!part)
				return rk_err_nomem();
			rk_path_normalise(part);
			if (*part && !rk_has_prefix(part, "../"))
				RK_TRY(make_real(view, part));
		}
	}
	return NULL;
}
