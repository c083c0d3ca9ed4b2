/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Levels on disk: listed by their records, which are written last and removed first. */
#include "lib/host/patches.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/fs.h"
#include "lib/base/hex.h"
#include "lib/base/json.h"
#include "lib/base/sha256.h"
#include "lib/base/str.h"
#include "lib/host/json_write.h"
#include "lib/trust/names.h"

#define PATCH_SCHEMA "readykernel-patch/1"
#define PATCH_MAX    (2u << 20) /* thousands of CVEs */
#define LEVELS_MAX   4096	/* records in one directory */

static const struct rk_json_field fields[] = {
	RK_JSON_FIELD(rk_patch, level, "level", U64),
	RK_JSON_FIELD(rk_patch, name, "name", STRING),
	RK_JSON_FIELD(rk_patch, build_id, "build_id", STRING),
	RK_JSON_FIELD(rk_patch, release, "release", STRING),
	RK_JSON_FIELD(rk_patch, version, "version", STRING),
	RK_JSON_FIELD(rk_patch, arch, "arch", STRING),
	RK_JSON_FIELD(rk_patch, sha256, "sha256", SHA256),
	RK_JSON_FIELD(rk_patch, length, "length", U64),
	RK_JSON_FIELD(rk_patch, channel, "channel", STRING),
	RK_JSON_FIELD(rk_patch, product, "product", OPTIONAL),
	RK_JSON_FIELD(rk_patch, released, "released", TIME),
	RK_JSON_FIELD(rk_patch, covered_until, "covered_until", TIME),
	RK_JSON_FIELD(rk_patch, official, "official", BOOL),
};

struct rk_err *rk_patch_to_json(const struct rk_patch *patch, char **ret)
{
	_cleanup_json_ json_t *root = json_object();

	if (!root)
		return rk_err_nomem();
	RK_TRY(rk_json_set(root, "schema", json_string(PATCH_SCHEMA)));
	RK_TRY(rk_json_write(root, fields, ARRAY_SIZE(fields), patch));
	RK_TRY(rk_json_set(root, "cves", rk_json_texts(patch->cves, patch->nr_cves)));
	return rk_json_dump(take_ptr(root), RK_JSON_READABLE, ret);
}

static struct rk_err *check_names(const struct rk_json_reader *r, const json_t *root,
				  const struct rk_patch *patch)
{
	if (!patch->level)
		return rk_json_wrong(r, "", "level", root, "a number from 1 up");
	if (!rk_is_patch_name(patch->name))
		return rk_json_wrong(r, "", "name", root, "a module's name");
	if (!rk_is_build_id(patch->build_id))
		return rk_json_wrong(r, "", "build_id", root, "a build-id");
	return NULL;
}

struct rk_err *rk_patch_parse(const char *name, const char *json, size_t len,
			      struct rk_arena *arena, struct rk_patch *ret)
{
	struct rk_json_reader r = {.name = name, .arena = arena};
	_cleanup_json_ json_t *root = NULL;
	struct rk_json_strings cves = {};
	struct rk_patch patch = {};
	struct rk_err *err;

	if (len > PATCH_MAX)
		return rk_err(RK_ERR_LIMIT, "'%s' is larger than %u bytes", name, PATCH_MAX);
	RK_TRY(rk_json_load_schema(name, json, len, PATCH_SCHEMA, &root));
	RK_TRY(rk_json_fields(&r, "", root, fields, ARRAY_SIZE(fields), &patch));
	RK_TRY(check_names(&r, root, &patch));
	err = rk_json_read_strings(&r, "", root, "cves", false, &cves);
	if (!err && cves.nr) {
		patch.nr_cves = cves.nr;
		patch.cves = rk_arena_memdup(arena, cves.v, cves.nr * sizeof(*cves.v));
		if (!patch.cves)
			err = rk_err_nomem();
	}
	rk_vec_deinit(&cves);
	if (!err)
		*ret = patch;
	return err;
}

static char *patch_dir(const struct rk_host *host, const char *build_id)
{
	return rk_asprintf("%s/%s", host->patches_dir, build_id);
}

/* The level a record's file name says: "12.json"; 0 for any other name. */
static uint64_t level_of(const char *name)
{
	uint64_t level;

	if (*name == '0' || !rk_scan_u64(&name, INT64_MAX, &level))
		return 0;
	return rk_streq(name, ".json") ? level : 0;
}

