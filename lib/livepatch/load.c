/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Putting a patch module into the kernel and taking it out: finit_module, the enabled file, delete_module. What an
 * errno means for a live patch is said here in words, because the kernel says it only in its log.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/process.h"
#include "lib/base/str.h"
#include "lib/livepatch/internal.h"
#include "lib/livepatch/livepatch.h"

#define BUSY_WAIT_MS 2000
#define POLL_MS	     20

/* What load_module() and klp_enable_patch() of kernel 6.1 mean by an errno. */
static const struct {
	int error;
	const char *meaning;
} refusals[] = {
	{EEXIST, "a module of that name is already loaded"},
	{EBUSY, "another live patch is in transition, or a tracer holds one of its functions"},
	{EINVAL,
	 "its patch data is invalid, or it changes a function this kernel lacks; see dmesg"},
	{ENOENT, "it needs a symbol this kernel lacks; see dmesg"},
	{ENOEXEC, "it was made for another kernel; see dmesg"},
	{EKEYREJECTED, "the kernel takes only modules signed with a key it knows"},
	{EPERM, "it takes root, and module loading that isn't locked"},
	{ENODEV, "its own code refused; see dmesg"},
};

static const char *refusal_meaning(int error)
{
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++)
		if (refusals[i].error == error)
			return refusals[i].meaning;
	return NULL;
}

static struct rk_err *refusal(const char *path, int error)
{
	const char *meaning = refusal_meaning(error);

	return rk_err_sys(error, "the kernel refused '%s'%s%s%s", path, meaning ? " (" : "",
			  meaning ? meaning : "", meaning ? ")" : "");
}

static int kernel_insert(void *ctx, int fd, const char *path)
{
	(void)ctx;
	(void)path;
	return syscall(SYS_finit_module, fd, "", 0) ? errno : 0;
}

static int kernel_remove(void *ctx, const char *name)
{
	(void)ctx;
	/* O_NONBLOCK: a module in use is refused, never marked as going */
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? errno : 0;
}

static const struct rk_livepatch_calls kernel_calls = {kernel_insert, kernel_remove, NULL};

static const struct rk_livepatch_calls *calls_of(const struct rk_livepatch_roots *roots)
{
	return roots->calls ? roots->calls : &kernel_calls;
}

struct rk_err *rk_livepatch_insert(const struct rk_livepatch_roots *roots, const char *path,
				   unsigned int tries, const struct rk_reporter *reporter)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return rk_err_sys(errno, "cannot open '%s'", path);
	return rk_livepatch_insert_fd(roots, fd, path, tries, false, reporter);
}

struct rk_err *rk_livepatch_insert_fd(const struct rk_livepatch_roots *roots, int fd,
				      const char *path, unsigned int tries, bool goes_on,
				      const struct rk_reporter *reporter)
{
	const struct rk_livepatch_calls *calls = calls_of(roots);

	for (unsigned int try = 1;; try++) {
		int error = calls->insert(calls->ctx, fd, path);

		if (!error)
			return NULL;
		if (error != EBUSY || try >= tries)
			return refusal(path, error);
		if (!goes_on && rk_is_interrupted())
			return rk_err(RK_ERR_INTERRUPTED,
				      "interrupted while another transition was running");
		rk_report_phase(reporter, "busy",
				"another transition is running; trying again in %u s (%u of %u)",
				BUSY_WAIT_MS / 1000, try, tries - 1);
		rk_livepatch_sleep_ms(BUSY_WAIT_MS);
	}
}

/* Writes value to a patch's file; *ret_found false: there is no such file, or no such patch. */
static struct rk_err *write_attr(const struct rk_livepatch_roots *roots, const char *name,
				 const char *attr, const char *value, const char *doing,
				 bool *ret_found)
{
	_cleanup_free_ char *path =
		rk_asprintf("%s/kernel/livepatch/%s/%s", roots->sys, name, attr);

	if (!path)
		return rk_err_nomem();
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
	*ret_found = fd >= 0 || errno != ENOENT;
	if (!*ret_found)
		return NULL;
	if (fd < 0)
		return rk_err_sys(errno, "cannot open '%s'", path);
	if (write(fd, value, strlen(value)) == (ssize_t)strlen(value))
		return NULL;
	if (errno == EBUSY)
		return rk_err_sys(errno, "cannot %s '%s': another live patch is in transition",
				  doing, name);
	return rk_err_sys(errno, "cannot %s '%s'", doing, name);
}

static struct rk_err *no_such_patch(const char *name)
{
	return rk_err(RK_ERR_NOT_FOUND, "the kernel has no live patch '%s'", name);
}

struct rk_err *rk_livepatch_set_enabled(const struct rk_livepatch_roots *roots, const char *name,
					bool enabled)
{
	bool found;

	RK_TRY(write_attr(roots, name, "enabled", enabled ? "1" : "0",
			  enabled ? "enable" : "disable", &found));
	return found ? NULL : no_such_patch(name);
}

struct rk_err *rk_livepatch_signal(const struct rk_livepatch_roots *roots, const char *name,
				   bool *ret_by_kernel)
{
	enum rk_livepatch_state state;
	bool found;

	RK_TRY(rk_livepatch_state(roots, name, &state));
	if (state == RK_LIVEPATCH_ABSENT || state == RK_LIVEPATCH_DISABLED)
		return no_such_patch(name);
	RK_TRY(write_attr(roots, name, "signal", "1", "signal the tasks that hold up", &found));
	*ret_by_kernel = !found;
	return NULL;
}

struct rk_err *rk_livepatch_force(const struct rk_livepatch_roots *roots, const char *name)
{
	bool found;

	RK_TRY(write_attr(roots, name, "force", "1", "force", &found));
	return found ? NULL : no_such_patch(name);
}

struct rk_err *rk_livepatch_remove(const struct rk_livepatch_roots *roots, const char *name,
				   unsigned int limit_ms)
{
	const struct rk_livepatch_calls *calls = calls_of(roots);
	unsigned long start = rk_livepatch_now_ms();
	enum rk_livepatch_state state;

	RK_TRY(rk_livepatch_state(roots, name, &state));
	if (state == RK_LIVEPATCH_ABSENT)
		return NULL;
	for (;;) {
		int error = calls->remove(calls->ctx, name);

		if (!error || error == ENOENT)
			return NULL;
		if (error != EWOULDBLOCK && error != EBUSY)
			return rk_err_sys(error, "cannot remove module '%s'", name);
		if (rk_livepatch_now_ms() - start >= limit_ms)
			return rk_err(RK_ERR_TIMEOUT, "module '%s' is still in use after %.1f s",
				      name, (double)limit_ms / 1000);
		rk_livepatch_sleep_ms(POLL_MS);
	}
}
