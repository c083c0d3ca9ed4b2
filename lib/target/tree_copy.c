/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The user's tree is never written to, and kbuild can't prepare a tree elsewhere unless it is clean; so it is copied,
 * without objects and generated files. Without their .cmd files kbuild makes the few host programs anew that stay.
 */
#include "lib/target/tree_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <inttypes.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <linux/fs.h>

#include "lib/base/fs.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "lib/target/source_tree.h"

#define COPY_SIZE    (1u << 30) /* at most, per call of copy_file_range() */
#define REPORT_EVERY 1000	/* files */

static bool is_generated_dir(const char *path)
{
	static const char *const names[] = {".git", "debian", "include/config",
					    "include/generated"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (rk_streq(path, names[i]))
			return true;
	}
	return rk_has_prefix(path, "arch/") && rk_has_suffix(path, "/include/generated");
}

static bool is_generated_file(const char *path)
{
	static const char *const suffixes[] = {".o",	 ".ko",	 ".a",	   ".so",
					       ".order", ".mod", ".mod.c", ".symvers"};
	static const char *const at_top[] = {"vmlinux", "System.map", ".config", ".config.old",
					     ".version"};
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		if (rk_has_suffix(name, suffixes[i]))
			return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(at_top); i++) {
		if (rk_streq(path, at_top[i]))
			return true;
	}
	return name[0] == '.' && (rk_has_suffix(name, ".cmd") || rk_has_suffix(name, ".d") ||
				  rk_has_prefix(name, ".tmp_"));
}

static void cleanup_fts(FTS **fts)
{
	if (*fts)
		fts_close(*fts);
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* Calls visit for every source file and symbolic link of the tree, in a stable order. */
static struct rk_err *walk(const char *dir,
			   struct rk_err *(*visit)(void *ctx, const char *path,
						   const FTSENT *entry),
			   void *ctx)
{
	char *const roots[] = {(char *)dir, NULL};
	_cleanup_(cleanup_fts) FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
	size_t prefix = strlen(dir);

	if (!fts)
		return rk_err_sys(errno, "cannot read '%s'", dir);
	for (FTSENT *entry; (entry = fts_read(fts));) {
		const char *path = entry->fts_path + prefix;

		path += *path == '/';
		switch (entry->fts_info) {
		case FTS_D:
			if (is_generated_dir(path))
				fts_set(fts, entry, FTS_SKIP);
			break;
		case FTS_F:
		case FTS_SL:
		case FTS_SLNONE:
			if (!is_generated_file(path))
				RK_TRY(visit(ctx, path, entry));
			break;
		case FTS_DNR:
		case FTS_ERR:
		case FTS_NS:
			return rk_err_sys(entry->fts_errno, "cannot read '%s'", entry->fts_path);
		}
		if (rk_is_interrupted())
			return rk_err(RK_ERR_INTERRUPTED, "interrupted while reading '%s'", dir);
	}
	return NULL;
}

static struct rk_err *add_state(void *ctx, const char *path, const FTSENT *entry)
{
	const struct stat *st = entry->fts_statp;
	const int64_t facts[] = {st->st_size, st->st_mtim.tv_sec, st->st_mtim.tv_nsec, st->st_mode};

	rk_sha256_add_str(ctx, path);
	rk_sha256_add(ctx, facts, sizeof(facts));
	return NULL;
}

struct rk_err *rk_tree_state(const char *dir, struct rk_sha256 *hash)
{
	return walk(dir, add_state, hash);
}

struct copy {
	const char *to;
	struct rk_str list;
	uint64_t files;
	const struct rk_reporter *reporter;
};

static void copy_deinit(struct copy *c)
{
	rk_str_deinit(&c->list);
}

static struct rk_err *copy_content(int in, int out, const char *from, const char *to, off_t size)
{
	/* A reflink shares the blocks where the file system can. */
	if (ioctl(out, FICLONE, in) == 0)
		return NULL;
	while (size > 0) {
		ssize_t n = copy_file_range(in, NULL, out, NULL, COPY_SIZE, 0);

		if (n < 0)
			return rk_err_sys(errno, "cannot copy '%s' to '%s'", from, to);
		if (n == 0)
			break;
		size -= n;
	}
	return NULL;
}

static struct rk_err *copy_file(const FTSENT *entry, const char *to)
{
	const struct stat *st = entry->fts_statp;
	const struct timespec times[2] = {st->st_mtim, st->st_mtim};
	_cleanup_close_ int in = open(entry->fts_path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_close_ int out = -1;

	if (in < 0)
		return rk_err_sys(errno, "cannot open '%s'", entry->fts_path);
	out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (st->st_mode & 0777) | 0600);
	if (out < 0)
		return rk_err_sys(errno, "cannot create '%s'", to);
	RK_TRY(copy_content(in, out, entry->fts_path, to, st->st_size));
	if (futimens(out, times) < 0)
		return rk_err_sys(errno, "cannot set the time of '%s'", to);
	return NULL;
}

static struct rk_err *copy_link(const FTSENT *entry, const char *to)
{
	char content[4096];
	ssize_t len = readlink(entry->fts_path, content, sizeof(content) - 1);

	if (len < 0)
		return rk_err_sys(errno, "cannot read '%s'", entry->fts_path);
	content[len] = '\0';
	return symlink(content, to) < 0 ? rk_err_sys(errno, "cannot create '%s'", to) : NULL;
}

static struct rk_err *copy_entry(void *ctx, const char *path, const FTSENT *entry)
{
	struct copy *c = ctx;
	_cleanup_free_ char *to = rk_path_join(c->to, path);

	if (!to)
		return rk_err_nomem();
	rk_str_addf(&c->list, "%s\n", path);
	if (!rk_source_tree_needs(path))
		return NULL;
	RK_TRY(rk_fs_mkdir_parent(to, 0755));
	if (++c->files % REPORT_EVERY == 0)
		rk_report_advance(c->reporter, c->files, 0, "files");
	return entry->fts_info == FTS_F ? copy_file(entry, to) : copy_link(entry, to);
}

struct rk_err *rk_tree_copy(const char *from, const char *to, const char *list,
			    const struct rk_reporter *reporter)
{
	_cleanup_(copy_deinit) struct copy c = {.to = to, .reporter = reporter};

	RK_TRY(rk_fs_mkdir_p(to, 0755));
	RK_TRY(walk(from, copy_entry, &c));
	RK_TRY(rk_str_check(&c.list));
	return rk_fs_write(list, rk_str_get(&c.list), c.list.len, 0644);
}
