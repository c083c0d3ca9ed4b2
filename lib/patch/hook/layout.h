/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the module writer must know about the target's structures, measured by the target's own compiler: the hook puts one
 * struct rk_hook_layout into its section .rk.layout, the writer reads it from there. Shared by both sides, so only plain C.
 */
#ifndef RK_PATCH_HOOK_LAYOUT_H
#define RK_PATCH_HOOK_LAYOUT_H

#define RK_HOOK_LAYOUT_MAGIC   0x4c484b52u /* "RKHL" */
#define RK_HOOK_LAYOUT_VERSION 2u

#define RK_HOOK_LAYOUT_SECTION	".rk.layout"
#define RK_HOOK_PATCH		"rk_patch"	  /* struct klp_patch, defined by the hook */
#define RK_HOOK_OBJECTS		"rk_klp_objects"  /* struct klp_object[], defined by the writer */
#define RK_HOOK_CLEAR		"rk_clear_relocs" /* callback of clear.c */
#define RK_HOOK_CLEAR_PRE_PATCH "rk_clear_pre_patch" /* the other one */
#define RK_HOOK_CHAINED		"rk_chained" /* struct rk_chained[], defined by the writer */
#define RK_HOOK_CLEAR_ENTRIES \
	"rk_clear_entries" /* struct rk_clear_entry[], defined by the writer */

/* Sizes and offsets in bytes. */
struct rk_hook_layout {
	unsigned int magic, version, size;
	unsigned int func_size, func_old_name, func_new_func, func_old_sympos;
	unsigned int object_size, object_name, object_funcs;
	unsigned int object_pre_patch, object_post_patch, object_pre_unpatch, object_post_unpatch;
	unsigned int patch_size, patch_replace, patch_states;
	unsigned int state_size, state_id, state_version;
	unsigned int module_size, module_name, module_name_size;
	unsigned int symbol_name_max; /* characters of the longest symbol livepatch can look up */
	unsigned int version_entry_size; /* struct modversion_info; 0: CONFIG_MODVERSIONS is off */
};

/* A field in the patch that livepatch fills with an address of a module. The array ends with an address of 0. */
struct rk_clear_entry {
	unsigned long address;
	unsigned int size;
	unsigned int object; /* index in rk_klp_objects */
};

/* The callbacks of the fix's author that those of clear.c call, by index in rk_klp_objects. */
struct klp_object;
struct rk_chained {
	int (*pre_patch)(struct klp_object *obj);
	void (*post_unpatch)(struct klp_object *obj);
};

#endif
