/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hook objects of a target: compiled from the embedded sources as kbuild compiles a module's unit, once, then kept in the
 * target's directory under a name made of everything that went into them.
 */
#include <errno.h>
#include <stdio.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/patch/hook/source.h"
#include "lib/patch/internal.h"

/* A unit that every kernel with livepatch has: its flags are those of kbuild for plain kernel code. */
#define MODEL_UNIT "kernel/livepatch/core.c"

/* What kbuild passes differently for each unit (scripts/Makefile.lib, name-fix and modkern_cflags). */
static const char *const unit_flags[] = {
	"-DMODULE",	     "-DKBUILD_MODFILE=",   "-DKBUILD_BASENAME=",
	"-DKBUILD_MODNAME=", "-D__KBUILD_MODNAME=",
};
static const char *const hook_flags[] = {
	"-DMODULE",
	"-DKBUILD_MODFILE=\"rk_hook\"",
	"-DKBUILD_BASENAME=\"rk_hook\"",
	"-DKBUILD_MODNAME=\"rk_hook\"",
	"-D__KBUILD_MODNAME=kmod_rk_hook",
};

struct argv {
	rk_vec(const char *) list;
};

static void argv_deinit(struct argv *argv)
{
	rk_vec_deinit(&argv->list);
}

static bool is_unit_flag(const char *arg)
{
	for (size_t i = 0; i < ARRAY_SIZE(unit_flags); i++) {
		const char *flag = unit_flags[i];
		if (rk_has_suffix(flag, "=") ? rk_has_prefix(arg, flag) : rk_streq(arg, flag))
			return true;
	}
	return false;
}

static struct rk_err *compiler_argv(const struct rk_recipe *model, struct argv *argv)
{
	for (const char *const *arg = model->cc_argv; *arg; arg++) {
		if (!is_unit_flag(*arg) && !rk_vec_push(&argv->list, *arg))
			return rk_err_nomem();
	}
	for (size_t i = 0; i < ARRAY_SIZE(hook_flags); i++) {
		if (!rk_vec_push(&argv->list, hook_flags[i]))
			return rk_err_nomem();
	}
	return rk_vec_push(&argv->list, NULL) ? NULL : rk_err_nomem();
}

static struct rk_err *objtool_argv(const struct rk_recipe *model, struct argv *argv)
{
	if (!model->objtool_argv)
		return NULL;
	for (const char *const *arg = model->objtool_argv; *arg; arg++) {
		if (!rk_streq(*arg, "--module") && !rk_vec_push(&argv->list, *arg))
			return rk_err_nomem();
	}
	if (!rk_vec_push(&argv->list, "--module") || !rk_vec_push(&argv->list, NULL))
		return rk_err_nomem();
	return NULL;
}

/* Everything that decides over the object's content. */
static struct rk_err *hash_inputs(const struct rk_target *target, const struct argv *cc,
				  const struct argv *objtool, char ret[RK_SHA256_HEX_SIZE])
{
	struct rk_sha256 *h;

	RK_TRY(rk_sha256_create(&h));
	rk_sha256_add(h, rk_hook_source, rk_hook_source_size);
	rk_sha256_add(h, rk_clear_source, rk_clear_source_size);
	rk_sha256_add(h, rk_hook_header, rk_hook_header_size);
	rk_sha256_add_str(h, target->release);
	rk_sha256_add_str(h, target->build_id ? target->build_id : "");
	rk_sha256_add_str(h, target->compiler ? target->compiler : "");
	rk_vec_for_each(&cc->list, arg)
		rk_sha256_add_str(h, *arg ? *arg : "");
	rk_vec_for_each(&objtool->list, arg)
		rk_sha256_add_str(h, *arg ? *arg : "");
	return rk_sha256_finish(h, ret);
}

/* The two objects of a target: hook.c and clear.c. */
enum {
	PART_HOOK,
	PART_CLEAR,
	NR_PARTS
};

struct paths {
	char *v[NR_PARTS];
};

static void paths_deinit(struct paths *paths)
{
	for (int i = 0; i < NR_PARTS; i++)
		free(paths->v[i]);
}

static struct rk_err *join_all(const char *dir, const char *const names[NR_PARTS],
			       struct paths *ret)
{
	for (int i = 0; i < NR_PARTS; i++) {
		ret->v[i] = rk_path_join(dir, names[i]);
		if (!ret->v[i])
			return rk_err_nomem();
	}
	return NULL;
}

