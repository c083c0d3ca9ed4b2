/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records of loaded patches, and the question whether a record or a file is of the module that is loaded. */
#include "lib/livepatch/known.h"

#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/json.h"
#include "lib/base/str.h"
#include "lib/livepatch/store.h"

#define RECORD_SCHEMA "kpatch-record/1"
#define RECORD_MAX    (32u << 20)

bool rk_livepatch_is_cumulative(const struct rk_manifest *manifest)
{
	return manifest && manifest->replace;
}

static char *record_path(const struct rk_livepatch_roots *roots, const char *name)
{
	return rk_asprintf("%s/%s.json", roots->run, name);
}

static struct rk_err *record_text(const char *path, const struct rk_module_info *info, char **ret)
{
	json_t *manifest = NULL;

	if (info->manifest)
		RK_TRY(rk_manifest_document(info->manifest, &manifest));
	/* '*': left out when NULL */
	return rk_json_dump(json_pack("{s:s, s:s, s:s, s:s, s:s*, s:o*}", "schema", RECORD_SCHEMA,
				      "name", info->name, "path", path, "sha256", info->sha256,
				      "build_id", info->build_id, "manifest", manifest),
			    RK_JSON_READABLE, ret);
}

struct rk_err *rk_livepatch_remember(const struct rk_livepatch_roots *roots, const char *path,
				     const struct rk_module_info *info)
{
	_cleanup_free_ char *file = record_path(roots, info->name);
	_cleanup_free_ char *text = NULL;

	if (!file)
		return rk_err_nomem();
	RK_TRY(record_text(path, info, &text));
	RK_TRY(rk_fs_mkdir_p(roots->run, 0755));
	return rk_fs_write(file, text, strlen(text), 0644);
}

void rk_livepatch_forget(const struct rk_livepatch_roots *roots, const char *name)
{
	_cleanup_free_ char *file = record_path(roots, name);

	if (file)
		unlink(file);
}

void rk_livepatch_known_deinit(struct rk_livepatch_known *known)
{
	free(known->path);
	free(known->sha256);
	free(known->build_id);
	rk_manifest_free(known->manifest);
	*known = (struct rk_livepatch_known){};
}

/* Two modules of one name are told apart by their build-ids; one without is known by its name only. */
static bool is_of(const char *build_id, const char *loaded)
{
	return build_id && loaded ? rk_streq(build_id, loaded) : !build_id && !loaded;
}

static struct rk_err *copy(const char *text, char **ret)
{
	*ret = text ? strdup(text) : NULL;
	return text && !*ret ? rk_err_nomem() : NULL;
}

static struct rk_err *from_json(const char *file, const json_t *record, const char *build_id,
				struct rk_livepatch_known *known)
{
	const char *schema = json_string_value(json_object_get(record, "schema"));
	const json_t *manifest = json_object_get(record, "manifest");

	if (!schema || !rk_streq(schema, RECORD_SCHEMA) ||
	    !is_of(json_string_value(json_object_get(record, "build_id")), build_id))
		return NULL;
	if (manifest)
		RK_TRY(rk_manifest_from_document(file, manifest, &known->manifest));
	RK_TRY(copy(json_string_value(json_object_get(record, "path")), &known->path));
	return copy(json_string_value(json_object_get(record, "sha256")), &known->sha256);
}

/* A record that can't be read says nothing. */
static struct rk_err *from_record(const struct rk_livepatch_roots *roots, const char *name,
				  const char *build_id, struct rk_livepatch_known *known)
{
	_cleanup_free_ char *file = record_path(roots, name);
	_cleanup_free_ char *text = NULL;
	struct rk_err *err;
	size_t len;

	if (!file)
		return rk_err_nomem();
	if (!rk_fs_exists(file))
		return NULL;
	err = rk_fs_read(file, RECORD_MAX, &text, &len);
	json_t *record = err ? NULL : json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	if (record)
		err = from_json(file, record, build_id, known);
	json_decref(record);
	if (err && rk_err_code(err) == RK_ERR_NOMEM)
		return err;
	rk_err_free(err);
	return NULL;
}

static struct rk_err *from_store(const struct rk_livepatch_roots *roots, const char *release,
				 const char *name, const char *build_id,
				 struct rk_livepatch_known *known)
{
	_cleanup_module_info_ struct rk_module_info *info = NULL;
	_cleanup_free_ char *path = NULL;
	struct rk_err *err;

	RK_TRY(rk_installed_find(roots, release, name, &path));
	if (!path || !build_id)
		return NULL;
	err = rk_module_info_read(path, &info);
	if (err && rk_err_code(err) == RK_ERR_NOMEM)
		return err;
	rk_err_free(err);
	if (!info || !is_of(info->build_id, build_id))
		return NULL;
	RK_TRY(copy(info->sha256, &known->sha256));
	known->path = take_ptr(path);
	known->manifest = take_ptr(info->manifest);
	return NULL;
}

struct rk_err *rk_livepatch_recall(const struct rk_livepatch_roots *roots, const char *release,
				   const char *name, struct rk_livepatch_known *ret)
{
	_cleanup_known_ struct rk_livepatch_known known = {};
	_cleanup_arena_ struct rk_arena arena = RK_ARENA_INIT;
	struct rk_running_module module;

	RK_TRY(rk_running_module(roots, name, &arena, &module));
	RK_TRY(copy(module.build_id, &known.build_id));
	RK_TRY(from_record(roots, name, module.build_id, &known));
	if (!known.path)
		RK_TRY(from_store(roots, release, name, module.build_id, &known));
	*ret = known;
	known = (struct rk_livepatch_known){};
	return NULL;
}
