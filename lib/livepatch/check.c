/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Is this module for the kernel that runs, and will it take it? The kernel itself compares vermagic and symbol versions; two builds of one
 * release pass that, so version and build-id are compared with the manifest's.
 */
#include <stdarg.h>
#include <stdio.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/livepatch/check_internal.h"
#include "lib/livepatch/internal.h"

#define POLICY_MAX 4096

static const char *const result_names[RK_CHECK_RESULTS] = {
	[RK_CHECK_OK] = "ok",
	[RK_CHECK_UNKNOWN] = "unknown",
	[RK_CHECK_WARNING] = "warning",
	[RK_CHECK_ERROR] = "error",
};

const char *rk_check_result_name(enum rk_check_result result)
{
	return result < RK_CHECK_RESULTS ? result_names[result] : "unknown";
}

void rk_checks_deinit(struct rk_checks *checks)
{
	rk_vec_deinit(&checks->list);
	rk_arena_deinit(&checks->arena);
}

struct rk_err *rk_checks_error(const struct rk_checks *checks)
{
	rk_vec_for_each(&checks->list, it)
		if (it->result == RK_CHECK_ERROR)
			return rk_err(it->code, "%s", it->text);
	return NULL;
}

struct rk_err *rk_check_add(const struct rk_checking *c, const char *name,
			    enum rk_check_result result, const char *fmt, ...)
{
	struct rk_check check = {.name = name, .result = result, .code = RK_ERR_MISMATCH};
	va_list ap;

	va_start(ap, fmt);
	check.text = rk_arena_vprintf(&c->checks->arena, fmt, ap);
	va_end(ap);
	check.detail = "";
	if (!check.text || !rk_vec_push(&c->checks->list, check))
		return rk_err_nomem();
	return NULL;
}

struct rk_err *rk_check_add_error(const struct rk_checking *c, const char *name, struct rk_err *err)
{
	_cleanup_err_ struct rk_err *mine = err;

	if (!mine)
		return NULL;
	RK_TRY(rk_check_add(c, name, RK_CHECK_ERROR, "%s", rk_err_message(mine)));
	c->checks->list.v[c->checks->list.nr - 1].code = rk_err_code(mine);
	return NULL;
}

static struct rk_err *check_module(const struct rk_checking *c)
{
	if (!c->info->is_livepatch)
		return rk_check_add_error(
			c, "module",
			rk_err(RK_ERR_UNSUPPORTED,
			       "'%s' is no live patch module (its .modinfo has no 'livepatch=Y')",
			       c->path));
	if (!c->info->manifest)
		return rk_check_add(c, "module", RK_CHECK_UNKNOWN,
				    "'%s' has no manifest: what it replaces isn't known",
				    c->info->name);
	return rk_check_add(c, "module", RK_CHECK_OK, "level %llu, %zu fixes, %zu functions",
			    (unsigned long long)c->info->manifest->level,
			    c->info->manifest->fixes.nr, c->info->manifest->funcs.nr);
}

static struct rk_err *mismatch(const char *path, const char *what, const char *made_for,
			       const char *runs)
{
	return rk_err(RK_ERR_MISMATCH,
		      "'%s' was made for another kernel: %s is '%s', this kernel's is '%s'", path,
		      what, made_for, runs);
}

/* A kernel that shows no notes can't be compared further. */
static struct rk_err *compare_kernel(const struct rk_checking *c)
{
	const struct rk_manifest *m = c->info->manifest;
	const struct rk_running *running = c->running;
	size_t len = strcspn(c->info->vermagic, " ");

	if (strlen(running->release) != len ||
	    strncmp(running->release, c->info->vermagic, len) != 0)
		return rk_err(RK_ERR_MISMATCH, "'%s' was made for kernel %.*s, this is %s", c->path,
			      (int)len, c->info->vermagic, running->release);
	if (m && m->release && !rk_streq(m->release, running->release))
		return mismatch(c->path, "its release", m->release, running->release);
	if (m && m->version && !rk_streq(m->version, running->version))
		return mismatch(c->path, "its version", m->version, running->version);
	if (m && m->build_id && running->build_id && !rk_streq(m->build_id, running->build_id))
		return mismatch(c->path, "its build-id", m->build_id, running->build_id);
	return NULL;
}

static struct rk_err *check_kernel(const struct rk_checking *c)
{
	const struct rk_manifest *m = c->info->manifest;
	struct rk_err *err = compare_kernel(c);

	if (err)
		return rk_check_add_error(c, "kernel", err);
	if (!m || !m->build_id || !c->running->build_id)
		return rk_check_add(c, "kernel", RK_CHECK_UNKNOWN,
				    "%s; the build-id can't be compared: %s has none",
				    c->running->release,
				    c->running->build_id ? "the module's manifest" : "this kernel");
	return rk_check_add(c, "kernel", RK_CHECK_OK, "%s, build-id %.12s", c->running->release,
			    c->running->build_id);
}

/* NULL: not known. where: "the one that is loaded". */
static struct rk_err *check_same(const char *path, const char *module, const char *what,
				 const char *made_for, const char *where, const char *found)
{
	if (!made_for || !found || rk_streq(made_for, found))
		return NULL;
	return rk_err(RK_ERR_MISMATCH,
		      "'%s' patches module '%s' with %s %s, %s has %s: it is not the "
		      "kernel's own (see 'modinfo -n %s')",
		      path, module, what, made_for, where, found, module);
}

static struct rk_err *check_identity(const struct rk_checking *c,
				     const struct rk_manifest_object *object, const char *where,
				     const struct rk_running_module *found)
{
	RK_TRY(check_same(c->path, object->name, "build-id", object->build_id, where,
			  found->build_id));
	return check_same(c->path, object->name, "srcversion", object->srcversion, where,
			  found->srcversion);
}

