/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kpatch list: the live patches that are loaded, with state, and who holds up a transition. */
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

static json_t *patch_json(const struct rk_livepatch *patch)
{
	json_t *objects = json_array();

	rk_vec_for_each(&patch->objects, object)
		json_array_append_new(objects, object_json(object));
	return json_pack("{s:s, s:s, s:i, s:s, s:o}", "name", patch->name, "state",
			 rk_livepatch_state_name(patch->state), "refcount", patch->refcount,
			 "taint", patch->taint, "objects", objects);
}

static json_t *blockers_json(const struct rk_livepatch_blockers *blockers)
{
	json_t *array = json_array();

	rk_vec_for_each(&blockers->list, it)
		json_array_append_new(array, json_pack("{s:i, s:s, s:s}", "pid", it->pid, "comm",
						       it->comm, "stack", it->stack));
	return array;
}

static struct rk_err *show_json(const struct rk_livepatch_list *list,
				const struct rk_livepatch_blockers *blockers)
{
	json_t *doc = rk_render_document("kpatch-list", 1);
	json_t *patches = json_array();

	rk_vec_for_each(&list->list, patch)
		json_array_append_new(patches, patch_json(patch));
	json_object_set_new(doc, "loaded", patches);
	json_object_set_new(doc, "blockers", blockers_json(blockers));
	return rk_render_json(doc);
}

static void show_text(const struct rk_livepatch_list *list,
		      const struct rk_livepatch_blockers *blockers)
{
	if (!list->list.nr)
		printf("no live patch is loaded\n");
	else
		printf("loaded live patches:\n");
	rk_vec_for_each(&list->list, patch)
		printf("  %s [%s]\n", patch->name, rk_livepatch_state_name(patch->state));
	rk_vec_for_each(&blockers->list, it)
		printf("held up by %s (%d)\n", it->comm, it->pid);
}

static struct rk_err *list_patches(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	_cleanup_livepatch_list_ struct rk_livepatch_list list = {};
	_cleanup_livepatch_blockers_ struct rk_livepatch_blockers blockers = {};

	RK_TRY(rk_livepatch_list(&rk_livepatch_roots, &list));
	rk_vec_for_each(&list.list, patch) {
		/* one transition at a time: at most one patch is in it */
		if (patch->state != RK_LIVEPATCH_ENABLING && patch->state != RK_LIVEPATCH_DISABLING)
			continue;
		RK_TRY(rk_livepatch_blockers(&rk_livepatch_roots,
					     patch->state == RK_LIVEPATCH_ENABLING, &blockers));
		break;
	}
	if (cli->json)
		return show_json(&list, &blockers);
	show_text(&list, &blockers);
	return NULL;
}

const struct rk_verb verb_list = {
	.name = "list",
	.summary = "show the live patches that are loaded",
	.has_json = true,
	.run = list_patches,
};
