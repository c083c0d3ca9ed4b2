/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What each verb does. Runs in a process of its own that may hang or be killed; it speaks through its standard
 * output: records for init's own verbs, plain lines for a script.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/livepatch/livepatch.h"
#include "tools/kpatch-test/guest/guest.h"

#define REFERENCE_LIMIT_MS \
	15000 /* from the end of a transition until nobody refers to the module */
#define LOAD_TRIES	5
#define NAMED_TASKS_MAX 5

static void on_phase(void *ctx, const char *phase, const char *text)
{
	guest_say(STDOUT_FILENO, "note", text, NULL);
}

static const struct rk_reporter reporter = {.phase = on_phase};

static struct rk_err *do_insmod(const struct rk_vm_step *step)
{
	_cleanup_close_ int fd = open(step->path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return rk_err_sys(errno, "cannot open '%s'", step->path);
	/* two lists of modules may have a dependency in common */
	if (syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST)
		return rk_err_sys(errno, "cannot load module '%s'", step->arg);
	return NULL;
}

/* Names the tasks that hold up a transition: each as a record with its stack, the first few in the message. */
static struct rk_err *stalled(const struct rk_vm_step *step, bool enabling)
{
	_cleanup_livepatch_blockers_ struct rk_livepatch_blockers blockers = {};
	_cleanup_str_ struct rk_str names = RK_STR_INIT;
	size_t named = 0;

	RK_TRY(rk_livepatch_blockers(&rk_livepatch_roots, enabling, &blockers));
	rk_vec_for_each(&blockers.list, it) {
		_cleanup_free_ char *pid = rk_asprintf("%d", it->pid);

		if (!pid)
			return rk_err_nomem();
		guest_say(STDOUT_FILENO, "task", pid, it->comm, it->stack, NULL);
		if (named++ < NAMED_TASKS_MAX)
			rk_str_addf(&names, "%s'%s' (%d)", names.len ? ", " : "", it->comm,
				    it->pid);
	}
	if (named > NAMED_TASKS_MAX)
		rk_str_addf(&names, " and %zu more", named - NAMED_TASKS_MAX);
	return rk_err(RK_ERR_TIMEOUT, "the transition did not end within %u s: %s %s code",
		      step->limit_s, named ? rk_str_get(&names) : "a task",
		      enabling ? "still runs the old" : "still runs the new");
}

static struct rk_err *wait_for(const struct rk_vm_step *step, bool enabling,
			       enum rk_livepatch_state *ret)
{
	struct rk_livepatch_limits limits = {.end_ms = step->limit_s * 1000};
	struct rk_err *err =
		rk_livepatch_wait(&rk_livepatch_roots, step->arg, &limits, &reporter, ret);

	if (!err || rk_err_code(err) != RK_ERR_TIMEOUT)
		return err;
	rk_err_free(err);
	return stalled(step, enabling);
}

static struct rk_err *do_load(const struct rk_vm_step *step)
{
	enum rk_livepatch_state state;

	RK_TRY(rk_livepatch_insert(step->path, LOAD_TRIES, &reporter));
	RK_TRY(wait_for(step, true, &state));
	if (state != RK_LIVEPATCH_ENABLED)
		return rk_err(RK_ERR_VERDICT,
			      "the module was loaded but no live patch '%s' is enabled: it is %s",
			      step->arg, rk_livepatch_state_name(state));
	return NULL;
}

static struct rk_err *do_unload(const struct rk_vm_step *step)
{
	enum rk_livepatch_state state;

	RK_TRY(rk_livepatch_set_enabled(&rk_livepatch_roots, step->arg, false));
	RK_TRY(wait_for(step, false, &state));
	if (state == RK_LIVEPATCH_ENABLED)
		return rk_err(RK_ERR_VERDICT, "live patch '%s' is still enabled", step->arg);
	return rk_livepatch_remove(&rk_livepatch_roots, step->arg, REFERENCE_LIMIT_MS);
}

/* Becomes the script; returns only when that fails. */
static struct rk_err *do_check(const struct rk_vm_step *step)
{
	_cleanup_free_ char *phase = rk_asprintf("KPATCH_TEST_PHASE=%s", step->arg);
	const char *argv[] = {step->path, step->arg, NULL};
	const char *shell[] = {"/bin/sh", step->path, step->arg, NULL};
	const char *env[] = {"PATH=/bin:" RK_VM_FILES_DIR, "HOME=/tmp", "TERM=dumb", phase, NULL};

	if (!phase)
		return rk_err_nomem();
	if (chdir(RK_VM_FILES_DIR))
		return rk_err_sys(errno, "cannot change to '" RK_VM_FILES_DIR "'");
	execve(step->path, (char *const *)argv, (char *const *)env);
	/* a script without "#!" */
	if (errno == ENOEXEC)
		execve(shell[0], (char *const *)shell, (char *const *)env);
	return rk_err_sys(errno,
			  "cannot run '%s' (the guest has busybox's sh, no other interpreter)",
			  step->path);
}

static struct rk_err *(*const verbs[RK_VM_VERBS])(const struct rk_vm_step *) = {
	[RK_VM_INSMOD] = do_insmod,
	[RK_VM_LOAD] = do_load,
	[RK_VM_CHECK] = do_check,
	[RK_VM_UNLOAD] = do_unload,
};

_Noreturn void guest_do_step(const struct rk_vm_step *step)
{
	struct rk_err *err = verbs[step->verb](step);

	if (!err)
		_exit(0);
	guest_say(STDOUT_FILENO, "detail", rk_err_message(err), NULL);
	_exit(1);
}
