/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From plan to kpatch-<name>.ko: our own ELF writer puts the plan's sections, the livepatch arrays, .modinfo, __versions and one
 * precompiled hook object (module init, struct module) together; no kbuild, no linker. The same plan gives the same bytes.
 */
#ifndef RK_PATCH_MODULE_H
#define RK_PATCH_MODULE_H

#include "lib/build/compile.h"
#include "lib/patch/manifest.h"
#include "lib/patch/plan.h"
#include "lib/target/symbols.h"

/* What the target's headers say about the structures the module must contain; read from the compiled hook object. */
struct rk_hook;

/* Compiles the hook for the target (cached in its directory) and reads the layout from it. */
struct rk_err *rk_hook_open(struct rk_kbuild *kbuild, const struct rk_target *target,
			    struct rk_hook **ret) __must_use;
void rk_hook_close(struct rk_hook *hook);

/* Writes the module for plan into *ret (malloc'ed). manifest_json is embedded. name is the module's name
 * ("kpatch_fix": letters, digits and '_', at most 55). replace: the patch takes the place of all loaded ones.
 * The same arguments give the same bytes. Errors: RK_ERR_NOT_FOUND (a symbol the module always needs isn't
 * exported), RK_ERR_INVALID (the plan contradicts itself), RK_ERR_UNSUPPORTED (a relocation the kernel's loader
 * can't do, or not there), RK_ERR_LIMIT (a name longer than the kernel takes), RK_ERR_FORMAT. */
struct rk_err *rk_module_write(const struct rk_plan *plan, const struct rk_hook *hook,
			       struct rk_symbols *symbols, const char *name, bool replace,
			       const char *manifest_json, void **ret, size_t *ret_size) __must_use;

/* What a patch module file says of itself, for `kpatch info` and kpatch-test. */
struct rk_module_info {
	struct rk_arena arena;
	const char *name, *vermagic, *build_id, *depends;
	bool is_livepatch;
	bool is_signed;
	struct rk_manifest *manifest;	 /* NULL if it has none */
	char sha256[RK_SHA256_HEX_SIZE]; /* of the file */
};
struct rk_err *rk_module_info_read(const char *path, struct rk_module_info **ret) __must_use;
void rk_module_info_free(struct rk_module_info *info);

static inline void rk_cleanup_module_info(struct rk_module_info **info)
{
	rk_module_info_free(*info);
}
#define _cleanup_module_info_ _cleanup_(rk_cleanup_module_info)

#endif
