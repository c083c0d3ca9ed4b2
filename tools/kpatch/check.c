/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Is this module for the kernel that runs? The kernel itself compares vermagic and symbol versions; two builds of one
 * release pass that, so version and build-id are compared with the manifest's.
 */
#include <string.h>

#include "lib/base/str.h"
#include "tools/kpatch/kpatch.h"

static struct rk_err *mismatch(const char *path, const char *what, const char *made_for,
			       const char *runs)
{
	return rk_err(RK_ERR_MISMATCH,
		      "'%s' was made for another kernel: %s is '%s', this kernel's is '%s'", path,
		      what, made_for, runs);
}

/* NULL: not known. */
static struct rk_err *check_same(const char *path, const char *module, const char *what,
				 const char *made_for, const char *loaded)
{
	if (!made_for || !loaded || rk_streq(made_for, loaded))
		return NULL;
	return rk_err(
		RK_ERR_MISMATCH,
		"'%s' patches module '%s' with %s %s, the one that is loaded has %s: it is not the "
		"kernel's own (see 'modinfo -n %s')",
		path, module, what, made_for, loaded, module);
}

/* A patched module is known to the kernel by its name only: one of that name from elsewhere would be patched blindly. One that
 * isn't loaded yet can't be checked here. */
static struct rk_err *check_objects(const char *path, const struct rk_manifest *manifest)
{
	_cleanup_arena_ struct rk_arena arena = RK_ARENA_INIT;

	rk_vec_for_each(&manifest->objects, object) {
		struct rk_running_module loaded = {};

		if (rk_streq(object->name, "vmlinux"))
			continue;
		RK_TRY(rk_running_module(&rk_livepatch_roots, object->name, &arena, &loaded));
		RK_TRY(check_same(path, object->name, "build-id", object->build_id,
				  loaded.build_id));
		RK_TRY(check_same(path, object->name, "srcversion", object->srcversion,
				  loaded.srcversion));
	}
	return NULL;
}

static struct rk_err *check_manifest(const char *path, const struct rk_manifest *manifest,
				     const struct rk_running *running)
{
	if (manifest->release && !rk_streq(manifest->release, running->release))
		return mismatch(path, "its release", manifest->release, running->release);
	if (manifest->version && !rk_streq(manifest->version, running->version))
		return mismatch(path, "its version", manifest->version, running->version);
	/* a kernel that shows no notes can't be compared further */
	if (manifest->build_id && running->build_id &&
	    !rk_streq(manifest->build_id, running->build_id))
		return mismatch(path, "its build-id", manifest->build_id, running->build_id);
	return check_objects(path, manifest);
}

struct rk_err *kpatch_check_module(const char *path, const struct rk_module_info *info,
				   const struct rk_running *running)
{
	size_t len;

	if (!info->is_livepatch)
		return rk_err(RK_ERR_UNSUPPORTED,
			      "'%s' is no live patch module (its .modinfo has no 'livepatch=Y')",
			      path);
	len = strcspn(info->vermagic, " ");
	if (strlen(running->release) != len || strncmp(running->release, info->vermagic, len) != 0)
		return rk_err(RK_ERR_MISMATCH, "'%s' was made for kernel %.*s, this is %s", path,
			      (int)len, info->vermagic, running->release);
	return info->manifest ? check_manifest(path, info->manifest, running) : NULL;
}

char *kpatch_module_name(const char *text)
{
	const char *slash = strrchr(text, '/');
	const char *base = slash ? slash + 1 : text;
	char *name = strndup(base, strlen(base) - (rk_has_suffix(base, ".ko") ? strlen(".ko") : 0));

	for (char *c = name; c && *c; c++)
		if (*c == '-')
			*c = '_';
	return name;
}