static struct rk_err *read_record(const struct rk_host *host, const char *dir, const char *build_id,
				  uint64_t level, struct rk_arena *arena, struct rk_patch *ret)
{
	_cleanup_free_ char *path = rk_asprintf("%s/%" PRIu64 ".json", dir, level);
	_cleanup_free_ char *text = NULL;
	struct rk_patch patch;
	size_t len;

	if (!path)
		return rk_err_nomem();
	RK_TRY(rk_host_check_owner(host, path));
	RK_TRY(rk_fs_read(path, PATCH_MAX, &text, &len));
	RK_TRY(rk_patch_parse(path, text, len, arena, &patch));
	if (patch.level != level || !rk_streq(patch.build_id, build_id))
		return rk_err(RK_ERR_MISMATCH, "'%s' is the record of another level or kernel",
			      path);
	patch.module_path = rk_arena_printf(arena, "%s/%s.ko", dir, patch.sha256);
	patch.signed_path = rk_arena_printf(arena, "%s/%s.signed", dir, patch.sha256);
	if (!patch.module_path || !patch.signed_path)
		return rk_err_nomem();
	RK_TRY(rk_host_check_owner(host, patch.module_path));
	if (!rk_fs_exists(patch.signed_path))
		patch.signed_path = NULL;
	if (patch.official && !patch.signed_path)
		return rk_err(RK_ERR_NOT_FOUND,
			      "'%s' is an official level without its signed release", path);
	*ret = patch;
	return NULL;
}

static struct rk_err *add_level(const struct rk_host *host, const char *dir, const char *build_id,
				uint64_t level, struct rk_patches *patches)
{
	struct rk_patch patch;
	struct rk_err *err = read_record(host, dir, build_id, level, &patches->arena, &patch);
	const char *text;

	if (!err)
		return rk_vec_push(&patches->list, patch) ? NULL : rk_err_nomem();
	if (rk_err_code(err) == RK_ERR_NOMEM)
		return err;
	text = rk_arena_strdup(&patches->arena, rk_err_message(err));
	rk_err_free(err);
	return text && rk_vec_push(&patches->damaged, text) ? NULL : rk_err_nomem();
}

static int compare_level(const void *a, const void *b)
{
	const struct rk_patch *x = a, *y = b;

	return (x->level > y->level) - (x->level < y->level);
}

static struct rk_err *list_dir(const struct rk_host *host, const char *dir, const char *build_id,
			       struct rk_patches *patches)
{
	_cleanup_closedir_ DIR *stream = opendir(dir);
	struct dirent *ent;

	if (!stream && errno == ENOENT)
		return NULL;
	if (!stream)
		return rk_err_sys(errno, "cannot open '%s'", dir);
	RK_TRY(rk_host_check_owner(host, dir));
	while ((ent = readdir(stream))) {
		uint64_t level = level_of(ent->d_name);

		if (!level)
			continue;
		if (patches->list.nr + patches->damaged.nr >= LEVELS_MAX)
			return rk_err(RK_ERR_LIMIT, "'%s' holds more than %u levels", dir,
				      LEVELS_MAX);
		RK_TRY(add_level(host, dir, build_id, level, patches));
	}
	if (patches->list.nr)
		qsort(patches->list.v, patches->list.nr, sizeof(*patches->list.v), compare_level);
	return NULL;
}

struct rk_err *rk_patches_list(const struct rk_host *host, const char *build_id,
			       struct rk_patches **ret)
{
	_cleanup_patches_ struct rk_patches *patches = calloc(1, sizeof(*patches));
	_cleanup_free_ char *dir = patch_dir(host, build_id);

	if (!patches || !dir)
		return rk_err_nomem();
	if (!rk_is_build_id(build_id))
		return rk_err(RK_ERR_NAME, "'%s' is no build-id", build_id);
	RK_TRY(list_dir(host, dir, build_id, patches));
	*ret = take_ptr(patches);
	return NULL;
}

void rk_patches_free(struct rk_patches *patches)
{
	if (!patches)
		return;
	rk_vec_deinit(&patches->list);
	rk_vec_deinit(&patches->damaged);
	rk_arena_deinit(&patches->arena);
	free(patches);
}

const struct rk_patch *rk_patches_find(const struct rk_patches *patches, uint64_t level)
{
	rk_vec_for_each(&patches->list, patch)
		if (patch->level == level)
			return patch;
	return NULL;
}

const struct rk_patch *rk_patches_find_name(const struct rk_patches *patches, const char *name)
{
	rk_vec_for_each(&patches->list, patch)
		if (rk_streq(patch->name, name))
			return patch;
	return NULL;
}

struct rk_err *rk_patch_check_file(const struct rk_patch *patch, const char *path)
{
	char sha256[RK_SHA256_HEX_SIZE];
	struct stat st;

	if (stat(path, &st))
		return rk_err_sys(errno, "cannot read '%s'", path);
	if ((uint64_t)st.st_size != patch->length)
		return rk_err(RK_ERR_HASH, "'%s' has %jd bytes, level %" PRIu64 " has %" PRIu64,
			      path, (intmax_t)st.st_size, patch->level, patch->length);
	RK_TRY(rk_sha256_file(path, sha256));
	if (!rk_streq(sha256, patch->sha256))
		return rk_err(RK_ERR_HASH,
			      "'%s' is not the module of level %" PRIu64
			      ": its SHA-256 is %s, not %s",
			      path, patch->level, sha256, patch->sha256);
	return NULL;
}
