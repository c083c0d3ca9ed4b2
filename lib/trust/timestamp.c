/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The timestamp: short-lived, says what is current (hashes of the index) and what must not be used. */
#include <string.h>

#include "lib/base/str.h"
#include "lib/trust/internal.h"

static const struct rk_json_field timestamp_fields[] = {
	RK_JSON_FIELD(rk_timestamp, version, "version", U64),
	RK_JSON_FIELD(rk_timestamp, issued, "issued", TIME),
	RK_JSON_FIELD(rk_timestamp, expires, "expires", TIME),
	RK_JSON_FIELD(rk_timestamp, is_bundle, "bundle", BOOL),
};

struct shard_fields {
	uint64_t length;
	const char *sha256;
};
static const struct rk_json_field shard_fields[] = {
	RK_JSON_FIELD(shard_fields, length, "length", U64),
	RK_JSON_FIELD(shard_fields, sha256, "sha256", SHA256),
};

static const struct rk_json_field blocked_fields[] = {
	RK_JSON_FIELD(rk_notice, build_id, "build_id", STRING),
	RK_JSON_FIELD(rk_notice, level, "level", U64),
	RK_JSON_FIELD(rk_notice, reason, "reason", STRING),
};
static const struct rk_json_field withdrawn_fields[] = {
	RK_JSON_FIELD(rk_notice, build_id, "build_id", STRING),
	RK_JSON_FIELD(rk_notice, level, "level", U64),
	RK_JSON_FIELD(rk_notice, to, "to", U64),
	RK_JSON_FIELD(rk_notice, reason, "reason", STRING),
};
static const struct rk_json_field minimum_fields[] = {
	RK_JSON_FIELD(rk_notice, build_id, "build_id", STRING),
	RK_JSON_FIELD(rk_notice, level, "level", U64),
};

static struct rk_err *read_shards(const struct rk_json_reader *r, const json_t *doc,
				  struct rk_timestamp *t)
{
	const json_t *list;

	RK_TRY(rk_json_list(r, "", doc, "index", false, &list));
	if (json_array_size(list) != RK_INDEX_SHARDS)
		return rk_err(RK_ERR_FORMAT, "'%s': 'index' has not %d entries", r->name,
			      RK_INDEX_SHARDS);
	for (size_t i = 0; i < RK_INDEX_SHARDS; i++) {
		const json_t *entry = json_array_get(list, i);
		struct shard_fields fields = {};
		const char *path;

		RK_TRY(rk_json_entry(r, "", "index", i, entry, &path));
		RK_TRY(rk_json_fields(r, path, entry, shard_fields, ARRAY_SIZE(shard_fields),
				      &fields));
		if (fields.length > RK_INDEX_SIZE_MAX)
			return rk_err(RK_ERR_TOO_LARGE, "'%s': '%s' has more than %u bytes",
				      r->name, path, RK_INDEX_SIZE_MAX);
		t->shards[i].length = fields.length;
		memcpy(t->shards[i].sha256, fields.sha256, RK_SHA256_HEX_SIZE);
	}
	return NULL;
}

static struct rk_err *check_notices(const struct rk_json_reader *r, const char *key,
				    const struct rk_notices *notices)
{
	for (size_t i = 0; i < notices->nr; i++) {
		const struct rk_notice *notice = &notices->v[i];
		const char *path = rk_arena_printf(r->arena, "%s[%zu]", key, i);

		if (!path)
			return rk_err_nomem();
		RK_TRY(rk_payload_check_build_id(r, path, notice->build_id));
		if (notice->to && notice->to >= notice->level)
			return rk_err(RK_ERR_FORMAT, "'%s': '%s.to' is not a lower level", r->name,
				      path);
	}
	return NULL;
}

static struct rk_err *read_notices(const struct rk_json_reader *r, const json_t *doc,
				   struct rk_timestamp *t)
{
	RK_JSON_LIST(r, "", doc, "blocked", false, &t->blocked, blocked_fields);
	RK_JSON_LIST(r, "", doc, "withdrawn", false, &t->withdrawn, withdrawn_fields);
	RK_JSON_LIST(r, "", doc, "minimum", false, &t->minimum, minimum_fields);
	RK_TRY(check_notices(r, "blocked", &t->blocked));
	RK_TRY(check_notices(r, "withdrawn", &t->withdrawn));
	return check_notices(r, "minimum", &t->minimum);
}

static struct rk_err *read_timestamp(const struct rk_json_reader *r, const json_t *doc,
				     struct rk_timestamp *t)
{
	RK_TRY(rk_json_fields(r, "", doc, timestamp_fields, ARRAY_SIZE(timestamp_fields), t));
	RK_TRY(rk_payload_check_version(r, t->version));
	RK_TRY(rk_payload_check_times(r, t->issued, t->expires));
	RK_TRY(read_shards(r, doc, t));
	return read_notices(r, doc, t);
}

struct rk_err *rk_timestamp_parse(const char *name, const char *json, size_t len,
				  struct rk_timestamp **ret)
{
	_cleanup_json_ json_t *doc = NULL;
	_cleanup_timestamp_ struct rk_timestamp *t = NULL;

