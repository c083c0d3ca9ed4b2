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

#include "lib/base/fs.h"
#include "lib/livepatch/livepatch.h"
#include "tools/kpatch-test/guest/guest.h"

#define REFERENCE_LIMIT_MS \
	15000 /* from the end of a transition until nobody refers to the module */
#define LOAD_TRIES	5
#define FUNCTIONS_MAX	(4u << 20)
#define NAMED_TASKS_MAX 5

static void on_phase(void *ctx, const char *phase, const char *text)
{
	guest_say(STDOUT_FILENO, "note", text, NULL);
}

static const struct rk_reporter reporter = {.phase = on_phase};

/* True when a module of that name is there, or part of the kernel. */
static bool is_module_present(const char *name)
{
	_cleanup_free_ char *path = rk_asprintf("/sys/module/%s", name);

	return path && rk_fs_exists(path);
}

static struct rk_err *do_insmod(const struct rk_vm_step *step)
{
	/* modules of two tests may have a dependency in common */
	if (is_module_present(step->arg))
		return NULL;
	_cleanup_close_ int fd = open(step->path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return rk_err_sys(errno, "cannot open '%s'", step->path);
	/* the kernel asked for it itself meanwhile */
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
		_cleanup_free_ char *pid = rk_asprintf("%d", it->tid);

		if (!pid)
			return rk_err_nomem();
		guest_say(STDOUT_FILENO, "task", pid, it->comm, it->stack, NULL);
		if (named++ < NAMED_TASKS_MAX)
			rk_str_addf(&names, "%s'%s' (%d)", names.len ? ", " : "", it->comm,
				    it->tid);
	}
	if (named > NAMED_TASKS_MAX)
		rk_str_addf(&names, " and %zu more", named - NAMED_TASKS_MAX);
	if (!named)
		return rk_err(
			RK_ERR_TIMEOUT,
			"the transition did not end within %u s though every task has changed over",
			step->limit_s + step->work_s);
	return rk_err(RK_ERR_TIMEOUT, "the transition did not end within %u s: %s %s code",
		      step->limit_s, rk_str_get(&names),
		      enabling ? "still runs the old" : "still runs the new");
}

static struct rk_err *wait_for(const struct rk_vm_step *step, bool enabling,
			       enum rk_livepatch_state *ret)
{
	struct rk_livepatch_limits limits = {
		.end_ms = step->limit_s * 1000,
		.finish_ms = step->work_s * 1000,
	};
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

	RK_TRY(rk_livepatch_insert(&rk_livepatch_roots, step->path, LOAD_TRIES, &reporter));
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

static struct rk_err *do_unload_rest(const struct rk_vm_step *step)
{
	enum rk_livepatch_state state;

	RK_TRY(rk_livepatch_state(&rk_livepatch_roots, step->arg, &state));
	return state == RK_LIVEPATCH_ABSENT ? NULL : do_unload(step);
}

/* A patch with atomic replace disables all others; they stay loaded as modules. */
static struct rk_err *do_replaced(const struct rk_vm_step *step)
{
	enum rk_livepatch_state state;

	RK_TRY(wait_for(step, false, &state));
	if (state != RK_LIVEPATCH_ENABLED)
		return rk_livepatch_remove(&rk_livepatch_roots, step->arg, REFERENCE_LIMIT_MS);
	if (step->path[0])
		return rk_err(RK_ERR_VERDICT,
			      "'%s' says that it replaces older patches, but '%s' is still enabled",
			      step->patch, step->arg);
	guest_say(STDOUT_FILENO, "note", "stays loaded below the new one", NULL);
	return NULL;
}

/* --- functions --- */

static const struct rk_livepatch_object *find_object(const struct rk_livepatch *patch,
						     const char *name)
{
	rk_vec_for_each(&patch->objects, object)
		if (rk_streq(object->name, name))
			return object;
	return NULL;
}

static bool has_function(const struct rk_livepatch_object *object, const char *name,
			 const char *sympos)
{
	rk_vec_for_each(&object->funcs, func)
		if (rk_streq(func->name, name) && func->sympos == strtoul(sympos, NULL, 10))
			return true;
	return false;
}

/* One line of the list that the manifest gave. */
static struct rk_err *check_function(const struct rk_livepatch *patch, char *line)
{
	char *fields[RK_VM_FUNCTION_FIELDS];
	const struct rk_livepatch_object *object;

