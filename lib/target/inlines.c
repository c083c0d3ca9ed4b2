/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A target whose debug info is at hand has its index made when it is first asked for, and again when vmlinux or a module changes. Places and
 * times of the files say so, as they do for make.
 */
#include "lib/target/inlines.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/parallel.h"
#include "lib/base/str.h"
#include "lib/base/vec.h"
#include "lib/target/cache.h"
#include "lib/target/module_files.h"

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

static struct rk_err *add_file(struct files *files, const char *object, const char *path,
			       const struct stat *st)
{
	struct file file = {rk_arena_strdup(&files->arena, object),
			    rk_arena_strdup(&files->arena, path)};

	if (!file.object || !file.path || !rk_vec_push(&files->list, file))
		return rk_err_nomem();
	rk_str_addf(&files->state, "%s %lld %lld.%09ld\n", path, (long long)st->st_size,
		    (long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
	return NULL;
}

static struct rk_err *add_module(void *ctx, const char *name, const char *path,
				 const struct stat *st, bool *ret_stop)
{
	return add_file(ctx, name, path, st);
}

static struct rk_err *add_unknown(void *ctx, const char *name, const char *path,
				  const struct stat *st, bool *ret_stop)
{
	return rk_inline_builder_add_unknown(ctx, name);
}

struct rk_err *rk_inlines_add_unknown(struct rk_inline_builder *builder, const char *dir)
{
	return rk_module_files(dir, add_unknown, builder);
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
		RK_TRY(rk_module_files(target->modules, add_module, files));
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

/* *ret stays NULL if there is none yet. */
static struct rk_err *open_kept(const char *path, struct rk_inline_index **ret)
{
	return rk_fs_exists(path) ? rk_inline_index_open(path, ret) : NULL;
}

static bool is_of(const struct rk_inline_index *index, const char *state)
{
	return index && rk_streq(rk_inline_index_origin(index), state);
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
	struct rk_err *err = open_kept(path, &index);
	if (!err && !is_of(index, state))
		err = make(files, state, jobs, reporter, path);
	rk_cache_end_fetch(&slot);
	return err;
}

/* Sees to it that index is one of the files as they are now. */
static struct rk_err *renew(const struct rk_target *target, unsigned int jobs,
			    const struct rk_reporter *reporter, const char *path,
			    struct rk_inline_index **index)
{
	_cleanup_(files_deinit) struct files files = {};
	char state[RK_SHA256_HEX_SIZE];

	RK_TRY(find_files(target, &files, state));
	if (is_of(*index, state))
		return NULL;
	RK_TRY(make_locked(target, &files, state, jobs, reporter, path));
	rk_inline_index_close(take_ptr(*index));
	return rk_inline_index_open(path, index);
}

struct rk_err *rk_target_inlines(const struct rk_target *target, unsigned int jobs,
				 const struct rk_reporter *reporter, struct rk_inline_index **ret)
{
	_cleanup_free_ char *path = rk_asprintf("%s/build/" RK_INLINES, target->dir);
	_cleanup_inline_index_ struct rk_inline_index *index = NULL;

	if (!path)
		return rk_err_nomem();
	RK_TRY(open_kept(path, &index));
	/* one that was made while fetching stands for what was fetched */
	if (!is_of(index, ""))
		RK_TRY(renew(target, jobs, reporter, path, &index));
	*ret = take_ptr(index);
	return NULL;
}
