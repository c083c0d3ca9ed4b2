/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A module's file is told by its name alone; links aren't followed, since lib/modules has one to the whole source. */
#include "lib/target/module_files.h"

#include <errno.h>
#include <fts.h>
#include <string.h>

#include "lib/base/module_name.h"
#include "lib/base/str.h"

struct rk_err *rk_module_name(struct rk_arena *arena, const char *path, const char **ret)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	size_t len = strlen(name);

	len -= rk_has_suffix(name, ".debug") ? strlen(".debug") : 0;
	if (len <= 3 || strncmp(name + len - 3, ".ko", 3) != 0) {
		*ret = NULL;
		return NULL;
	}
	*ret = rk_module_name_fold(rk_arena_strndup(arena, name, len - 3));
	return *ret ? NULL : rk_err_nomem();
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static void cleanup_fts(FTS **fts)
{
	if (*fts)
		fts_close(*fts);
}

struct rk_err *rk_module_files(const char *dir, rk_module_file_fn fn, void *ctx)
{
	char *const roots[] = {(char *)dir, NULL};
	_cleanup_arena_ struct rk_arena arena = RK_ARENA_INIT;
	_cleanup_(cleanup_fts) FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
	bool stop = false;

	if (!fts)
		return rk_err_sys(errno, "cannot read '%s'", dir);
	for (FTSENT *entry; !stop && (entry = fts_read(fts));) {
		const char *module = NULL;

		if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR ||
		    entry->fts_info == FTS_NS)
			return rk_err_sys(entry->fts_errno, "cannot read '%s'", entry->fts_path);
		if (entry->fts_info == FTS_F)
			RK_TRY(rk_module_name(&arena, entry->fts_name, &module));
		if (module)
			RK_TRY(fn(ctx, module, entry->fts_path, entry->fts_statp, &stop));
	}
	return NULL;
}
