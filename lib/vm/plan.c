/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a test does, as data: the list of its steps, and in the initramfs what they need. Several tests' lists follow one another
 * in one boot: each finds the guest as it was, but for stock modules that stay loaded.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/module_name.h"
#include "lib/elf/elf.h"
#include "lib/vm/test_internal.h"

#define INSMOD_LIMIT_S	  30
#define CHECK_LIMIT_S	  120
#define FUNCTIONS_LIMIT_S 30
#define FUNCTION_MS	  1000 /* measured in a guest with nothing beside it: 150 */

struct plan {
	struct rk_vm_test *test;
	struct rk_initramfs *fs;
	struct rk_stock *stock; /* NULL without modules_dir */
	const char *patch,
		*functions; /* paths in the guest: the patch module, the list of its functions */
};

static struct rk_err *add_step(struct plan *plan, enum rk_vm_verb verb, const char *title,
			       const char *path, const char *arg, bool optional)
{
	static const unsigned int limits[RK_VM_VERBS] = {
		[RK_VM_INSMOD] = INSMOD_LIMIT_S,
		[RK_VM_CHECK] = CHECK_LIMIT_S,
		[RK_VM_FUNCTIONS] = FUNCTIONS_LIMIT_S,
	};
	const struct rk_vm_test_spec *spec = plan->test->spec;
	unsigned int limit = limits[verb] ? limits[verb] : spec->transition_s;

	if (verb == RK_VM_CHECK && spec->check_s)
		limit = spec->check_s;
	struct rk_vm_step step = {
		.verb = verb,
		.limit_s = limit,
		.work_s = limits[verb] ? 0 : rk_vm_test_work_s(plan->test),
		.optional = optional,
		/* in a sequence nothing means anything after a failure */
		.group = plan->test->spec->is_sequence ? 0 : (unsigned int)plan->test->number,
		.title = title,
		.path = path,
		.arg = arg,
		.patch = plan->test->info->name,
	};

	return rk_vec_push(&plan->test->steps.list, step) ? NULL : rk_err_nomem();
}

/* --- stock modules --- */

/* made_for NULL: the manifest doesn't say. */
static struct rk_err *check_same(const char *path, const char *what, const char *made_for,
				 const char *has)
{
	if (!made_for || (has && rk_streq(made_for, has)))
		return NULL;
	return rk_err(RK_ERR_MISMATCH, "'%s' has %s %s, the patch was made for %s", path, what,
		      has ? has : "(none)", made_for);
}

/* The module that the patch was made for, not another build or another module of that name. */
static struct rk_err *check_identity(const struct plan *plan, const struct rk_stock_module *module)
{
	const struct rk_manifest *manifest = plan->test->info->manifest;
	_cleanup_elf_ struct rk_elf *elf = NULL;
	const char *build_id = NULL;

