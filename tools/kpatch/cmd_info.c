/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kpatch info: what a patch module file says of itself, or what the kernel says of a loaded patch. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/json.h"
#include "lib/base/str.h"
#include "tools/common/render.h"
#include "tools/kpatch/kpatch.h"

/* --- a file --- */

static struct rk_err *file_json(const struct rk_module_info *info, json_t **ret)
{
	json_t *manifest = NULL;

	if (info->manifest)
		RK_TRY(rk_manifest_document(info->manifest, &manifest));
	json_t *doc = rk_render_document("kpatch-info", 1);

	json_object_set_new(doc, "name", json_string(info->name));
	json_object_set_new(doc, "vermagic", json_string(info->vermagic));
	json_object_set_new(doc, "build_id", rk_json_text(info->build_id));
	json_object_set_new(doc, "sha256", json_string(info->sha256));
	json_object_set_new(doc, "livepatch", json_boolean(info->is_livepatch));
	json_object_set_new(doc, "signed", json_boolean(info->is_signed));
	json_object_set_new(doc, "manifest", manifest ? manifest : json_null());
	*ret = doc;
	return NULL;
}

static void show_line(const char *key, const char *value)
{
	if (value)
		printf("%-12s %s\n", key, value);
}

static void show_lasting(const struct rk_manifest *m)
{
	rk_vec_for_each(&m->callbacks, callback)
		printf("%-12s %s %s %s\n", "callback", callback->object, callback->kind,
		       callback->function);
	rk_vec_for_each(&m->states, state)
		printf("%-12s %" PRIu64 " version %u\n", "state", state->id, state->version);
	rk_vec_for_each(&m->shadow_ids, id)
		printf("%-12s %" PRIu64 "\n", "shadow id", *id);
}

static void show_manifest(const struct rk_manifest *m)
{
	printf("%-12s %llu\n", "level", (unsigned long long)m->level);
	show_line("target", m->target_id);
	show_line("kernel", m->version);
	kpatch_show_fixes("fix          ", m);
	rk_vec_for_each(&m->funcs, func)
		printf("%-12s %s %s\n", "function", func->object, func->name);
	show_lasting(m);
	show_line("made by", m->tool_version);
}

static struct rk_err *info_of_file(const struct rk_cli *cli, const char *path)
{
	_cleanup_module_info_ struct rk_module_info *info = NULL;

	RK_TRY(rk_module_info_read(path, &info));
	if (cli->json) {
		json_t *doc;

		RK_TRY(file_json(info, &doc));
		return rk_render_json(doc);
	}
	show_line("name", info->name);
	show_line("vermagic", info->vermagic);
	show_line("build-id", info->build_id);
	show_line("sha256", info->sha256);
	show_line("livepatch", info->is_livepatch ? "yes" : "no");
	show_line("signed", info->is_signed ? "yes" : "no");
	if (info->manifest)
		show_manifest(info->manifest);
	return NULL;
}

/* --- a loaded patch --- */

static json_t *loaded_json(const struct rk_livepatch *patch, const struct rk_livepatch_known *known)
{
	json_t *doc = rk_render_document("kpatch-info", 1);
	json_t *functions = json_array();

	rk_vec_for_each(&patch->objects, object)
		rk_vec_for_each(&object->funcs, func)
			json_array_append_new(functions, json_pack("{s:s, s:s, s:i, s:b}", "object",
								   object->name, "name", func->name,
								   "sympos", (int)func->sympos,
								   "patched", object->patched));
	json_object_set_new(doc, "name", json_string(patch->name));
	json_object_set_new(doc, "state", json_string(rk_livepatch_state_name(patch->state)));
	json_object_set_new(doc, "refcount", json_integer(patch->refcount));
	json_object_set_new(doc, "taint", json_string(patch->taint));
	json_object_set_new(doc, "functions", functions);
	json_object_set_new(doc, "file", rk_json_text(known->path));
	json_object_set_new(doc, "fixes",
			    known->manifest ? kpatch_fixes_json(known->manifest) : json_null());
	return doc;
}

static struct rk_err *show_loaded(const struct rk_cli *cli, const struct rk_livepatch *patch,
				  const struct rk_livepatch_known *known)
{
	if (cli->json)
		return rk_render_json(loaded_json(patch, known));
	show_line("name", patch->name);
	show_line("state", rk_livepatch_state_name(patch->state));
	printf("%-12s %d\n", "references", patch->refcount);
	show_line("taint", patch->taint);
	show_line("file", known->path);
	if (known->manifest)
		kpatch_show_fixes("fix          ", known->manifest);
	rk_vec_for_each(&patch->objects, object)
		rk_vec_for_each(&object->funcs, func)
			printf("%-12s %s %s%s\n", "function", object->name, func->name,
			       object->patched ? "" : " (not loaded)");
	return NULL;
}

/* A loaded patch, else an installed one. */
static struct rk_err *info_of_name(const struct rk_cli *cli, const struct kpatch_place *place,
				   const char *text)
{
	_cleanup_livepatch_list_ struct rk_livepatch_list list = {};
	_cleanup_running_ struct rk_running running = {};
	_cleanup_known_ struct rk_livepatch_known known = {};
	_cleanup_free_ char *name = rk_livepatch_module_name(text);
	_cleanup_free_ char *path = NULL;

	if (!name)
		return rk_err_nomem();
	RK_TRY(rk_running_read(&place->roots, &running));
	struct rk_err *err = rk_livepatch_list(&place->roots, &list);

	/* what is installed can be looked at on any kernel */
	if (err && rk_err_code(err) != RK_ERR_UNSUPPORTED)
		return err;
	rk_err_free(err);
	rk_vec_for_each(&list.list, patch) {
		if (!rk_streq(patch->name, name))
			continue;
		RK_TRY(rk_livepatch_recall(&place->roots, running.release, name, &known));
		return show_loaded(cli, patch, &known);
	}
	RK_TRY(rk_installed_find(&place->roots, running.release, name, &path));
	if (path)
		return info_of_file(cli, path);
	return rk_err(RK_ERR_NOT_FOUND,
		      "'%s' is neither a file nor a loaded live patch, nor is it installed", text);
}

static struct rk_err *info(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	const char *what = cli->operands[0];
	_cleanup_place_ struct kpatch_place place = {};

	(void)ret_exit;
	if (kpatch_is_path(what))
		return info_of_file(cli, what);
	RK_TRY(kpatch_place_init(cli, &place));
	return info_of_name(cli, &place, what);
}

static const struct rk_option options[] = {KPATCH_OPT_ROOT, RK_OPT_END};

const struct rk_verb verb_info = {
	.name = "info",
	.operands = "FILE|NAME",
	.summary = "show what a patch module contains, or a loaded patch and its functions",
	.options = options,
	.values_size = sizeof(struct kpatch_values),
	.min_operands = 1,
	.max_operands = 1,
	.has_json = true,
	.run = info,
};
