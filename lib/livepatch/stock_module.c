/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which file modprobe would load for a module's name: depmod wrote that down in modules.dep, one line a module, "PATH: PATHS IT NEEDS", with
 * overrides (updates/, DKMS) already in place of what they override.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/module_name.h"
#include "lib/base/str.h"
#include "lib/elf/elf.h"
#include "lib/livepatch/check_internal.h"

#define MODULES_DEP_MAX (64u << 20) /* Debian's is 600 KiB */

/* True when the path, without directory and ".ko" with what follows it, is name; '-' and '_' are the same. */
static bool is_file_of(const char *path, size_t len, const char *name)
{
	const char *base = memrchr(path, '/', len);
	size_t name_len = strlen(name);

	base = base ? base + 1 : path;
	len -= (size_t)(base - path);
	return len >= name_len + strlen(".ko") && rk_module_name_is(base, name_len, name) &&
	       !memcmp(base + name_len, ".ko", strlen(".ko"));
}

/* The line's path in dir, malloc'ed; NULL in *ret if no line is about name. */
static struct rk_err *find_file(const char *dir, const char *name, char **ret)
{
	_cleanup_free_ char *dep = rk_path_join(dir, "modules.dep");
	_cleanup_free_ char *text = NULL;

	*ret = NULL;
	if (!dep)
		return rk_err_nomem();
	if (!rk_fs_exists(dep))
		return NULL;
	RK_TRY(rk_fs_read(dep, MODULES_DEP_MAX, &text, NULL));
	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		size_t len = strcspn(line, ":\n");

		if (!is_file_of(line, len, name))
			continue;
		*ret = line[0] == '/' ? strndup(line, len)
				      : rk_asprintf("%s/%.*s", dir, (int)len, line);
		return *ret ? NULL : rk_err_nomem();
	}
	return NULL;
}

struct rk_err *rk_stock_module(const struct rk_livepatch_roots *roots, const char *release,
			       const char *name, struct rk_arena *arena,
			       struct rk_stock_module *ret)
{
	_cleanup_free_ char *dir = rk_path_join(roots->modules, release);
	_cleanup_free_ char *path = NULL;
	_cleanup_elf_ struct rk_elf *elf = NULL;
	struct rk_stock_module found = {};
	const char *build_id, *srcversion;

	if (!dir)
		return rk_err_nomem();
	RK_TRY(find_file(dir, name, &path));
	/* a compressed one isn't looked into */
	if (!path || !rk_has_suffix(path, ".ko") || !rk_fs_exists(path)) {
		*ret = found;
		return NULL;
	}
	RK_TRY(rk_elf_open(path, RK_ELF_LOAD_NO_RELOCS, &elf));
	RK_TRY(rk_elf_build_id(elf, &build_id));
	srcversion = rk_elf_modinfo(elf, "srcversion");
	found.path = rk_arena_strdup(arena, path);
	found.id.build_id = build_id ? rk_arena_strdup(arena, build_id) : NULL;
	found.id.srcversion = srcversion ? rk_arena_strdup(arena, srcversion) : NULL;
	if (!found.path || (build_id && !found.id.build_id) || (srcversion && !found.id.srcversion))
		return rk_err_nomem();
	*ret = found;
	return NULL;
}
