/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A release: the levels that one kernel build has in one channel. */
#include <string.h>

#include "lib/base/str.h"
#include "lib/trust/internal.h"

#define KERNEL_RELEASE_MAX 64 /* struct utsname's fields have 65 bytes */

struct release_fields {
	const char *product, *channel;
	uint64_t version;
	int64_t issued;
};
static const struct rk_json_field release_fields[] = {
	RK_JSON_FIELD(release_fields, product, "product", STRING),
	RK_JSON_FIELD(release_fields, channel, "channel", STRING),
	RK_JSON_FIELD(release_fields, version, "version", U64),
	RK_JSON_FIELD(release_fields, issued, "issued", TIME),
};

static const struct rk_json_field kernel_fields[] = {
	RK_JSON_FIELD(rk_kernel_id, release, "release", STRING),
	RK_JSON_FIELD(rk_kernel_id, version, "version", STRING),
	RK_JSON_FIELD(rk_kernel_id, build_id, "build_id", STRING),
	RK_JSON_FIELD(rk_kernel_id, arch, "arch", STRING),
};

static const struct rk_json_field level_fields[] = {
	RK_JSON_FIELD(rk_release_level, level, "level", U64),
	RK_JSON_FIELD(rk_release_level, name, "name", STRING),
	RK_JSON_FIELD(rk_release_level, file, "file", STRING),
	RK_JSON_FIELD(rk_release_level, length, "length", U64),
	RK_JSON_FIELD(rk_release_level, sha256, "sha256", SHA256),
	RK_JSON_FIELD(rk_release_level, evidence_sha256, "evidence_sha256", OPTIONAL_SHA256),
	RK_JSON_FIELD(rk_release_level, without_evidence, "without_evidence", OPTIONAL),
	RK_JSON_FIELD(rk_release_level, fixes, "fixes", U64),
	RK_JSON_FIELD(rk_release_level, released, "released", TIME),
};

/* Part of paths on hosts: no '/', no leading '.', nothing that a terminal would take as a command. */
static bool is_plain_word(const char *text)
{
	size_t len = strlen(text);

	if (len == 0 || len > KERNEL_RELEASE_MAX || text[0] == '.' || text[0] == '-')
		return false;
	for (const char *c = text; *c; c++)
		if (*c <= ' ' || *c > '~' || *c == '/' || *c == '\\')
			return false;
	return true;
}

static struct rk_err *bad_name(const struct rk_json_reader *r, const char *path, const char *key)
{
	return rk_err(RK_ERR_NAME, "'%s': '%s.%s' is not a name that may be used", r->name, path,
		      key);
}

static struct rk_err *read_kernel(const struct rk_json_reader *r, const json_t *doc,
				  struct rk_kernel_id *ret)
{
	const json_t *object;

	RK_TRY(rk_json_object(r, "", doc, "kernel", &object));
	RK_TRY(rk_json_fields(r, "kernel", object, kernel_fields, ARRAY_SIZE(kernel_fields), ret));
	RK_TRY(rk_payload_check_build_id(r, "kernel", ret->build_id));
	if (!is_plain_word(ret->release))
		return bad_name(r, "kernel", "release");
	if (!is_plain_word(ret->arch))
		return bad_name(r, "kernel", "arch");
	return NULL;
}

static struct rk_err *check_level(const struct rk_json_reader *r, const char *path,
				  const struct rk_release *release,
				  const struct rk_release_level *level)
{
	uint64_t below = release->levels.nr ? release->levels.v[release->levels.nr - 1].level : 0;

	if (level->level <= below)
		return rk_err(RK_ERR_FORMAT, "'%s': '%s.level' is not above %llu", r->name, path,
			      (unsigned long long)below);
	if (!rk_is_patch_name(level->name))
		return bad_name(r, path, "name");
	if (strlen(level->file) != strlen(level->sha256) + strlen(".ko") ||
	    !rk_has_prefix(level->file, level->sha256) || !rk_has_suffix(level->file, ".ko"))
		return bad_name(r, path, "file");
	if (level->length > RK_PATCH_SIZE_MAX)
		return rk_err(RK_ERR_TOO_LARGE, "'%s': '%s' is a module of more than %u bytes",
			      r->name, path, RK_PATCH_SIZE_MAX);
	if (!level->evidence_sha256 == !level->without_evidence)
		return rk_err(
			RK_ERR_FORMAT,
			"'%s': '%s' has neither evidence nor the reason why there is none, or both",
			r->name, path);
	return NULL;
}

static struct rk_err *read_numbers(const struct rk_json_reader *r, const char *path,
				   const json_t *entry, struct rk_release_level *level)
{
	RK_JSON_NUMBERS(r, path, entry, "supersedes", false, &level->supersedes);
	return NULL;
}

static void level_deinit(struct rk_release_level *level)
{
	rk_vec_deinit(&level->cves_added);
	rk_vec_deinit(&level->supersedes);
}