static struct rk_err *write_sources(const char *work, const struct paths *sources)
{
	_cleanup_free_ char *header = rk_path_join(work, "layout.h");
	if (!header)
		return rk_err_nomem();
	RK_TRY(rk_fs_write(header, rk_hook_header, rk_hook_header_size, 0644));
	RK_TRY(rk_fs_write(sources->v[PART_HOOK], rk_hook_source, rk_hook_source_size, 0644));
	return rk_fs_write(sources->v[PART_CLEAR], rk_clear_source, rk_clear_source_size, 0644);
}

/* Compiles in work, a directory of our own, and moves the objects to their places. */
static struct rk_err *compile_in(struct rk_kbuild *kbuild, const struct rk_target *target,
				 const char *work, const struct argv *cc,
				 const struct argv *objtool, const struct paths *to)
{
	static const char *const source_names[NR_PARTS] = {"hook.c", "clear.c"};
	static const char *const object_names[NR_PARTS] = {"hook.o", "clear.o"};
	_cleanup_(paths_deinit) struct paths sources = {}, objects = {};
	struct rk_recipe recipes[NR_PARTS];
	struct rk_compile_job jobs[NR_PARTS];

	RK_TRY(join_all(work, source_names, &sources));
	RK_TRY(join_all(work, object_names, &objects));
	RK_TRY(write_sources(work, &sources));
	for (int i = 0; i < NR_PARTS; i++) {
		recipes[i] = (struct rk_recipe){
			.unit = sources.v[i],
			.input = sources.v[i],
			.object = "rk_hook",
			.cc_argv = cc->list.v,
			.objtool_argv = objtool->list.v,
		};
		jobs[i] = (struct rk_compile_job){
			.recipe = &recipes[i], .output = objects.v[i], .root = target->source};
	}
	RK_TRY(rk_compile(kbuild, jobs, NR_PARTS, 0, NULL));
	rk_compile_jobs_deinit(jobs, NR_PARTS);
	for (int i = 0; i < NR_PARTS; i++) {
		if (rename(objects.v[i], to->v[i]))
			return rk_err_sys(errno, "cannot rename '%s' to '%s'", objects.v[i],
					  to->v[i]);
	}
	return NULL;
}

static struct rk_err *compile_hook(struct rk_kbuild *kbuild, const struct rk_target *target,
				   const char *dir, const struct argv *cc,
				   const struct argv *objtool, const struct paths *to)
{
	_cleanup_free_ char *work = NULL;

	RK_TRY(rk_fs_mkdtemp(dir, "hook-", &work));
	struct rk_err *err = compile_in(kbuild, target, work, cc, objtool, to);
	struct rk_err *removed = rk_fs_remove_tree(work);
	if (err)
		rk_err_free(removed);
	return err ? err : removed;
}

/* Paths of the target's hook objects, compiled if they aren't there. */
static struct rk_err *get_objects(struct rk_kbuild *kbuild, const struct rk_target *target,
				  const struct rk_recipe *model, struct paths *ret)
{
	_cleanup_(argv_deinit) struct argv cc = {};
	_cleanup_(argv_deinit) struct argv objtool = {};
	char hash[RK_SHA256_HEX_SIZE];

	RK_TRY(compiler_argv(model, &cc));
	RK_TRY(objtool_argv(model, &objtool));
	RK_TRY(hash_inputs(target, &cc, &objtool, hash));
	_cleanup_free_ char *dir = rk_path_join(target->dir, "hook");
	if (!dir)
		return rk_err_nomem();
	ret->v[PART_HOOK] = rk_asprintf("%s/%s.o", dir, hash);
	ret->v[PART_CLEAR] = rk_asprintf("%s/%s-clear.o", dir, hash);
	if (!ret->v[PART_HOOK] || !ret->v[PART_CLEAR])
		return rk_err_nomem();
	RK_TRY(rk_fs_mkdir_p(dir, 0755));
	/* A user's own tree may have changed since. */
	if (target->user_source || !rk_fs_exists(ret->v[PART_HOOK]) ||
	    !rk_fs_exists(ret->v[PART_CLEAR]))
		RK_TRY(compile_hook(kbuild, target, dir, &cc, &objtool, ret));
	return NULL;
}

static struct rk_err *check_release(const struct rk_hook *hook, const struct rk_target *target)
{
	size_t len = strcspn(hook->vermagic, " ");

	if (strlen(target->release) != len || memcmp(target->release, hook->vermagic, len) != 0)
		return rk_err(
			RK_ERR_MISMATCH,
			"the prepared source tree is of release '%.*s', not '%s': prepare it again with KERNELRELEASE=%s",
			(int)len, hook->vermagic, target->release, target->release);
	return NULL;
}

