/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Identity of the running kernel and boot, and what its command line and administrator forbid. */
#include "lib/host/kernel.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/livepatch/cmdline.h"

#define CMDLINE_MAX (64u << 10)
#define STAT_MAX    (4u << 20) /* /proc/stat of a host with thousands of interrupts */
#define BOOT_ID_LEN 36

const char *rk_switch_name(enum rk_switch s)
{
	static const char *const names[] = {
		[RK_SWITCH_ON] = "on",		 [RK_SWITCH_NO_KPATCH] = "kpatch.enable=0",
		[RK_SWITCH_NO_LOAD] = "no-load", [RK_SWITCH_DISABLED] = "disabled",
		[RK_SWITCH_OFF] = "off",
	};

	return names[s];
}

enum rk_switch rk_switch_from_cmdline(const char *cmdline)
{
	enum rk_switch kpatch = rk_livepatch_is_off(cmdline) ? RK_SWITCH_NO_KPATCH : RK_SWITCH_ON;
	enum rk_switch ours = RK_SWITCH_ON;
	size_t len;

	for (const char *word; (word = rk_cmdline_word(&cmdline, &len));) {
		if (rk_cmdline_is(word, len, "readykernel=off"))
			ours = RK_SWITCH_OFF;
		else if (rk_cmdline_is(word, len, "readykernel=no-load"))
			ours = RK_SWITCH_NO_LOAD;
		else if (rk_cmdline_is(word, len, "readykernel=on"))
			ours = RK_SWITCH_ON;
	}
	return ours > kpatch ? ours : kpatch;
}

struct rk_err *rk_switch_read(const char *proc, const char *disable_file, enum rk_switch *ret)
{
	_cleanup_free_ char *path = rk_path_join(proc, "cmdline");
	_cleanup_free_ char *cmdline = NULL;
	struct stat st;

	if (!path)
		return rk_err_nomem();
	RK_TRY(rk_fs_read(path, CMDLINE_MAX, &cmdline, NULL));
	*ret = rk_switch_from_cmdline(cmdline);
	/* whatever it is, also a link that leads nowhere: it was put there to stop us */
	if (*ret < RK_SWITCH_DISABLED && (!lstat(disable_file, &st) || errno != ENOENT))
		*ret = errno == ENOTDIR ? *ret : RK_SWITCH_DISABLED;
	return NULL;
}

static struct rk_err *read_boot_id(const char *proc, struct rk_arena *arena, const char **ret)
{
	_cleanup_free_ char *path = rk_path_join(proc, "sys/kernel/random/boot_id");
	_cleanup_free_ char *text = NULL;

	if (!path)
		return rk_err_nomem();
	RK_TRY(rk_fs_read(path, CMDLINE_MAX, &text, NULL));
	if (strcspn(text, "\n") != BOOT_ID_LEN)
		return rk_err(RK_ERR_FORMAT, "'%s' holds no boot id", path);
	*ret = rk_arena_strndup(arena, text, BOOT_ID_LEN);
	return *ret ? NULL : rk_err_nomem();
}

static struct rk_err *read_booted(const char *proc, int64_t *ret)
{
	_cleanup_free_ char *path = rk_path_join(proc, "stat");
	_cleanup_free_ char *text = NULL;
	const char *line;

	if (!path)
		return rk_err_nomem();
	RK_TRY(rk_fs_read(path, STAT_MAX, &text, NULL));
	line = strstr(text, "\nbtime ");
	/* a container that shows a /proc/stat of its own: whoever only unloads need not know it */
	*ret = line ? strtoll(line + strlen("\nbtime "), NULL, 10) : 0;
	return NULL;
}

struct rk_err *rk_boot_read(const char *proc, struct rk_arena *arena, const char **ret_boot_id,
			    int64_t *ret_booted)
{
	RK_TRY(read_boot_id(proc, arena, ret_boot_id));
	return read_booted(proc, ret_booted);
}

/* A kernel without build-id is one thing, a container or a rescue shell without /sys another. */
static struct rk_err *check_sysfs(const struct rk_host *host)
{
	_cleanup_free_ char *path = rk_path_join(host->sys, "kernel");

	if (!path)
		return rk_err_nomem();
	if (rk_fs_exists(path))
		return NULL;
	return rk_err(RK_ERR_NO_SYSFS,
		      "there is no '%s': the kernel can't be asked; mount sysfs on '%s'", path,
		      host->sys);
}

struct rk_err *rk_host_kernel_read(const struct rk_host *host, struct rk_host_kernel **ret)
{
	_cleanup_host_kernel_ struct rk_host_kernel *kernel = calloc(1, sizeof(*kernel));

	if (!kernel)
		return rk_err_nomem();
	RK_TRY(check_sysfs(host));
	RK_TRY(rk_running_read(&host->roots, &kernel->running));
	if (!kernel->running.build_id)
		return rk_err(RK_ERR_UNSUPPORTED,
			      "this kernel shows no build-id in '%s/kernel/notes'", host->sys);
	RK_TRY(rk_boot_read(host->proc, &kernel->arena, &kernel->boot_id, &kernel->booted));
	RK_TRY(rk_switch_read(host->proc, host->disable_file, &kernel->switched));
	*ret = take_ptr(kernel);
	return NULL;
}

void rk_host_kernel_free(struct rk_host_kernel *kernel)
{
	if (!kernel)
		return;
	rk_running_deinit(&kernel->running);
	rk_arena_deinit(&kernel->arena);
	free(kernel);
}

struct rk_err *rk_host_may_load(const struct rk_host *host, bool at_boot)
{
	enum rk_switch switched;

	RK_TRY(rk_switch_read(host->proc, host->disable_file, &switched));
	switch (switched) {
	case RK_SWITCH_OFF:
	case RK_SWITCH_NO_LOAD:
		return rk_err(RK_ERR_VERDICT,
			      "nothing is loaded: the kernel was started with 'readykernel=%s'; "
			      "start it without",
			      rk_switch_name(switched));
	case RK_SWITCH_DISABLED:
		return rk_err(RK_ERR_VERDICT, "nothing is loaded: '%s' is there; remove it",
			      host->disable_file);
	case RK_SWITCH_NO_KPATCH:
		if (at_boot)
			return rk_err(RK_ERR_VERDICT,
				      "nothing is loaded at boot: the kernel was started with "
				      "'kpatch.enable=0'");
		return NULL;
	default: return NULL;
	}
}
