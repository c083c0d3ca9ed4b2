/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which objects a directory contributes, and whether the build ever gets there: a Makefile can be asked for
 * any file below it, also in a directory that this configuration never enters, so the way from the root is followed.
 */
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/sha256.h"
#include "lib/base/str.h"
#include "lib/build/internal.h"
#include "lib/source/paths.h"

#define DIR_VARIABLES "obj-m real-obj-y real-obj-m lib-y subdir-builtin subdir-modorder"

struct rk_err *rk_list_find(const char *list, const char *word, char **ret)
{
	const char *name = strrchr(word, '/');
	name = name ? name : word;
	size_t name_len = strlen(name);

	*ret = NULL;
	for (const char *s = list; *(s += strspn(s, " "));) {
		size_t n = strcspn(s, " ");
		const char *at = s;
		s += n;
		/* Almost all words differ in their last part: only then is it worth resolving "..". */
		if (n < name_len || memcmp(at + n - name_len, name, name_len) != 0)
			continue;
		_cleanup_free_ char *plain = strndup(at, n);
		if (!plain)
			return rk_err_nomem();
		rk_path_normalise(plain);
		if (rk_streq(plain, word)) {
			*ret = strndup(at, n);
			return *ret ? NULL : rk_err_nomem();
		}
	}
	return NULL;
}

static struct rk_err *has_makefile(const struct rk_kbuild *kbuild, const char *path, bool *ret)
{
	const char *const names[] = {"Kbuild", "Makefile"};

	*ret = false;
	for (size_t i = 0; i < ARRAY_SIZE(names) && !*ret; i++) {
		_cleanup_free_ char *file =
			rk_asprintf("%s/%s/%s", kbuild->target->source, path, names[i]);

		if (!file)
			return rk_err_nomem();
		*ret = rk_fs_exists(file);
	}
	return NULL;
}

#define KEPT_MAX (4u << 20)

/* What make said of a directory is kept, with the directory as the first line. */
static struct rk_err *variables_file(const struct rk_kbuild *kbuild,
				     const struct rk_kbuild_dir *dir, char **ret)
{
	char hex[RK_SHA256_HEX_SIZE];

	RK_TRY(rk_sha256_bytes(dir->path, strlen(dir->path), hex));
	*ret = rk_asprintf("%s/directory-%.16s", kbuild->dir, hex);
	return *ret ? NULL : rk_err_nomem();
}

/* *ret stays NULL when nothing is kept of dir. */
static struct rk_err *kept_variables(const struct rk_kbuild *kbuild,
				     const struct rk_kbuild_dir *dir, char **ret)
{
	_cleanup_free_ char *file = NULL, *text = NULL;
	size_t n = strlen(dir->path);

	if (!kbuild->keeps_recipes)
		return NULL;
	RK_TRY(variables_file(kbuild, dir, &file));
	if (!rk_fs_exists(file))
		return NULL;
	RK_TRY(rk_fs_read(file, KEPT_MAX, &text, NULL));
	if (rk_has_prefix(text, dir->path) && text[n] == '\n')
		*ret = take_ptr(text);
	return NULL;
}

static struct rk_err *keep_variables(const struct rk_kbuild *kbuild,
				     const struct rk_kbuild_dir *dir, const char *output)
{
	_cleanup_free_ char *file = NULL, *text = NULL;

	if (!kbuild->keeps_recipes)
		return NULL;
	RK_TRY(variables_file(kbuild, dir, &file));
	text = rk_asprintf("%s\n%s", dir->path, output);
	return text ? rk_fs_write(file, text, strlen(text), 0666) : rk_err_nomem();
}

static struct rk_err *ask_make(struct rk_kbuild *kbuild, const struct rk_kbuild_dir *dir,
			       char **ret)
{
	_cleanup_process_result_ struct rk_process_result res = {};
	struct rk_arena *arena = &kbuild->arena;
	const char *obj = rk_arena_printf(arena, "obj=%s", dir->path);
	const char *const args[] = {
		obj,
		"need-builtin=1",
		"need-modorder=1",
		"-n",
		"--eval=rk-vars: ; @: $(foreach v," DIR_VARIABLES ",$(info rk-$v: $($v)))",
		"rk-vars",
	};

	if (!obj)
		return rk_err_nomem();
	RK_TRY(rk_kbuild_make(kbuild, args, ARRAY_SIZE(args), &res));
	*ret = strdup(rk_str_get(&res.output));
	return *ret ? NULL : rk_err_nomem();
}