/* A patched module is known to the kernel by its name only: one of that name from elsewhere would be patched blindly, now or when
 * it is loaded. */
static struct rk_err *compare_object(const struct rk_checking *c,
				     const struct rk_manifest_object *object)
{
	_cleanup_arena_ struct rk_arena arena = RK_ARENA_INIT;
	struct rk_running_module loaded = {};
	struct rk_stock_module stock = {};
	_cleanup_free_ char *where = NULL;

	RK_TRY(rk_running_module(c->roots, object->name, &arena, &loaded));
	if (loaded.build_id || loaded.srcversion)
		return check_identity(c, object, "the one that is loaded", &loaded);
	RK_TRY(rk_stock_module(c->roots, c->running->release, object->name, &arena, &stock));
	if (!stock.path)
		return NULL;
	where = rk_asprintf("'%s', which would be loaded,", stock.path);
	return where ? check_identity(c, object, where, &stock.id) : rk_err_nomem();
}

static struct rk_err *check_objects(const struct rk_checking *c)
{
	size_t modules = 0, before = c->checks->list.nr;

	if (!c->info->manifest)
		return NULL;
	rk_vec_for_each(&c->info->manifest->objects, object) {
		if (rk_streq(object->name, "vmlinux"))
			continue;
		modules++;
		RK_TRY(rk_check_add_error(c, "objects", compare_object(c, object)));
	}
	if (c->checks->list.nr > before)
		return NULL;
	return rk_check_add(c, "objects", RK_CHECK_OK,
			    modules ? "%zu patched modules are the kernel's own"
				    : "no module is patched",
			    modules);
}

/* The first word of a file, or in "none [integrity] x" the one in brackets; "" when the file is absent. */
static struct rk_err *read_policy(const char *root, const char *name, struct rk_str *ret)
{
	_cleanup_free_ char *path = rk_path_join(root, name);
	_cleanup_str_ struct rk_str text = RK_STR_INIT;
	const char *start;
	bool found;

	if (!path)
		return rk_err_nomem();
	RK_TRY(rk_livepatch_read_small(path, POLICY_MAX, &text, &found));
	rk_str_clear(ret);
	if (!found)
		return NULL;
	start = strchr(rk_str_get(&text), '[');
	start = start ? start + 1 : rk_str_get(&text);
	rk_str_add_bytes(ret, start, strcspn(start, "] \n"));
	return rk_str_check(ret);
}

static struct rk_err *check_signature(const struct rk_checking *c)
{
	_cleanup_str_ struct rk_str lockdown = RK_STR_INIT;
	_cleanup_str_ struct rk_str enforce = RK_STR_INIT;
	const char *why = NULL;

	RK_TRY(read_policy(c->roots->sys, "kernel/security/lockdown", &lockdown));
	RK_TRY(read_policy(c->roots->sys, "module/module/parameters/sig_enforce", &enforce));
	if (lockdown.len && !rk_streq(rk_str_get(&lockdown), "none"))
		why = "the kernel is locked down";
	else if (rk_streq(rk_str_get(&enforce), "Y"))
		why = "the kernel runs with module.sig_enforce";
	if (!why)
		return rk_check_add(c, "signature", RK_CHECK_OK, "%s, and the kernel demands none",
				    c->info->is_signed ? "signed" : "not signed");
	if (c->info->is_signed)
		return rk_check_add(c, "signature", RK_CHECK_OK,
				    "signed, as %s; the kernel looks for the key when it loads",
				    why);
	return rk_check_add(c, "signature", RK_CHECK_ERROR,
			    "'%s' is not signed, and %s: sign it with a key the kernel knows "
			    "(mokutil(1) enrols one)",
			    c->path, why);
}

static struct rk_err *check_ftrace(const struct rk_checking *c)
{
	_cleanup_str_ struct rk_str enabled = RK_STR_INIT;

	RK_TRY(read_policy(c->roots->proc, "sys/kernel/ftrace_enabled", &enabled));
	if (!enabled.len)
		return rk_check_add(c, "ftrace", RK_CHECK_UNKNOWN,
				    "this kernel doesn't show whether ftrace is on");
	if (!rk_streq(rk_str_get(&enabled), "1"))
		return rk_check_add(c, "ftrace", RK_CHECK_ERROR,
				    "ftrace is off, which live patches need; run 'sysctl "
				    "kernel.ftrace_enabled=1'");
	return rk_check_add(c, "ftrace", RK_CHECK_OK, "on");
}

static struct rk_err *run_checks(const struct rk_checking *c)
{
	RK_TRY(check_module(c));
	if (!c->info->is_livepatch)
		return NULL;
	RK_TRY(check_kernel(c));
	RK_TRY(check_objects(c));
	RK_TRY(check_signature(c));
	RK_TRY(check_ftrace(c));
	/* what is loaded already has its functions */
	if (c->plan->way == RK_LIVEPATCH_NOTHING)
		return NULL;
	RK_TRY(rk_check_patches(c));
	/* without a manifest they aren't known */
	if (!c->info->manifest)
		return NULL;
	RK_TRY(rk_check_probes(c));
	return rk_check_tasks(c);
}

struct rk_err *rk_livepatch_check(const struct rk_livepatch_roots *roots, const char *path,
				  const struct rk_module_info *info,
				  const struct rk_running *running,
				  const struct rk_livepatch_plan *plan, struct rk_checks *ret)
{
	_cleanup_checks_ struct rk_checks checks = {};
	struct rk_checking c = {roots, path, info, running, plan, &checks};

	RK_TRY(run_checks(&c));
	*ret = checks;
	checks = (struct rk_checks){};
	return NULL;
}
