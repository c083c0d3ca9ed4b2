/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a test does, as data: the list of steps, and the initramfs with all they need. The order is one table per
 * part (before, with the patch, without it, again); later, several modules' parts can follow one another in one list.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/process.h"
#include "lib/elf/elf.h"
#include "lib/vm/initramfs.h"
#include "lib/vm/stock.h"
#include "lib/vm/test_internal.h"

#define INSMOD_LIMIT_S	30
#define CHECK_LIMIT_S	120
#define GUEST_BEFORE	"/scripts/before"
#define GUEST_AFTER	"/scripts/after"
#define LIST_TIMEOUT_MS 10000

static const char *const busybox_paths[] = {"/bin/busybox", "/usr/bin/busybox"};

struct plan {
	struct rk_vm_test *test;
	struct rk_initramfs *fs;
	struct rk_stock *stock; /* NULL without modules_dir */
	const char *patch;	/* the patch module's path in the guest */
};

static struct rk_err *add_step(struct plan *plan, enum rk_vm_verb verb, const char *title,
			       const char *path, const char *arg, bool optional)
{
	static const unsigned int limits[RK_VM_VERBS] = {
		[RK_VM_INSMOD] = INSMOD_LIMIT_S, [RK_VM_CHECK] = CHECK_LIMIT_S};
	struct rk_vm_step step = {
		.verb = verb,
		.limit_s = limits[verb] ? limits[verb] : plan->test->spec->transition_s,
		.optional = optional,
		.title = title,
		.path = path,
		.arg = arg,
	};

	return rk_vec_push(&plan->test->steps.list, step) ? NULL : rk_err_nomem();
}

/* --- stock modules --- */

/* The build-id that the patch was made for must be that of the stock module of that name. */
static struct rk_err *check_build_id(const struct plan *plan, const struct rk_stock_module *module)
{
	const struct rk_manifest *manifest = plan->test->info->manifest;
	_cleanup_elf_ struct rk_elf *elf = NULL;
	const char *build_id = NULL;

	if (!manifest)
		return NULL;
	rk_vec_for_each(&manifest->objects, object) {
		if (!object->build_id || !rk_streq(object->name, module->name))
			continue;
		RK_TRY(rk_elf_open(module->path, RK_ELF_LOAD_NO_RELOCS, &elf));
		RK_TRY(rk_elf_build_id(elf, &build_id));
		if (!build_id || !rk_streq(build_id, object->build_id))
			return rk_err(RK_ERR_MISMATCH,
				      "'%s' has build-id %s, the patch was made for %s",
				      module->path, build_id ? build_id : "(none)",
				      object->build_id);
		return NULL;
	}
	return NULL;
}

static struct rk_err *add_module_file(struct plan *plan, const struct rk_stock_module *module,
				      bool optional)
{
	struct rk_arena *arena = &plan->test->arena;
	const char *path = rk_arena_printf(arena, "/modules/%s.ko", module->name);
	const char *title = rk_arena_printf(arena, "module %s", module->name);
	const char *name = rk_arena_strdup(arena, module->name);

	if (!path || !title || !name)
		return rk_err_nomem();
	RK_TRY(check_build_id(plan, module));
	RK_TRY(rk_initramfs_add_file(plan->fs, path, 0644, module->path));
	return add_step(plan, RK_VM_INSMOD, title, path, name, optional);
}

static struct rk_err *add_stock(struct plan *plan, const char *name, bool optional)
{
	struct rk_stock_order order = {};
	struct rk_err *err;

	if (!plan->stock)
		return rk_err(RK_ERR_INVALID,
			      "module '%s' is to be loaded, but no directory of modules is given",
			      name);
	err = rk_stock_add(plan->stock, name, &order);
	for (size_t i = 0; !err && i < order.list.nr; i++)
		err = add_module_file(plan, &order.list.v[i], optional);
	rk_vec_deinit(&order.list);
	return err;
}

static bool is_same_module(const char *a, const char *b)
{
	for (; *a && *b; a++, b++)
		if ((*a == '-' ? '_' : *a) != (*b == '-' ? '_' : *b))
			return false;
	return *a == *b;
}

static bool is_listed(const char *const *names, size_t nr, const char *name)
{
	for (size_t i = 0; i < nr; i++)
		if (is_same_module(names[i], name))
			return true;
	return false;
}

/* What the patch module links against must be there before it. */
static struct rk_err *add_depends(struct plan *plan)
{
	const char *list = plan->test->info->depends;

	while (list && *list) {
		size_t len = strcspn(list, ",");
		const char *name = rk_arena_strndup(&plan->test->arena, list, len);

		if (!name)
			return rk_err_nomem();
		if (len)
			RK_TRY(add_stock(plan, name, false));
		list += len + (list[len] == ',');
	}
	return NULL;
}

/* The modules that are patched, unless they are to come later; one whose hardware isn't there can't be loaded. */
static struct rk_err *add_patched(struct plan *plan)
{
	const struct rk_vm_test_spec *spec = plan->test->spec;
	const struct rk_manifest *manifest = plan->test->info->manifest;

	if (!manifest)
		return NULL;
	rk_vec_for_each(&manifest->objects, object) {
		if (rk_streq(object->name, "vmlinux") ||
		    is_listed(spec->load, spec->nr_load, object->name) ||
		    is_listed(spec->load_after, spec->nr_load_after, object->name))
			continue;
		RK_TRY(add_stock(plan, object->name, true));
	}
	return NULL;
}

static struct rk_err *add_modules_before(struct plan *plan)
{
	const struct rk_vm_test_spec *spec = plan->test->spec;

	for (size_t i = 0; i < spec->nr_load; i++)
		RK_TRY(add_stock(plan, spec->load[i], false));
	RK_TRY(add_depends(plan));
	return add_patched(plan);
}

