/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's small files and directories (sysfs, proc) and the clock that waits are measured with. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/livepatch/internal.h"
#include "lib/livepatch/livepatch.h"

struct rk_err *rk_livepatch_read_raw(const char *path, size_t max, struct rk_str *ret,
				     bool *ret_found)
{
	char buf[4096];

	rk_str_clear(ret);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && (errno == ENOENT || errno == ESRCH || errno == ENODEV)) {
		*ret_found = false;
		return NULL;
	}
	if (fd < 0)
		return rk_err_sys(errno, "cannot open '%s'", path);
	while (ret->len < max) {
		ssize_t n = read(fd, buf, sizeof(buf));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == ESRCH || errno == ENODEV)) {
			*ret_found = false;
			return NULL;
		}
		if (n < 0)
			return rk_err_sys(errno, "cannot read '%s'", path);
		if (!n)
			break;
		rk_str_add_bytes(ret, buf, (size_t)n);
	}
	RK_TRY(rk_str_check(ret));
	*ret_found = true;
	return NULL;
}

struct rk_err *rk_livepatch_read_small(const char *path, size_t max, struct rk_str *ret,
				       bool *ret_found)
{
	size_t len;

	RK_TRY(rk_livepatch_read_raw(path, max, ret, ret_found));
	for (len = ret->len; len && ret->s[len - 1] == '\n'; len--)
		;
	if (ret->s) {
		ret->s[len] = 0;
		ret->len = len;
	}
	return NULL;
}

unsigned long rk_livepatch_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (unsigned long)ts.tv_sec * 1000 + (unsigned long)ts.tv_nsec / 1000000;
}

void rk_livepatch_sleep_ms(unsigned int ms)
{
	struct timespec ts = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

	nanosleep(&ts, NULL);
}

/* sysfs says in the entry what it is; not every file system does, and a link may lead to a directory. */
static bool is_dir(const char *path, const struct dirent *ent)
{
	if (ent->d_type == DT_UNKNOWN || ent->d_type == DT_LNK)
		return rk_fs_is_dir(path);
	return ent->d_type == DT_DIR;
}

struct rk_err *rk_livepatch_for_each_entry(const char *path, bool dirs_only, bool *ret_found,
					   rk_livepatch_entry_fn *fn, void *ctx)
{
	_cleanup_closedir_ DIR *dir = opendir(path);
	struct dirent *ent;

	if (ret_found)
		*ret_found = dir;
	if (!dir && (errno == ENOENT || errno == ENODEV || errno == ESRCH))
		return NULL;
	if (!dir)
		return rk_err_sys(errno, "cannot open '%s'", path);
	while ((ent = readdir(dir))) {
		_cleanup_free_ char *sub = NULL;

		if (ent->d_name[0] == '.')
			continue;
		sub = rk_path_join(path, ent->d_name);
		if (!sub)
			return rk_err_nomem();
		if (!dirs_only || is_dir(sub, ent))
			RK_TRY(fn(ctx, sub, ent->d_name));
	}
	return NULL;
}

struct threads {
	rk_livepatch_entry_fn *fn;
	void *ctx;
};

static struct rk_err *each_thread(void *ctx, const char *path, const char *tid)
{
	struct threads *t = ctx;

	return isdigit((unsigned char)tid[0]) ? t->fn(t->ctx, path, tid) : NULL;
}

static struct rk_err *each_process(void *ctx, const char *path, const char *pid)
{
	_cleanup_free_ char *tasks = NULL;

	if (!isdigit((unsigned char)pid[0]))
		return NULL;
	tasks = rk_path_join(path, "task");
	return tasks ? rk_livepatch_for_each_entry(tasks, false, NULL, each_thread, ctx)
		     : rk_err_nomem();
}

struct rk_err *rk_livepatch_for_each_thread(const struct rk_livepatch_roots *roots,
					    rk_livepatch_entry_fn *fn, void *ctx)
{
	struct threads threads = {fn, ctx};
	bool found;

	RK_TRY(rk_livepatch_for_each_entry(roots->proc, false, &found, each_process, &threads));
	return found ? NULL : rk_err(RK_ERR_NOT_FOUND, "'%s' is absent", roots->proc);
}