/* Asks the Makefile of dir for its variables, unless that was done before. */
static struct rk_err *read_variables(struct rk_kbuild *kbuild, struct rk_kbuild_dir *dir)
{
	_cleanup_free_ char *text = NULL;
	bool is_kept;
	struct {
		const char *prefix;
		const char **value;
	} const wanted[] = {
		{"rk-obj-m: ", &dir->obj_m},
		{"rk-real-obj-y: ", &dir->real_obj_y},
		{"rk-real-obj-m: ", &dir->real_obj_m},
		{"rk-lib-y: ", &dir->lib_y},
		{"rk-subdir-builtin: ", &dir->subdir_builtin},
		{"rk-subdir-modorder: ", &dir->subdir_modorder},
	};

	RK_TRY(kept_variables(kbuild, dir, &text));
	is_kept = text != NULL;
	if (!is_kept)
		RK_TRY(ask_make(kbuild, dir, &text));
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		RK_TRY(rk_output_line(&kbuild->arena, text, wanted[i].prefix, wanted[i].value));
		if (!*wanted[i].value)
			return rk_err(RK_ERR_FORMAT, "'%s/Makefile': kbuild doesn't tell '%s'",
				      dir->path, wanted[i].prefix);
	}
	return is_kept ? NULL : keep_variables(kbuild, dir, text);
}

static struct rk_err *names_subdir(const char *list, const char *path, const char *file, bool *ret)
{
	_cleanup_free_ char *word = rk_asprintf("%s/%s", path, file), *found = NULL;

	if (!word)
		return rk_err_nomem();
	RK_TRY(rk_list_find(list, word, &found));
	*ret = found != NULL;
	return NULL;
}

/* The directory above path that has a Makefile: "a/b" → "a", "a" → ".", "." → NULL. */
static char *parent_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? strndup(path, (size_t)(slash - path)) : strdup(".");
}

/* How the build gets into dir: through the nearest directory above whose Makefile names it. */
static struct rk_err *find_way(struct rk_kbuild *kbuild, struct rk_kbuild_dir *dir)
{
	_cleanup_free_ char *at = strdup(dir->path);

	while (at && !rk_streq(at, ".")) {
		char *above = parent_of(at);
		struct rk_kbuild_dir *parent;
		bool builtin, modorder;

		free(at);
		at = above;
		if (!at)
			return rk_err_nomem();
		RK_TRY(rk_kbuild_dir(kbuild, at, &parent));
		if (!parent->builtin && !parent->modorder)
			continue;
		RK_TRY(names_subdir(parent->subdir_builtin, dir->path, "built-in.a", &builtin));
		RK_TRY(names_subdir(parent->subdir_modorder, dir->path, "modules.order",
				    &modorder));
		if (builtin || modorder) {
			dir->builtin = builtin && parent->builtin;
			dir->modorder = modorder && parent->modorder;
			return NULL;
		}
	}
	return at ? NULL : rk_err_nomem();
}

struct rk_err *rk_kbuild_dir(struct rk_kbuild *kbuild, const char *path, struct rk_kbuild_dir **ret)
{
	struct rk_kbuild_dir *dir = rk_map_get(&kbuild->dirs, path);

	if (!dir) {
		dir = rk_arena_new(&kbuild->arena, struct rk_kbuild_dir);
		if (!dir || !(dir->path = rk_arena_strdup(&kbuild->arena, path)))
			return rk_err_nomem();
		RK_TRY(has_makefile(kbuild, path, &dir->has_makefile));
		if (rk_streq(path, "."))
			dir->builtin = dir->modorder = true;
		else if (dir->has_makefile)
			RK_TRY(find_way(kbuild, dir));
		/* Makefiles that the build doesn't enter this way may depend on variables of those it does. */
		if (dir->builtin || dir->modorder)
			RK_TRY(read_variables(kbuild, dir));
		if (!rk_map_set(&kbuild->dirs, dir->path, dir))
			return rk_err_nomem();
	}
	*ret = dir;
	return NULL;
}
