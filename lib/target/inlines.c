/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A target whose debug info is at hand has its index made when it is first asked for, and again when vmlinux or a module changes. Places and
 * times of the files say so, as they do for make.
 */
#include "lib/target/inlines.h"

#include <errno.h>
#include <fts.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/parallel.h"
#include "lib/base/str.h"
#include "lib/base/vec.h"
#include "lib/target/cache.h"

#define BATCH 64 /* files between two reports */

struct file {
	const char *object, *path;
};

struct files {
	struct rk_arena arena;
	struct rk_str state; /* of each file, one a line */
	rk_vec(struct file) list;
};

static void files_deinit(struct files *files)
{
	rk_vec_deinit(&files->list);
	rk_str_deinit(&files->state);
	rk_arena_deinit(&files->arena);
}

struct rk_err *rk_inlines_module(struct rk_arena *arena, const char *path, const char **ret)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	size_t len = strlen(name);

	len -= rk_has_suffix(name, ".debug") ? strlen(".debug") : 0;
	if (len <= 3 || strncmp(name + len - 3, ".ko", 3) != 0) {
		*ret = NULL;
		return NULL;
	}
	char *module = rk_arena_strndup(arena, name, len - 3);
	if (!module)
		return rk_err_nomem();
	for (char *c = module; *c; c++)
		*c = *c == '-' ? '_' : *c;
	*ret = module;
	return NULL;
}

static struct rk_err *add_file(struct files *files, const char *object, const char *path,
			       const struct stat *st)
{
	struct file file = {object, rk_arena_strdup(&files->arena, path)};

	if (!file.path || !rk_vec_push(&files->list, file))
		return rk_err_nomem();
	rk_str_addf(&files->state, "%s %lld %lld.%09ld\n", path, (long long)st->st_size,
		    (long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
	return NULL;
}

static int by_path(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static void cleanup_fts(FTS **fts)
{
	if (*fts)
		fts_close(*fts);
}

static struct rk_err *find_modules(struct files *files, const char *dir)
{
	char *const roots[] = {(char *)dir, NULL};
	_cleanup_(cleanup_fts) FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_path);

	if (!fts)
		return rk_err_sys(errno, "cannot read '%s'", dir);
	for (FTSENT *entry; (entry = fts_read(fts));) {
		const char *module = NULL;

		if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR)
			return rk_err_sys(entry->fts_errno, "cannot read '%s'", entry->fts_path);
		if (entry->fts_info == FTS_F)
			RK_TRY(rk_inlines_module(&files->arena, entry->fts_name, &module));
		if (module)
			RK_TRY(add_file(files, module, entry->fts_path, entry->fts_statp));
	}
	return NULL;
}

struct rk_err *rk_inlines_add_unknown(struct rk_inline_builder *builder, const char *dir)
{
	_cleanup_(files_deinit) struct files files = {};

	RK_TRY(find_modules(&files, dir));
	rk_vec_for_each(&files.list, file)
		RK_TRY(rk_inline_builder_add_unknown(builder, file->object));
	return NULL;
}

/* All files that the index is made from, and in ret_state a hash of what they are. */
static struct rk_err *find_files(const struct rk_target *target, struct files *files,
				 char ret_state[RK_SHA256_HEX_SIZE])
{
	struct stat st;

	if (stat(target->vmlinux, &st) < 0)
		return rk_err_sys(errno, "cannot open '%s'", target->vmlinux);
	RK_TRY(add_file(files, "vmlinux", target->vmlinux, &st));
	if (target->modules)
		RK_TRY(find_modules(files, target->modules));
	RK_TRY(rk_str_check(&files->state));
	return rk_sha256_bytes(rk_str_get(&files->state), files->state.len, ret_state);
}

struct making {
	struct rk_inline_builder *builder;
	const struct file *files;
};

static struct rk_err *read_file(void *ctx, size_t i)
{
	const struct making *m = ctx;

	return rk_inline_builder_add(m->builder, m->files[i].object, m->files[i].path);
}

static struct rk_err *make(const struct files *files, const char *state, unsigned int jobs,
			   const struct rk_reporter *reporter, const char *path)
{
	_cleanup_inline_builder_ struct rk_inline_builder *builder = NULL;
	long processors = jobs ? (long)jobs : sysconf(_SC_NPROCESSORS_ONLN);
	size_t nr = files->list.nr;

	rk_report_phase(reporter, "inlines",
			"reading which functions vmlinux and %zu module%s have inlined", nr - 1,
			nr == 2 ? "" : "s");
	RK_TRY(rk_inline_builder_create(&builder));
	for (size_t from = 0; from < nr; from += BATCH) {
		struct making making = {builder, files->list.v + from};

		RK_TRY(rk_parallel(nr - from < BATCH ? nr - from : BATCH,
				   processors > 1 ? (unsigned int)processors - 1 : 0, read_file,
				   &making));
		rk_report_advance(reporter, from + BATCH < nr ? from + BATCH : nr, nr, "files");
	}
	return rk_inline_builder_write(builder, state, path);
}

/* Is there an index of files in this state, or one that was made while fetching? *ret stays NULL if not. */
static struct rk_err *open_current(const char *path, const char *state,
				   struct rk_inline_index **ret)
{
	_cleanup_inline_index_ struct rk_inline_index *index = NULL;

	if (!rk_fs_exists(path))
		return NULL;
	RK_TRY(rk_inline_index_open(path, &index));
	const char *origin = rk_inline_index_origin(index);
	if (!*origin || rk_streq(origin, state))
		*ret = take_ptr(index);
	return NULL;
}

static struct rk_err *make_locked(const struct rk_target *target, const struct files *files,
				  const char *state, unsigned int jobs,
				  const struct rk_reporter *reporter, const char *path)
{
	_cleanup_slot_ struct rk_cache_slot slot = {.use_fd = -1, .fetch_fd = -1};
	_cleanup_inline_index_ struct rk_inline_index *index = NULL;

	RK_TRY(rk_cache_slot_init(target->cache_dir, target->id, &slot));
	RK_TRY(rk_cache_begin_fetch(&slot, reporter));
	/* another process may have made it meanwhile */
	struct rk_err *err = open_current(path, state, &index);
	if (!err && !index)
		err = make(files, state, jobs, reporter, path);
	rk_cache_end_fetch(&slot);
	return err;
}

struct rk_err *rk_target_inlines(const struct rk_target *target, unsigned int jobs,
				 const struct rk_reporter *reporter, struct rk_inline_index **ret)
{
	_cleanup_free_ char *path = rk_asprintf("%s/build/" RK_INLINES, target->dir);
	_cleanup_(files_deinit) struct files files = {};
	_cleanup_inline_index_ struct rk_inline_index *index = NULL;
	char state[RK_SHA256_HEX_SIZE];

	if (!path)
		return rk_err_nomem();
	RK_TRY(find_files(target, &files, state));
	RK_TRY(open_current(path, state, &index));
	if (!index) {
		RK_TRY(make_locked(target, &files, state, jobs, reporter, path));
		RK_TRY(rk_inline_index_open(path, &index));
	}
	*ret = take_ptr(index);
	return NULL;
}
