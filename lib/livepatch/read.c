/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is loaded: /sys/kernel/livepatch has a directory per active patch with its objects and functions; a
 * patch that was disabled vanishes from there, only its module (taint 'K') remains in /sys/module.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/livepatch/internal.h"
#include "lib/livepatch/livepatch.h"

#define SMALL_MAX 4096

const struct rk_livepatch_roots rk_livepatch_roots = {
	.sys = "/sys",
	.proc = "/proc",
	.modules = "/lib/modules",
	.store = "/var/lib/kpatch",
	.run = "/run/kpatch",
};

static const char *const state_names[RK_LIVEPATCH_STATES] = {
	[RK_LIVEPATCH_ABSENT] = "absent",	[RK_LIVEPATCH_DISABLED] = "disabled",
	[RK_LIVEPATCH_ENABLED] = "enabled",	[RK_LIVEPATCH_ENABLING] = "enabling",
	[RK_LIVEPATCH_DISABLING] = "disabling",
};

const char *rk_livepatch_state_name(enum rk_livepatch_state state)
{
	return state < RK_LIVEPATCH_STATES ? state_names[state] : "unknown";
}

/* Reads <sys>/<dir>/<name>/<file>; absent leaves ret empty. */
static struct rk_err *read_attr(const struct rk_livepatch_roots *roots, const char *dir,
				const char *name, const char *file, struct rk_str *ret,
				bool *ret_found)
{
	_cleanup_free_ char *path = rk_asprintf("%s/%s/%s/%s", roots->sys, dir, name, file);

	if (!path)
		return rk_err_nomem();
	return rk_livepatch_read_small(path, SMALL_MAX, ret, ret_found);
}

struct rk_err *rk_livepatch_state(const struct rk_livepatch_roots *roots, const char *name,
				  enum rk_livepatch_state *ret)
{
	_cleanup_str_ struct rk_str enabled = RK_STR_INIT;
	_cleanup_str_ struct rk_str transition = RK_STR_INIT;
	bool has_enabled, has_transition;

	/* transition before enabled: the other way round an enabling that ends in between would look like one
	 * that never was in transition and is disabled. */
	RK_TRY(read_attr(roots, "kernel/livepatch", name, "transition", &transition,
			 &has_transition));
	RK_TRY(read_attr(roots, "kernel/livepatch", name, "enabled", &enabled, &has_enabled));
	if (has_enabled && has_transition) {
		bool on = rk_streq(rk_str_get(&enabled), "1");
		bool moving = rk_streq(rk_str_get(&transition), "1");

		*ret = moving ? (on ? RK_LIVEPATCH_ENABLING : RK_LIVEPATCH_DISABLING)
			      : (on ? RK_LIVEPATCH_ENABLED : RK_LIVEPATCH_DISABLED);
		return NULL;
	}
	_cleanup_free_ char *module = rk_asprintf("%s/module/%s/initstate", roots->sys, name);
	if (!module)
		return rk_err_nomem();
	*ret = rk_fs_exists(module) ? RK_LIVEPATCH_DISABLED : RK_LIVEPATCH_ABSENT;
	return NULL;
}

static int compare_func(const void *a, const void *b)
{
	const struct rk_livepatch_func *x = a, *y = b;
	int cmp = strcmp(x->name, y->name);

	return cmp ? cmp : (x->sympos > y->sympos) - (x->sympos < y->sympos);
}

static int compare_object(const void *a, const void *b)
{
	return strcmp(((const struct rk_livepatch_object *)a)->name,
		      ((const struct rk_livepatch_object *)b)->name);
}

static int compare_patch(const void *a, const void *b)
{
	return strcmp(((const struct rk_livepatch *)a)->name,
		      ((const struct rk_livepatch *)b)->name);
}

struct reading {
	const struct rk_livepatch_roots *roots;
	struct rk_livepatch_list *list;
	struct rk_livepatch *patch;
	struct rk_livepatch_object *object;
};

/* Directory of one function: "<name>,<sympos>". */
static struct rk_err *add_func(void *ctx, const char *path, const char *name)
{
	struct reading *r = ctx;
	const char *comma = strrchr(name, ',');
	struct rk_livepatch_func func = {};

	(void)path;
	if (!comma)
		return NULL;
	func.name = rk_arena_strndup(&r->list->arena, name, (size_t)(comma - name));
	func.sympos = (unsigned int)strtoul(comma + 1, NULL, 10);
	if (!func.name || !rk_vec_push(&r->object->funcs, func))
		return rk_err_nomem();
	return NULL;
}

static struct rk_err *add_object(void *ctx, const char *path, const char *name)
{
	struct reading *r = ctx;
	_cleanup_str_ struct rk_str patched = RK_STR_INIT;
	_cleanup_free_ char *attr = rk_path_join(path, "patched");
	struct rk_livepatch_object object = {};
	bool found;

