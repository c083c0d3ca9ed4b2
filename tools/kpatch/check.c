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

static struct rk_err *check_identity(const char *path, const struct rk_manifest_object *object,
				     const char *where, const struct rk_running_module *found)
{
	RK_TRY(check_same(path, object->name, "build-id", object->build_id, where,
			  found->build_id));
	return check_same(path, object->name, "srcversion", object->srcversion, where,
			  found->srcversion);
}

/* A patched module is known to the kernel by its name only: one of that name from elsewhere would be patched blindly, now or when
 * it is loaded. */
static struct rk_err *check_object(const char *path, const struct rk_manifest_object *object,
				   const struct rk_running *running, struct rk_arena *arena)
{
	struct rk_running_module loaded = {};
	struct kpatch_installed installed = {};
	_cleanup_free_ char *where = NULL;

	RK_TRY(rk_running_module(&rk_livepatch_roots, object->name, arena, &loaded));
	if (loaded.build_id || loaded.srcversion)
		return check_identity(path, object, "the one that is loaded", &loaded);
	RK_TRY(kpatch_installed_module(running->release, object->name, arena, &installed));
	if (!installed.path)
		return NULL;
	where = rk_asprintf("'%s', which would be loaded,", installed.path);
	return where ? check_identity(path, object, where, &installed.id) : rk_err_nomem();
}

static struct rk_err *check_objects(const char *path, const struct rk_manifest *manifest,
				    const struct rk_running *running)
{
	_cleanup_arena_ struct rk_arena arena = RK_ARENA_INIT;

	rk_vec_for_each(&manifest->objects, object)
		if (!rk_streq(object->name, "vmlinux"))
			RK_TRY(check_object(path, object, running, &arena));
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
	return check_objects(path, manifest, running);
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