static struct rk_err *read_level(const struct rk_json_reader *r, size_t i, const json_t *entry,
				 struct rk_release *release)
{
	_cleanup_(level_deinit) struct rk_release_level level = {};
	const char *path;

	RK_TRY(rk_json_entry(r, "", "levels", i, entry, &path));
	RK_TRY(rk_json_fields(r, path, entry, level_fields, ARRAY_SIZE(level_fields), &level));
	RK_TRY(check_level(r, path, release, &level));
	RK_TRY(rk_json_strings(r, path, entry, "cves_added", false, &level.cves_added));
	RK_TRY(read_numbers(r, path, entry, &level));
	if (!rk_vec_push(&release->levels, level))
		return rk_err_nomem();
	level = (struct rk_release_level){};
	return NULL;
}

static struct rk_err *read_covered(const struct rk_json_reader *r, const json_t *doc, int64_t *ret)
{
	static const struct rk_json_field field = {"covered_until", RK_JSON_TIME, 0};

	if (json_is_null(json_object_get(doc, "covered_until")))
		return NULL;
	return rk_json_fields(r, "", doc, &field, 1, ret);
}

static struct rk_err *read_release(const struct rk_json_reader *r, const json_t *doc,
				   struct rk_release *release)
{
	struct release_fields fields = {};
	const json_t *list;

	RK_TRY(rk_json_fields(r, "", doc, release_fields, ARRAY_SIZE(release_fields), &fields));
	RK_TRY(rk_payload_check_version(r, fields.version));
	release->product = fields.product;
	release->version = fields.version;
	release->issued = fields.issued;
	if (!is_plain_word(release->product))
		return rk_err(RK_ERR_NAME, "'%s': 'product' is not a name that may be used",
			      r->name);
	RK_TRY(rk_err_wrap(rk_channel_parse(fields.channel, &release->channel), "'%s'", r->name));
	RK_TRY(read_kernel(r, doc, &release->kernel));
	RK_TRY(read_covered(r, doc, &release->covered_until));
	RK_TRY(rk_json_list(r, "", doc, "levels", false, &list));
	for (size_t i = 0; i < json_array_size(list); i++)
		RK_TRY(read_level(r, i, json_array_get(list, i), release));
	return NULL;
}

struct rk_err *rk_release_parse(const char *name, const char *json, size_t len,
				struct rk_release **ret)
{
	_cleanup_json_ json_t *doc = NULL;
	_cleanup_release_ struct rk_release *release = NULL;

	RK_TRY(rk_json_load_schema(name, json, len, RK_RELEASE_SCHEMA, &doc));
	release = calloc(1, sizeof(*release));
	if (!release)
		return rk_err_nomem();
	RK_TRY(read_release(&(struct rk_json_reader){name, &release->arena}, doc, release));
	*ret = take_ptr(release);
	return NULL;
}

void rk_release_free(struct rk_release *release)
{
	if (!release)
		return;
	rk_vec_for_each(&release->levels, level)
		level_deinit(level);
	rk_vec_deinit(&release->levels);
	rk_arena_deinit(&release->arena);
	free(release);
}

const struct rk_release_level *rk_release_find(const struct rk_release *release, uint64_t level)
{
	rk_vec_for_each(&release->levels, it)
		if (it->level == level)
			return it;
	return NULL;
}

static json_t *level_json(const struct rk_release_level *level)
{
	json_t *supersedes = json_array();

	rk_vec_for_each(&level->supersedes, it)
		json_array_append_new(supersedes, json_integer((json_int_t)*it));
	return json_pack("{s:I, s:s, s:s, s:I, s:s, s:o, s:o, s:I, s:o, s:o, s:o}", "level",
			 (json_int_t)level->level, "name", level->name, "file", level->file,
			 "length", (json_int_t)level->length, "sha256", level->sha256,
			 "evidence_sha256", rk_json_text(level->evidence_sha256),
			 "without_evidence", rk_json_text(level->without_evidence), "fixes",
			 (json_int_t)level->fixes, "cves_added",
			 rk_json_texts(level->cves_added.v, level->cves_added.nr), "supersedes",
			 supersedes, "released", rk_json_time(level->released));
}

struct rk_err *rk_release_write(const struct rk_release *release, char **ret)
{
	const struct rk_kernel_id *kernel = &release->kernel;
	json_t *levels = json_array();

	rk_vec_for_each(&release->levels, level)
		json_array_append_new(levels, level_json(level));
	return rk_json_dump(
		json_pack("{s:s, s:s, s:{s:s, s:s, s:s, s:s}, s:s, s:I, s:o, s:o, s:o}", "schema",
			  RK_RELEASE_SCHEMA, "product", release->product, "kernel", "release",
			  kernel->release, "version", kernel->version, "build_id", kernel->build_id,
			  "arch", kernel->arch, "channel", rk_channel_name(release->channel),
			  "version", (json_int_t)release->version, "issued",
			  rk_json_time(release->issued), "covered_until",
			  rk_json_time_or_null(release->covered_until), "levels", levels),
		RK_JSON_READABLE, ret);
}