	RK_TRY(rk_json_load_schema(name, json, len, RK_TIMESTAMP_SCHEMA, &doc));
	t = calloc(1, sizeof(*t));
	if (!t)
		return rk_err_nomem();
	RK_TRY(read_timestamp(&(struct rk_json_reader){name, &t->arena}, doc, t));
	*ret = take_ptr(t);
	return NULL;
}

void rk_timestamp_free(struct rk_timestamp *timestamp)
{
	if (!timestamp)
		return;
	rk_vec_deinit(&timestamp->blocked);
	rk_vec_deinit(&timestamp->withdrawn);
	rk_vec_deinit(&timestamp->minimum);
	rk_arena_deinit(&timestamp->arena);
	free(timestamp);
}

static const char *const state_names[] = {
	[RK_LEVEL_GOOD] = "good",
	[RK_LEVEL_BLOCKED] = "blocked",
	[RK_LEVEL_WITHDRAWN] = "withdrawn",
	[RK_LEVEL_BELOW_MINIMUM] = "below-minimum",
};

const char *rk_level_state_name(enum rk_level_state state)
{
	return state_names[state];
}

static const struct rk_notice *find_notice(const struct rk_notices *notices, const char *build_id,
					   uint64_t level)
{
	rk_vec_for_each(notices, notice)
		if (notice->level == level && rk_streq(notice->build_id, build_id))
			return notice;
	return NULL;
}

static const struct rk_notice *find_minimum(const struct rk_notices *notices, const char *build_id,
					    uint64_t level)
{
	rk_vec_for_each(notices, notice)
		if (level < notice->level && rk_streq(notice->build_id, build_id))
			return notice;
	return NULL;
}

enum rk_level_state rk_timestamp_level_state(const struct rk_timestamp *timestamp,
					     const char *build_id, uint64_t level,
					     const struct rk_notice **ret)
{
	const struct rk_timestamp *t = timestamp;
	const struct rk_notice *notice = NULL;
	enum rk_level_state state = RK_LEVEL_GOOD;

	if (t && (notice = find_notice(&t->withdrawn, build_id, level)))
		state = RK_LEVEL_WITHDRAWN;
	else if (t && (notice = find_notice(&t->blocked, build_id, level)))
		state = RK_LEVEL_BLOCKED;
	else if (t && (notice = find_minimum(&t->minimum, build_id, level)))
		state = RK_LEVEL_BELOW_MINIMUM;
	if (ret)
		*ret = notice;
	return state;
}

static json_t *shards_json(const struct rk_timestamp *t)
{
	json_t *array = json_array();

	for (size_t i = 0; i < RK_INDEX_SHARDS; i++)
		json_array_append_new(array, json_pack("{s:I, s:s}", "length",
						       (json_int_t)t->shards[i].length, "sha256",
						       t->shards[i].sha256));
	return array;
}

static json_t *notices_json(const struct rk_notices *notices, bool has_to, bool has_reason)
{
	json_t *array = json_array();

	for (size_t i = 0; i < notices->nr; i++) {
		const struct rk_notice *notice = &notices->v[i];
		json_t *object = json_pack("{s:s, s:I}", "build_id", notice->build_id, "level",
					   (json_int_t)notice->level);

		if (has_to)
			json_object_set_new(object, "to", json_integer((json_int_t)notice->to));
		if (has_reason)
			json_object_set_new(object, "reason",
					    json_string(notice->reason ? notice->reason : ""));
		json_array_append_new(array, object);
	}
	return array;
}

struct rk_err *rk_timestamp_write(const struct rk_timestamp *t, char **ret)
{
	return rk_json_dump(json_pack("{s:s, s:I, s:o, s:o, s:b, s:o, s:o, s:o, s:o}", "schema",
				      RK_TIMESTAMP_SCHEMA, "version", (json_int_t)t->version,
				      "issued", rk_json_time(t->issued), "expires",
				      rk_json_time(t->expires), "bundle", t->is_bundle, "index",
				      shards_json(t), "blocked",
				      notices_json(&t->blocked, false, true), "withdrawn",
				      notices_json(&t->withdrawn, true, true), "minimum",
				      notices_json(&t->minimum, false, false)),
			    RK_JSON_READABLE, ret);
}

struct rk_err *rk_timestamp_sign(const struct rk_timestamp *t, const struct rk_role *role,
				 const struct rk_private_key *const *keys, size_t nr_keys,
				 char **ret, size_t *ret_len)
{
	_cleanup_free_ char *payload = NULL;

	RK_TRY(rk_timestamp_write(t, &payload));
	struct rk_signed file = {
		.name = RK_NAME_TIMESTAMP, .payload = payload, .payload_len = strlen(payload)};
	for (size_t i = 0; i < nr_keys; i++)
		RK_TRY(rk_signed_add(&file, role->name, keys[i]));
	RK_TRY(rk_signed_verify(&file, role));
	return rk_signed_write(&file, ret, ret_len);
}
