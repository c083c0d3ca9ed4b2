/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a kernel's build leaves its results, and which of its steps makes each. */
#include "lib/target/build_dir.h"

#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"

bool rk_build_dir_is_spec(const char *spec)
{
	return rk_has_prefix(spec, RK_DIR_PREFIX);
}

/* dir/name in arena; *ret stays NULL if it isn't there. */
static struct rk_err *look(struct rk_arena *arena, const char *dir, const char *name,
			   const char **ret)
{
	const char *path = rk_arena_printf(arena, "%s/%s", dir, name);

	if (!path)
		return rk_err_nomem();
	*ret = rk_fs_exists(path) ? path : NULL;
	return NULL;
}

/* The source of a build directory: itself, or where kbuild's link leads. */
static struct rk_err *find_source(struct rk_arena *arena, const char *build, const char **ret)
{
	const char *kbuild, *link;

	RK_TRY(look(arena, build, "Kbuild", &kbuild));
	if (kbuild) {
		*ret = build;
		return NULL;
	}
	RK_TRY(look(arena, build, "source/Kbuild", &link));
	if (!link)
		return rk_err(
			RK_ERR_NOT_FOUND,
			"'%s' is neither a kernel source tree (it has no 'Kbuild') nor a build directory of one "
			"(it has no link 'source'); write " RK_DIR_PREFIX "SOURCE,BUILD",
			build);
	*ret = rk_arena_printf(arena, "%s/source", build);
	return *ret ? NULL : rk_err_nomem();
}

/* "dir:SOURCE,BUILD" or "dir:BUILD": *ret_source is NULL if it isn't said. */
static struct rk_err *split(const char *spec, struct rk_arena *arena, const char **ret_source,
			    const char **ret_build)
{
	const char *rest = spec + strlen(RK_DIR_PREFIX);
	const char *comma = strchr(rest, ',');

	*ret_source = comma ? rk_arena_strndup(arena, rest, (size_t)(comma - rest)) : NULL;
	*ret_build = rk_arena_strdup(arena, comma ? comma + 1 : rest);
	if (!*ret_build || (comma && !*ret_source))
		return rk_err_nomem();
	if (!**ret_build || (comma && !**ret_source))
		return rk_err(RK_ERR_INVALID,
			      "'%s' is no target; write " RK_DIR_PREFIX "TREE or " RK_DIR_PREFIX
			      "SOURCE,BUILD",
			      spec);
	return NULL;
}

struct rk_err *rk_build_dir_find(const char *spec, struct rk_arena *arena,
				 struct rk_target_options *o)
{
	const char *source, *build, *image;

	RK_TRY(split(spec, arena, &source, &build));
	if (!rk_fs_is_dir(build))
		return rk_err(RK_ERR_NOT_FOUND, "'%s' is no directory", build);
	if (!source)
		RK_TRY(find_source(arena, build, &source));
	const struct {
		const char **path;
		const char *name, *made_by;
	} files[] = {
		{&o->config, ".config", "configure the kernel as the one that runs"},
		{&o->vmlinux, "vmlinux", "build the kernel ('make')"},
		{&o->symvers, "Module.symvers", "build its modules too ('make modules')"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		RK_TRY(look(arena, build, files[i].name, files[i].path));
		if (!*files[i].path)
			return rk_err(RK_ERR_NOT_FOUND, "'%s' has no '%s': %s", build,
				      files[i].name, files[i].made_by);
	}
	o->source = source;
	RK_TRY(look(arena, build, "arch/x86/boot/bzImage", &image));
	o->image = o->image ? o->image : image;
	/* Modules lie where they were built; installed ones (--modules) are stripped, and just as good. */
	o->modules = o->modules ? o->modules : build;
	return NULL;
}