static struct rk_err *add_modules_after(struct plan *plan)
{
	const struct rk_vm_test_spec *spec = plan->test->spec;

	for (size_t i = 0; i < spec->nr_load_after; i++)
		RK_TRY(add_stock(plan, spec->load_after[i], false));
	return NULL;
}

/* --- steps --- */

static struct rk_err *add_check(struct plan *plan, const char *phase)
{
	bool patched = rk_streq(phase, "after") || rk_streq(phase, "reloaded");
	const char *title = rk_arena_printf(&plan->test->arena, "check %s", phase);

	if (!title)
		return rk_err_nomem();
	if (!(patched ? plan->test->spec->after : plan->test->spec->before))
		return NULL;
	return add_step(plan, RK_VM_CHECK, title, patched ? GUEST_AFTER : GUEST_BEFORE, phase,
			false);
}

static struct rk_err *add_load(struct plan *plan, const char *title)
{
	return add_step(plan, RK_VM_LOAD, title, plan->patch, plan->test->info->name, false);
}

static struct rk_err *add_unload(struct plan *plan, const char *title)
{
	return add_step(plan, RK_VM_UNLOAD, title, "", plan->test->info->name, false);
}

static struct rk_err *add_steps(struct plan *plan)
{
	RK_TRY(add_modules_before(plan));
	/* what a module that comes later does can't be seen yet */
	if (!plan->test->spec->nr_load_after)
		RK_TRY(add_check(plan, "before"));
	RK_TRY(add_load(plan, "load"));
	RK_TRY(add_modules_after(plan));
	RK_TRY(add_check(plan, "after"));
	RK_TRY(add_unload(plan, "unload"));
	RK_TRY(add_check(plan, "unloaded"));
	if (plan->test->spec->no_reload)
		return NULL;
	RK_TRY(add_load(plan, "reload"));
	RK_TRY(add_check(plan, "reloaded"));
	return add_unload(plan, "unload again");
}

/* --- what is in the guest --- */

/* A link for every applet, so that scripts find "grep" and "/bin/sh". */
static struct rk_err *add_applets(struct plan *plan, const char *busybox)
{
	const char *argv[] = {busybox, "--list", NULL};
	struct rk_process_spec spec = {.argv = argv, .timeout_ms = LIST_TIMEOUT_MS};
	_cleanup_process_result_ struct rk_process_result result = {};

	RK_TRY(rk_process_check(&spec, &result));
	for (const char *line = rk_str_get(&result.output); *line;) {
		size_t len = strcspn(line, "\n");
		_cleanup_free_ char *path = rk_asprintf("/bin/%.*s", (int)len, line);

		if (!path)
			return rk_err_nomem();
		if (len && !rk_streq(path, "/bin/busybox"))
			RK_TRY(rk_initramfs_add_link(plan->fs, path, "busybox"));
		line += len + (line[len] == '\n');
	}
	return NULL;
}

static struct rk_err *add_shell(struct plan *plan)
{
	static const char *const links[] = {"/sbin", "/usr/bin", "/usr/sbin"};

	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		RK_TRY(rk_initramfs_add_link(plan->fs, links[i], "/bin"));
	for (size_t i = 0; i < ARRAY_SIZE(busybox_paths); i++) {
		if (!rk_fs_exists(busybox_paths[i]))
			continue;
		RK_TRY(rk_initramfs_add_program(plan->fs, "/bin/busybox", busybox_paths[i]));
		return add_applets(plan, busybox_paths[i]);
	}
	return rk_err(RK_ERR_NOT_FOUND,
		      "'busybox' is not installed; run 'apt install busybox-static'");
}

static struct rk_err *add_files(struct plan *plan)
{
	const struct rk_vm_test_spec *spec = plan->test->spec;

	RK_TRY(rk_initramfs_add_dir(plan->fs, RK_VM_FILES_DIR));
	RK_TRY(rk_initramfs_add_bytes(plan->fs, "/init", 0755, spec->init, spec->init_size));
	RK_TRY(add_shell(plan));
	RK_TRY(rk_initramfs_add_file(plan->fs, plan->patch, 0644, spec->module));
	if (spec->before)
		RK_TRY(rk_initramfs_add_program(plan->fs, GUEST_BEFORE, spec->before));
	if (spec->after)
		RK_TRY(rk_initramfs_add_program(plan->fs, GUEST_AFTER, spec->after));
	for (size_t i = 0; i < spec->nr_files; i++)
		RK_TRY(rk_initramfs_add_program(plan->fs, spec->files[i].guest,
						spec->files[i].host));
	return NULL;
}

static struct rk_err *fill(struct plan *plan)
{
	_cleanup_str_ struct rk_str steps = RK_STR_INIT;

	RK_TRY(add_files(plan));
	RK_TRY(add_steps(plan));
	RK_TRY(rk_vm_steps_format(&plan->test->steps, &steps));
	return rk_initramfs_add_bytes(plan->fs, RK_VM_STEPS_PATH, 0644, rk_str_get(&steps),
				      steps.len);
}

struct rk_err *rk_vm_test_plan(struct rk_vm_test *test, const char *path)
{
	struct plan plan = {.test = test};
	struct rk_err *err;

	plan.patch = rk_arena_printf(&test->arena, "/patch/%s.ko", test->info->name);
	if (!plan.patch)
		return rk_err_nomem();
	if (test->spec->modules_dir)
		RK_TRY(rk_stock_open(test->spec->modules_dir, &plan.stock));
	err = rk_initramfs_create(path, &plan.fs);
	if (!err)
		err = fill(&plan);
	rk_stock_close(plan.stock);
	if (!err)
		return rk_initramfs_finish(plan.fs);
	rk_initramfs_abandon(plan.fs);
	return err;
}