	if (!attr)
		return rk_err_nomem();
	object.name = rk_arena_strdup(&r->list->arena, name);
	if (!object.name)
		return rk_err_nomem();
	RK_TRY(rk_livepatch_read_small(attr, SMALL_MAX, &patched, &found));
	/* kernels before 6.1 have no such file: there, what is listed is taken for patched */
	object.patched = !found || rk_streq(rk_str_get(&patched), "1");
	if (!rk_vec_push(&r->patch->objects, object))
		return rk_err_nomem();
	r->object = &r->patch->objects.v[r->patch->objects.nr - 1];
	RK_TRY(rk_livepatch_for_each_entry(path, true, NULL, add_func, r));
	if (r->object->funcs.nr)
		qsort(r->object->funcs.v, r->object->funcs.nr, sizeof(*r->object->funcs.v),
		      compare_func);
	return NULL;
}

/* Fills in what the module's own directory says. */
static struct rk_err *read_module(struct reading *r, struct rk_livepatch *patch)
{
	_cleanup_str_ struct rk_str text = RK_STR_INIT;
	bool found;

	RK_TRY(read_attr(r->roots, "module", patch->name, "refcnt", &text, &found));
	patch->refcount = found ? (int)strtol(rk_str_get(&text), NULL, 10) : -1;
	RK_TRY(read_attr(r->roots, "module", patch->name, "taint", &text, &found));
	patch->taint = rk_arena_strdup(&r->list->arena, found ? rk_str_get(&text) : "");
	return patch->taint ? NULL : rk_err_nomem();
}

/* r->patch is NULL for one that went while the list was read. */
static struct rk_err *add_patch(struct reading *r, const char *name)
{
	struct rk_livepatch patch = {};

	r->patch = NULL;
	RK_TRY(rk_livepatch_state(r->roots, name, &patch.state));
	if (patch.state == RK_LIVEPATCH_ABSENT)
		return NULL;
	patch.name = rk_arena_strdup(&r->list->arena, name);
	if (!patch.name || !rk_vec_push(&r->list->list, patch))
		return rk_err_nomem();
	r->patch = &r->list->list.v[r->list->list.nr - 1];
	return read_module(r, r->patch);
}

static struct rk_err *add_active(void *ctx, const char *path, const char *name)
{
	struct reading *r = ctx;

	RK_TRY(add_patch(r, name));
	if (!r->patch)
		return NULL;
	RK_TRY(rk_livepatch_for_each_entry(path, true, NULL, add_object, r));
	if (r->patch->objects.nr)
		qsort(r->patch->objects.v, r->patch->objects.nr, sizeof(*r->patch->objects.v),
		      compare_object);
	return NULL;
}

/* A loaded module with taint 'K' that is no active patch any more. */
static struct rk_err *add_disabled(void *ctx, const char *path, const char *name)
{
	struct reading *r = ctx;
	_cleanup_str_ struct rk_str taint = RK_STR_INIT;
	bool found;

	(void)path;
	rk_vec_for_each(&r->list->list, it)
		if (rk_streq(it->name, name))
			return NULL;
	RK_TRY(read_attr(r->roots, "module", name, "taint", &taint, &found));
	if (!found || !strchr(rk_str_get(&taint), 'K'))
		return NULL;
	return add_patch(r, name);
}

struct rk_err *rk_livepatch_list(const struct rk_livepatch_roots *roots,
				 struct rk_livepatch_list *ret)
{
	_cleanup_livepatch_list_ struct rk_livepatch_list list = {};
	struct reading r = {.roots = roots, .list = &list};
	_cleanup_free_ char *active = rk_path_join(roots->sys, "kernel/livepatch");
	_cleanup_free_ char *modules = rk_path_join(roots->sys, "module");
	bool found;

	if (!active || !modules)
		return rk_err_nomem();
	RK_TRY(rk_livepatch_for_each_entry(active, true, &found, add_active, &r));
	if (!found)
		return rk_err(RK_ERR_UNSUPPORTED,
			      "this kernel has no live patching: '%s' is absent", active);
	RK_TRY(rk_livepatch_for_each_entry(modules, true, NULL, add_disabled, &r));
	if (list.list.nr)
		qsort(list.list.v, list.list.nr, sizeof(*list.list.v), compare_patch);
	*ret = list;
	list = (struct rk_livepatch_list){};
	return NULL;
}

void rk_livepatch_list_deinit(struct rk_livepatch_list *list)
{
	rk_vec_for_each(&list->list, patch) {
		rk_vec_for_each(&patch->objects, object)
			rk_vec_deinit(&object->funcs);
		rk_vec_deinit(&patch->objects);
	}
	rk_vec_deinit(&list->list);
	rk_arena_deinit(&list->arena);
}
