// SPDX-License-Identifier: GPL-2.0
/*
 * The part of every patch module that the target's compiler must make: struct module, the init function that hands the patch to
 * livepatch, the version magic, and the layout of the structures that the writer fills in. Compiled once per target; the
 * writer adds name, objects, functions and versions.
 */
#include <linux/module.h>

#define INCLUDE_VERMAGIC
#include <linux/compiler.h>
#include <linux/kallsyms.h>
#include <linux/livepatch.h>
#include <linux/vermagic.h>

#include "layout.h"

#ifndef CONFIG_LIVEPATCH
#error "the kernel is configured without CONFIG_LIVEPATCH"
#endif

extern struct klp_object rk_klp_objects[];

static struct klp_patch rk_patch = {
	.mod = THIS_MODULE,
	.objs = rk_klp_objects,
	.replace = true,
};

/* By these names rather than module_init(): nothing has to be discarded after loading then. */
int init_module(void)
{
	return klp_enable_patch(&rk_patch);
}

/* Livepatch itself removes a patch; the module can only go once that is done (klp_free_patch_finish). */
void cleanup_module(void)
{
}

/* As scripts/mod/modpost.c writes it for every module; the writer sets the name. */
__visible struct module __this_module __section(".gnu.linkonce.this_module") = {
	.init = init_module,
#ifdef CONFIG_MODULE_UNLOAD
	.exit = cleanup_module,
#endif
	.arch = MODULE_ARCH_INIT,
};

MODULE_INFO(vermagic, VERMAGIC_STRING);
MODULE_INFO(livepatch, "Y");
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("ReadyKernel live patch");
#ifdef CONFIG_RETPOLINE
MODULE_INFO(retpoline, "Y");
#endif

static const struct rk_hook_layout rk_hook_layout __used __section(RK_HOOK_LAYOUT_SECTION) = {
	.magic = RK_HOOK_LAYOUT_MAGIC,
	.version = RK_HOOK_LAYOUT_VERSION,
	.size = sizeof(struct rk_hook_layout),
	.func_size = sizeof(struct klp_func),
	.func_old_name = offsetof(struct klp_func, old_name),
	.func_new_func = offsetof(struct klp_func, new_func),
	.func_old_sympos = offsetof(struct klp_func, old_sympos),
	.object_size = sizeof(struct klp_object),
	.object_name = offsetof(struct klp_object, name),
	.object_funcs = offsetof(struct klp_object, funcs),
	.object_pre_patch = offsetof(struct klp_object, callbacks.pre_patch),
	.object_post_patch = offsetof(struct klp_object, callbacks.post_patch),
	.object_pre_unpatch = offsetof(struct klp_object, callbacks.pre_unpatch),
	.object_post_unpatch = offsetof(struct klp_object, callbacks.post_unpatch),
	.patch_size = sizeof(struct klp_patch),
	.patch_replace = offsetof(struct klp_patch, replace),
	.patch_states = offsetof(struct klp_patch, states),
	.state_size = sizeof(struct klp_state),
	.state_id = offsetof(struct klp_state, id),
	.state_version = offsetof(struct klp_state, version),
	.module_size = sizeof(struct module),
	.module_name = offsetof(struct module, name),
	.module_name_size = MODULE_NAME_LEN,
	.symbol_name_max = KSYM_NAME_LEN - 1,
#ifdef CONFIG_MODVERSIONS
	.version_entry_size = sizeof(struct modversion_info),
#endif
};
