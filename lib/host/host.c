/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The paths of one host, its directories, its lock, and who must own what it believes. */
#include "lib/host/host.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"

/* Each path of struct rk_host, and the directories root's part needs. */
static const struct {
	size_t offset;
	const char *path;
	mode_t mode; /* of a directory that is made; 0: not made */
} paths[] = {
	{offsetof(struct rk_host, config_file), "/etc/readykernel.conf", 0},
	{offsetof(struct rk_host, disable_file), "/etc/readykernel/disable", 0},
	{offsetof(struct rk_host, state_dir), "/var/lib/readykernel", 0755},
	{offsetof(struct rk_host, state_file), "/var/lib/readykernel/state.json", 0},
	{offsetof(struct rk_host, intent_file), "/var/lib/readykernel/intent.json", 0},
	{offsetof(struct rk_host, patches_dir), "/var/lib/readykernel/patches", 0755},
	{offsetof(struct rk_host, trust_dir), "/var/lib/readykernel/trust", 0755},
	{offsetof(struct rk_host, incoming_dir), "/var/lib/readykernel/incoming", 0},
	{offsetof(struct rk_host, queue_dir), "/var/lib/readykernel/queue", 0700},
	{offsetof(struct rk_host, run_dir), "/run/readykernel", 0755},
	{offsetof(struct rk_host, lock_file), "/run/readykernel/lock", 0},
	{offsetof(struct rk_host, fetch_lock_file), "/run/readykernel/fetch-lock", 0},
	{offsetof(struct rk_host, effective_file), "/run/readykernel/effective", 0},
	{offsetof(struct rk_host, cvelist_file), "/run/readykernel/cvelist", 0},
	{offsetof(struct rk_host, sys), "/sys", 0},
	{offsetof(struct rk_host, proc), "/proc", 0},
	{offsetof(struct rk_host, kmsg), "/dev/kmsg", 0},
	{offsetof(struct rk_host, boot), "/boot", 0},
	{offsetof(struct rk_host, roots.sys), "/sys", 0},
	{offsetof(struct rk_host, roots.proc), "/proc", 0},
	{offsetof(struct rk_host, roots.modules), "/lib/modules", 0},
	{offsetof(struct rk_host, roots.store), "/var/lib/kpatch", 0},
	{offsetof(struct rk_host, roots.run), "/run/kpatch", 0},
};

static const char **path_at(struct rk_host *host, size_t i)
{
	return (const char **)((char *)host + paths[i].offset);
}

struct rk_err *rk_host_create(const char *root, struct rk_host **ret)
{
	_cleanup_host_ struct rk_host *host = calloc(1, sizeof(*host));

	if (!host)
		return rk_err_nomem();
	host->root = rk_arena_strdup(&host->arena, root);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		*path_at(host, i) = rk_arena_printf(&host->arena, "%s%s", root, paths[i].path);
		if (!*path_at(host, i))
			return rk_err_nomem();
	}
	if (!host->root)
		return rk_err_nomem();
	host->owner = *root ? geteuid() : 0;
	*ret = take_ptr(host);
	return NULL;
}

void rk_host_free(struct rk_host *host)
{
	if (host)
		rk_arena_deinit(&host->arena);
	free(host);
}

struct rk_err *rk_host_check_owner(const struct rk_host *host, const char *path)
{
	struct stat st;

	if (lstat(path, &st))
		return rk_err_sys(errno, "cannot read '%s'", path);
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return rk_err(RK_ERR_STATE, "'%s' is neither a file nor a directory", path);
	if (st.st_uid != host->owner)
		return rk_err(RK_ERR_STATE, "'%s' belongs to user %u, not %u: it isn't believed",
			      path, st.st_uid, host->owner);
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return rk_err(RK_ERR_STATE,
			      "'%s' can be written by others (mode %o): it isn't believed", path,
			      st.st_mode & 07777);
	return NULL;
}

struct rk_err *rk_host_prepare(const struct rk_host *host)
{
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		const char *path = *(const char *const *)((const char *)host + paths[i].offset);

		if (!paths[i].mode)
			continue;
		/* parents that a test's root lacks, and on a host nothing but the directory itself */
		RK_TRY(rk_fs_mkdir_p(path, paths[i].mode));
		RK_TRY(rk_host_check_owner(host, path));
	}
	return NULL;
}

struct rk_err *rk_host_lock(const struct rk_host *host, bool nowait, int *ret_fd)
{
	int fd = -1;

	RK_TRY(rk_fs_lock(host->lock_file, RK_LOCK_EXCLUSIVE, nowait, &fd));
	if (fd < 0)
		return rk_err(RK_ERR_VERDICT,
			      "another readykernel is changing this host; try again");
	*ret_fd = fd;
	return NULL;
}

struct rk_err *rk_host_set_aside(const struct rk_host *host, const char *path)
{
	_cleanup_free_ char *aside = rk_asprintf("%s.damaged", path);

	if (!aside)
		return rk_err_nomem();
	if (!rename(path, aside))
		return rk_fs_sync_dir(host->state_dir);
	return errno == ENOENT ? NULL : rk_err_sys(errno, "cannot rename '%s'", path);
}

int64_t rk_host_time(const struct rk_host *host)
{
	return host->time ? host->time(host->time_ctx) : (int64_t)time(NULL);
}