struct rk_err *rk_hook_open(struct rk_kbuild *kbuild, const struct rk_target *target,
			    struct rk_hook **ret)
{
	const struct rk_recipe *model;
	const char *reason;
	_cleanup_(paths_deinit) struct paths paths = {};
	struct rk_hook *hook;

	RK_TRY(rk_kbuild_recipe(kbuild, MODEL_UNIT, &model, &reason));
	if (!model)
		return rk_err(RK_ERR_UNSUPPORTED, "this kernel has no livepatch support: '%s': %s",
			      MODEL_UNIT, reason);
	RK_TRY(rk_err_wrap(get_objects(kbuild, target, model, &paths),
			   "cannot compile the module hook"));
	RK_TRY(rk_hook_read(paths.v[PART_HOOK], paths.v[PART_CLEAR], &hook));
	struct rk_err *err = check_release(hook, target);
	if (err) {
		rk_hook_close(hook);
		return err;
	}
	*ret = hook;
	return NULL;
}

static bool fits(unsigned int offset, unsigned int size, unsigned int whole)
{
	return offset <= whole && size <= whole - offset;
}

/* The writer stores into these structures by these numbers. */
static bool is_sane(const struct rk_hook_layout *l)
{
	return l->func_size <= 4096 && fits(l->func_old_name, 8, l->func_size) &&
	       fits(l->func_new_func, 8, l->func_size) &&
	       fits(l->func_old_sympos, 8, l->func_size) && l->object_size <= 4096 &&
	       fits(l->object_name, 8, l->object_size) &&
	       fits(l->object_funcs, 8, l->object_size) &&
	       fits(l->object_pre_patch, 8, l->object_size) &&
	       fits(l->object_post_patch, 8, l->object_size) &&
	       fits(l->object_pre_unpatch, 8, l->object_size) &&
	       fits(l->object_post_unpatch, 8, l->object_size) &&
	       fits(l->patch_replace, 1, l->patch_size) &&
	       fits(l->patch_states, 8, l->patch_size) && l->state_size <= 4096 &&
	       fits(l->state_id, 8, l->state_size) && fits(l->state_version, 4, l->state_size) &&
	       fits(l->module_name, l->module_name_size, l->module_size) &&
	       l->module_name_size > RK_MODULE_NAME_MAX &&
	       (!l->version_entry_size ||
		(l->version_entry_size > 16 && l->version_entry_size <= 4096));
}

static struct rk_err *read_layout(struct rk_hook *hook)
{
	const char *path = hook->elf->path;
	const struct rk_section *section = rk_elf_section(hook->elf, RK_HOOK_LAYOUT_SECTION);
	struct rk_hook_layout *l = &hook->layout;

	if (!section || !section->data || section->size < sizeof(*l))
		return rk_err(RK_ERR_FORMAT, "'%s': no section '%s'", path, RK_HOOK_LAYOUT_SECTION);
	memcpy(l, section->data, sizeof(*l));
	if (l->magic != RK_HOOK_LAYOUT_MAGIC || l->version != RK_HOOK_LAYOUT_VERSION ||
	    l->size != sizeof(*l) || !is_sane(l))
		return rk_err(RK_ERR_FORMAT, "'%s': section '%s' isn't a layout we know", path,
			      RK_HOOK_LAYOUT_SECTION);
	hook->vermagic = rk_elf_modinfo(hook->elf, "vermagic");
	if (!hook->vermagic)
		return rk_err(RK_ERR_FORMAT, "'%s': no vermagic", path);
	return NULL;
}

struct rk_err *rk_hook_read(const char *path, const char *clear_path, struct rk_hook **ret)
{
	struct rk_hook *hook = calloc(1, sizeof(*hook));
	if (!hook)
		return rk_err_nomem();
	struct rk_err *err = rk_elf_open(path, RK_ELF_LOAD_ALL, &hook->elf);
	if (!err)
		err = rk_elf_open(clear_path, RK_ELF_LOAD_ALL, &hook->clear);
	if (!err)
		err = read_layout(hook);
	if (err) {
		rk_hook_close(hook);
		return err;
	}
	*ret = hook;
	return NULL;
}

void rk_hook_close(struct rk_hook *hook)
{
	if (!hook)
		return;
	if (hook->elf)
		rk_elf_close(hook->elf);
	if (hook->clear)
		rk_elf_close(hook->clear);
	free(hook);
}