	if (!manifest)
		return NULL;
	rk_vec_for_each(&manifest->objects, object) {
		if (!rk_streq(object->name, module->name))
			continue;
		RK_TRY(rk_elf_open(module->path, RK_ELF_LOAD_NO_RELOCS, &elf));
		RK_TRY(rk_elf_build_id(elf, &build_id));
		RK_TRY(check_same(module->path, "build-id", object->build_id, build_id));
		return check_same(module->path, "srcversion", object->srcversion,
				  rk_elf_modinfo(elf, "srcversion"));
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
	RK_TRY(check_identity(plan, module));
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

static bool is_listed(const char *const *names, size_t nr, const char *name)
{
	for (size_t i = 0; i < nr; i++)
		if (rk_module_name_is(names[i], strlen(names[i]), name))
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
		RK_TRY(rk_err_wrap(add_stock(plan, object->name, true), "'%s' patches '%s'",
				   plan->test->module, object->name));
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
	return add_step(plan, RK_VM_CHECK, title, patched ? RK_VM_GUEST_AFTER : RK_VM_GUEST_BEFORE,
			phase, false);
}

static struct rk_err *add_load(struct plan *plan, const char *title)
{
	return add_step(plan, RK_VM_LOAD, title, plan->patch, plan->test->info->name, false);
}

static struct rk_err *add_unload(struct plan *plan, const char *title)
{
	return add_step(plan, RK_VM_UNLOAD, title, "", plan->test->info->name, false);
}

/* The newest patch of a sequence goes first; one that it replaced is gone already. */
static struct rk_err *add_unloads(struct plan *plan)
{
	RK_TRY(add_unload(plan, "unload"));
	for (const struct rk_vm_test *t = plan->test->previous; t; t = t->previous) {
		const char *title = rk_arena_printf(&plan->test->arena, "unload %s", t->info->name);

		if (!title)
			return rk_err_nomem();
		RK_TRY(add_step(plan, RK_VM_UNLOAD_REST, title, "", t->info->name, false));
	}
	return NULL;
}

static struct rk_err *add_replaced(struct plan *plan)
{
	const struct rk_vm_test *previous = plan->test->previous;
	const struct rk_manifest *manifest = plan->test->info->manifest;
	const char *title;

	if (!previous)
		return NULL;
	title = rk_arena_printf(&plan->test->arena, "replaced %s", previous->info->name);
	if (!title)
		return rk_err_nomem();
	return add_step(plan, RK_VM_REPLACED, title, manifest && manifest->replace ? "replace" : "",
			previous->info->name, false);
}

static struct rk_err *add_patched_part(struct plan *plan)
{
	RK_TRY(add_load(plan, "load"));
	RK_TRY(add_modules_after(plan));
	RK_TRY(add_step(plan, RK_VM_FUNCTIONS, "functions", plan->functions, plan->test->info->name,
			false));
	RK_TRY(add_check(plan, "after"));
	return add_replaced(plan);
}

static struct rk_err *add_steps(struct plan *plan)
{
	const struct rk_vm_test_spec *spec = plan->test->spec;

	RK_TRY(add_modules_before(plan));
	/* what a module that comes later does can't be seen yet, nor what a patch below this one does */
	if (!spec->nr_load_after && !plan->test->previous)
		RK_TRY(add_check(plan, "before"));
	RK_TRY(add_patched_part(plan));
	if (spec->is_sequence && !plan->test->is_last)
		return NULL;
	RK_TRY(add_unloads(plan));
	RK_TRY(add_check(plan, "unloaded"));
	if (spec->no_reload || spec->is_sequence)
		return NULL;
	RK_TRY(add_load(plan, "reload"));
	RK_TRY(add_check(plan, "reloaded"));
	return add_unload(plan, "unload again");
}

unsigned int rk_vm_test_work_s(const struct rk_vm_test *test)
{
	const struct rk_manifest *manifest = test->info->manifest;

	return manifest ? (unsigned int)(manifest->funcs.nr * FUNCTION_MS / 1000) : 0;
}

/* The functions that the manifest promises; empty without one. */
static struct rk_err *add_functions(struct plan *plan)
{
	const struct rk_manifest *manifest = plan->test->info->manifest;
	_cleanup_str_ struct rk_str text = RK_STR_INIT;

	if (manifest)
		rk_vec_for_each(&manifest->funcs, func)
			rk_str_addf(&text, "%s\t%s\t%u\n", func->object, func->name,
				    func->sympos ? func->sympos : 1);
	RK_TRY(rk_str_check(&text));
	return rk_initramfs_add_bytes(plan->fs, plan->functions, 0644, rk_str_get(&text), text.len);
}

struct rk_err *rk_vm_test_plan(struct rk_vm_test *test, struct rk_vm_payload *payload)
{
	struct plan plan = {.test = test, .fs = payload->fs, .stock = payload->stock};

	/* two modules of one boot may have the same name */
	plan.patch =
		rk_arena_printf(&test->arena, "/patch/%zu/%s.ko", test->number, test->info->name);
	plan.functions = rk_arena_printf(&test->arena, "/patch/%zu/functions", test->number);
	if (!plan.patch || !plan.functions)
		return rk_err_nomem();
	if (plan.stock)
		rk_stock_restart(plan.stock);
	RK_TRY(rk_initramfs_add_file(plan.fs, plan.patch, 0644, test->module));
	RK_TRY(add_functions(&plan));
	return add_steps(&plan);
}
