/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kpatch list: the live patches that are loaded, with state and fixes; who holds up a transition; what is installed. */
#include <stdio.h>

#include "tools/common/render.h"
#include "tools/kpatch/kpatch.h"

static json_t *object_json(const struct rk_livepatch_object *object)
{
	json_t *funcs = json_array();

	rk_vec_for_each(&object->funcs, func)
		json_array_append_new(funcs, json_pack("{s:s, s:i}", "name", func->name, "sympos",
						       (int)func->sympos));
	return json_pack("{s:s, s:b, s:o}", "name", object->name, "patched", object->patched,
			 "functions", funcs);
}

static json_t *patch_json(const struct rk_livepatch *patch, const struct rk_livepatch_known *known)
{
	json_t *objects = json_array();

	rk_vec_for_each(&patch->objects, object)
		json_array_append_new(objects, object_json(object));
	return json_pack(
		"{s:s, s:s, s:i, s:s, s:s?, s:o, s:o, s:o}", "name", patch->name, "state",
		rk_livepatch_state_name(patch->state), "refcount", patch->refcount, "taint",
		patch->taint, "file", known->path, "objects", objects, "level",
		known->manifest ? json_integer((json_int_t)known->manifest->level) : json_null(),
		"fixes", known->manifest ? kpatch_fixes_json(known->manifest) : json_null());
}

static json_t *installed_json(const struct rk_installed *it)
{
	return json_pack("{s:s, s:s, s:s, s:o, s:s?}", "name", it->name, "kernel", it->release,
			 "file", it->path, "level",
			 it->has_manifest ? json_integer((json_int_t)it->level) : json_null(),
			 "error", it->error ? rk_err_message(it->error) : NULL);
}

static void show_patch(const struct rk_livepatch *patch, const struct rk_livepatch_known *known)
{
	printf("  %s [%s]", patch->name, rk_livepatch_state_name(patch->state));
	if (known->manifest)
		printf(" level %llu", (unsigned long long)known->manifest->level);
	printf("\n");
	if (known->manifest)
		kpatch_show_fixes("    ", known->manifest);
}

static void show_file(const struct rk_installed *it)
{
	printf("  %s (%s)", it->name, it->release);
	if (it->error)
		printf(": %s", rk_err_message(it->error));
	if (it->has_manifest)
		printf(" level %llu, %zu fix%s", (unsigned long long)it->level, it->nr_fixes,
		       it->nr_fixes == 1 ? "" : "es");
	printf("\n");
}

static void show_installed(const struct rk_installed_list *installed)
{
	printf(installed->list.nr ? "installed:\n" : "no patch is installed\n");
	rk_vec_for_each(&installed->list, it)
		show_file(it);
}

/* Shows or adds to the document what is loaded, each with what is known of it. */
static struct rk_err *show_loaded(const struct kpatch_place *place,
				  const struct rk_livepatch_list *list, json_t *patches)
{
	_cleanup_running_ struct rk_running running = {};

	RK_TRY(rk_running_read(&place->roots, &running));
	if (!patches)
		printf(list->list.nr ? "loaded live patches:\n" : "no live patch is loaded\n");
	rk_vec_for_each(&list->list, patch) {
		_cleanup_known_ struct rk_livepatch_known known = {};

		RK_TRY(rk_livepatch_recall(&place->roots, running.release, patch->name, &known));
		if (patches)
			json_array_append_new(patches, patch_json(patch, &known));
		else
			show_patch(patch, &known);
	}
	return NULL;
}

struct rk_err *kpatch_read_blockers(const struct kpatch_place *place,
				    const struct rk_livepatch_list *list,
				    struct rk_livepatch_blockers *ret)
{
	/* one transition at a time: at most one patch is in it */
	rk_vec_for_each(&list->list, patch)
		if (rk_livepatch_is_moving(patch->state))
			return rk_livepatch_blockers(&place->roots,
						     patch->state == RK_LIVEPATCH_ENABLING, ret);
	return NULL;
}

static struct rk_err *show_json(const struct kpatch_place *place,
				const struct rk_livepatch_list *list,
				const struct rk_livepatch_blockers *blockers,
				const struct rk_installed_list *installed)
{
	json_t *doc = rk_render_document("kpatch-list", 1);
	json_t *patches = json_array();
	json_t *files = json_array();

	json_object_set_new(doc, "loaded", patches);
	json_object_set_new(doc, "blockers", kpatch_blockers_json(blockers));
	json_object_set_new(doc, "installed", files);
	rk_vec_for_each(&installed->list, it)
		json_array_append_new(files, installed_json(it));
	struct rk_err *err = show_loaded(place, list, patches);
	if (!err)
		return rk_render_json(doc);
	json_decref(doc);
	return err;
}

static struct rk_err *list_patches(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	_cleanup_place_ struct kpatch_place place = {};
	_cleanup_livepatch_list_ struct rk_livepatch_list list = {};
	_cleanup_livepatch_blockers_ struct rk_livepatch_blockers blockers = {};
	_cleanup_installed_ struct rk_installed_list installed = {};

	(void)ret_exit;
	RK_TRY(kpatch_place_init(cli, &place));
	RK_TRY(rk_livepatch_list(&place.roots, &list));
	RK_TRY(kpatch_read_blockers(&place, &list, &blockers));
	RK_TRY(rk_installed_list(&place.roots, NULL, &installed));
	if (cli->json)
		return show_json(&place, &list, &blockers, &installed);
	RK_TRY(show_loaded(&place, &list, NULL));
	kpatch_show_blockers(stdout, &blockers);
	show_installed(&installed);
	return NULL;
}

static const struct rk_option options[] = {KPATCH_OPT_ROOT, RK_OPT_END};

const struct rk_verb verb_list = {
	.name = "list",
	.summary = "show the live patches that are loaded, and those that are installed",
	.options = options,
	.values_size = sizeof(struct kpatch_values),
	.has_json = true,
	.run = list_patches,
};