	if (rk_vm_record_split(line, fields, RK_VM_FUNCTION_FIELDS) != RK_VM_FUNCTION_FIELDS)
		return rk_err(RK_ERR_FORMAT, "the list of functions is damaged");
	object = find_object(patch, fields[0]);
	if (!object || !has_function(object, fields[1], fields[2]))
		return rk_err(RK_ERR_VERDICT,
			      "the manifest says that '%s' of '%s' (symbol %s of that name) is "
			      "replaced; the kernel does not know of it",
			      fields[1], fields[0], fields[2]);
	return NULL;
}

static struct rk_err *check_list(const struct rk_livepatch *patch, char *text)
{
	for (char *line = text; *line;) {
		size_t len = strcspn(line, "\n");
		char *next = line + len + (line[len] == '\n');

		line[len] = 0;
		RK_TRY(check_function(patch, line));
		line = next;
	}
	return NULL;
}

/* The kernel calls an object patched when ftrace leads each of its functions to the new code. */
static struct rk_err *check_objects(const struct rk_livepatch *patch)
{
	size_t replaced = 0, waiting = 0;

	rk_vec_for_each(&patch->objects, object) {
		bool is_there =
			rk_streq(object->name, "vmlinux") || is_module_present(object->name);

		if (is_there && !object->patched)
			return rk_err(RK_ERR_VERDICT, "'%s' is there, but it is not patched",
				      object->name);
		*(is_there ? &replaced : &waiting) += object->funcs.nr;
	}
	if (!replaced && !waiting)
		return rk_err(RK_ERR_VERDICT, "the live patch replaces no function");
	_cleanup_free_ char *text =
		rk_asprintf("%zu function%s replaced", replaced, replaced == 1 ? "" : "s");
	_cleanup_free_ char *rest =
		waiting ? rk_asprintf("%s, %zu waiting for a module that isn't loaded", text,
				      waiting)
			: strdup(text ? text : "");
	if (!text || !rest)
		return rk_err_nomem();
	guest_say(STDOUT_FILENO, "note", rest, NULL);
	return NULL;
}

static struct rk_err *do_functions(const struct rk_vm_step *step)
{
	_cleanup_livepatch_list_ struct rk_livepatch_list list = {};
	_cleanup_free_ char *text = NULL;

	RK_TRY(rk_fs_read(step->path, FUNCTIONS_MAX, &text, NULL));
	RK_TRY(rk_livepatch_list(&rk_livepatch_roots, &list));
	rk_vec_for_each(&list.list, patch) {
		if (!rk_streq(patch->name, step->arg))
			continue;
		RK_TRY(check_list(patch, text));
		return check_objects(patch);
	}
	return rk_err(RK_ERR_VERDICT, "there is no live patch '%s'", step->arg);
}

/* Becomes the script; returns only when that fails. */
static struct rk_err *do_check(const struct rk_vm_step *step)
{
	_cleanup_free_ char *phase = rk_asprintf("KPATCH_TEST_PHASE=%s", step->arg);
	_cleanup_free_ char *module = rk_asprintf("KPATCH_TEST_MODULE=%s", step->patch);
	const char *argv[] = {step->path, step->arg, NULL};
	const char *shell[] = {"/bin/sh", step->path, step->arg, NULL};
	const char *env[] = {
		"PATH=/bin:" RK_VM_FILES_DIR, "HOME=/tmp", "TERM=dumb", phase, module, NULL};

	if (!phase || !module)
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
	[RK_VM_FUNCTIONS] = do_functions,
	[RK_VM_REPLACED] = do_replaced,
	[RK_VM_UNLOAD_REST] = do_unload_rest,
};

_Noreturn void guest_do_step(const struct rk_vm_step *step)
{
	struct rk_err *err = verbs[step->verb](step);

	if (!err)
		_exit(0);
	guest_say(STDOUT_FILENO, "detail", rk_err_message(err), NULL);
	_exit(1);
}
