// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The objects of a target, vmlinux and its modules, opened when first asked for, and what they
 * export.
 */
#include <string.h>

#include "lib/target/symbols_internal.h"

static void object_close(struct rk_klp_object *object)
{
	if (!object)
		return;
	rk_object_index_destroy(object->priv);
	if (object->elf)
		rk_elf_close(object->elf);
	free(object);
}

static void cleanup_object(struct rk_klp_object **object)
{
	object_close(*object);
}

/* Every string lives in the arena of the object's ELF file. A name of NULL is the one that the module gives itself. */
static struct rk_err *object_open(const char *name, const char *path, bool is_vmlinux,
				  struct rk_klp_object **ret)
{
	_cleanup_(cleanup_object) struct rk_klp_object *object = calloc(1, sizeof(*object));
	if (!object)
		return rk_err_nomem();
	/*
	 * vmlinux is read back by value; a module's relocations are few and the proof wants them
	 * all
	 */
	RK_TRY(rk_elf_open(path, is_vmlinux ? RK_ELF_LOAD_NO_RELOCS : RK_ELF_LOAD_ALL,
			   &object->elf));
	struct rk_elf *elf = object->elf;
	object->is_vmlinux = is_vmlinux;
	if (!name)
		name = rk_elf_modinfo(elf, "name");
	if (!name)
		return rk_err(RK_ERR_FORMAT, "'%s' is no kernel module: no name in .modinfo", path);
	object->name = rk_arena_strdup(&elf->arena, name);
	object->path = rk_arena_strdup(&elf->arena, path);
	if (!object->name || !object->path)
		return rk_err_nomem();
	RK_TRY(rk_elf_build_id(elf, &object->build_id));
	if (!is_vmlinux) {
		object->srcversion = rk_elf_modinfo(elf, "srcversion");
		object->depends = rk_elf_modinfo(elf, "depends");
	}
	struct rk_object_index *index = NULL;
	RK_TRY(rk_object_index_create(elf, &index));
	object->priv = index;
	*ret = take_ptr(object);
	return NULL;
}

struct rk_err *rk_symbols_object(struct rk_symbols *symbols, const char *name,
				 struct rk_klp_object **ret)
{
	rk_vec_for_each(&symbols->objects, it) {
		if (strcmp((*it)->name, name) != 0)
			continue;
		*ret = *it;
		return NULL;
	}
	_cleanup_(cleanup_object) struct rk_klp_object *object = NULL;
	if (strcmp(name, "vmlinux") == 0) {
		RK_TRY(object_open(name, symbols->target->vmlinux, true, &object));
	} else {
		_cleanup_free_ char *path = NULL;
		RK_TRY(rk_target_module(symbols->target, name, &path));
		RK_TRY(object_open(name, path, false, &object));
	}
	if (!rk_vec_push(&symbols->objects, object))
		return rk_err_nomem();
	*ret = take_ptr(object);
	return NULL;
}

struct rk_err *rk_symbols_add_module(struct rk_symbols *symbols, const char *path,
				     struct rk_klp_object **ret)
{
	_cleanup_(cleanup_object) struct rk_klp_object *object = NULL;

	RK_TRY(object_open(NULL, path, false, &object));
	if (!rk_vec_push(&symbols->objects, object))
		return rk_err_nomem();
	*ret = take_ptr(object);
	return NULL;
}

static void cleanup_symbols(struct rk_symbols **symbols)
{
	rk_symbols_close(*symbols);
}

struct rk_err *rk_symbols_open(const struct rk_target *target, struct rk_symbols **ret)
{
	_cleanup_(cleanup_symbols) struct rk_symbols *symbols = calloc(1, sizeof(*symbols));
	if (!symbols)
		return rk_err_nomem();
	symbols->target = target;
	RK_TRY(rk_exports_read(target->symvers, &symbols->exports));
	struct rk_klp_object *vmlinux;
	RK_TRY(rk_symbols_object(symbols, "vmlinux", &vmlinux));
	*ret = take_ptr(symbols);
	return NULL;
}

void rk_symbols_close(struct rk_symbols *symbols)
{
	if (!symbols)
		return;
	rk_vec_for_each(&symbols->objects, it)
		object_close(*it);
	rk_vec_deinit(&symbols->objects);
	rk_kallsyms_free(symbols->kallsyms);
	rk_exports_free(symbols->exports);
	free(symbols);
}

const struct rk_export *rk_symbols_export(const struct rk_symbols *symbols, const char *name)
{
	return rk_exports_find(symbols->exports, name);
}
