/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The root: which keys there are, and which of them, and how many, may sign what. */
#include <string.h>

#include "lib/base/hex.h"
#include "lib/base/str.h"
#include "lib/trust/internal.h"

static const char *const role_names[RK_ROLES] = {
	[RK_ROLE_ROOT] = "root",
	[RK_ROLE_TIMESTAMP] = "timestamp",
	[RK_ROLE_LICENCE] = "licence",
	[RK_ROLE_RELEASE_TEST] = "release-test",
	[RK_ROLE_RELEASE_EARLY] = "release-early",
	[RK_ROLE_RELEASE_STABLE] = "release-stable",
};

const char *rk_role_name(enum rk_role_kind kind)
{
	return role_names[kind];
}

enum rk_role_kind rk_role_of_channel(enum rk_channel channel)
{
	return (enum rk_role_kind)((int)RK_ROLE_RELEASE_TEST + (int)channel);
}

struct rk_err *rk_root_create(struct rk_root **ret)
{
	struct rk_root *root = calloc(1, sizeof(*root));

	if (!root)
		return rk_err_nomem();
	rk_arena_init(&root->arena);
	for (size_t i = 0; i < RK_ROLES; i++)
		root->roles[i].name = role_names[i];
	*ret = root;
	return NULL;
}

void rk_root_free(struct rk_root *root)
{
	if (!root)
		return;
	rk_vec_deinit(&root->keys);
	rk_arena_deinit(&root->arena);
	free(root);
}

const struct rk_root_key *rk_root_find_key(const struct rk_root *root, const char *id)
{
	rk_vec_for_each(&root->keys, key)
		if (rk_streq((*key)->key.id, id))
			return *key;
	return NULL;
}

struct rk_err *rk_root_add_key(struct rk_root *root, const struct rk_public_key *key,
			       const char *name, const struct rk_root_key **ret)
{
	const struct rk_root_key *found = rk_root_find_key(root, key->id);

	if (!found) {
		struct rk_root_key *item = rk_arena_new(&root->arena, struct rk_root_key);

		if (root->keys.nr == RK_ROOT_KEYS_MAX)
			return rk_err(RK_ERR_TOO_LARGE, "a root has at most %d keys",
				      RK_ROOT_KEYS_MAX);
		if (!item)
			return rk_err_nomem();
		item->key = *key;
		item->name = rk_arena_strdup(&root->arena, name);
		if (!item->name || !rk_vec_push(&root->keys, item))
			return rk_err_nomem();
		found = item;
	}
	if (ret)
		*ret = found;
	return NULL;
}

struct rk_err *rk_root_set_role(struct rk_root *root, enum rk_role_kind kind,
				unsigned int threshold, const char *const *ids, size_t nr)
{
	const struct rk_public_key **keys =
		rk_arena_calloc(&root->arena, nr ? nr : 1, sizeof(*keys));

	if (!keys)
		return rk_err_nomem();
	if (threshold == 0 || threshold > nr)
		return rk_err(RK_ERR_INVALID,
			      "role '%s': a threshold of %u is impossible with %zu keys",
			      role_names[kind], threshold, nr);
	for (size_t i = 0; i < nr; i++) {
		const struct rk_root_key *key = rk_root_find_key(root, ids[i]);

		if (!key)
			return rk_err(RK_ERR_INVALID, "role '%s': the root has no key '%s'",
				      role_names[kind], ids[i]);
		for (size_t k = 0; k < i; k++)
			if (keys[k] == &key->key)
				return rk_err(RK_ERR_INVALID, "role '%s': key '%s' comes twice",
					      role_names[kind], ids[i]);
		keys[i] = &key->key;
	}
	root->roles[kind] = (struct rk_role){
		.name = role_names[kind], .threshold = threshold, .keys = keys, .nr_keys = nr};
	return NULL;
}

/* --- reading --- */

static const struct rk_json_field root_fields[] = {
	RK_JSON_FIELD(rk_root, version, "version", U64),
	RK_JSON_FIELD(rk_root, issued, "issued", TIME),
	RK_JSON_FIELD(rk_root, expires, "expires", TIME),
};

struct key_fields {
	const char *id, *name, *public;
};
static const struct rk_json_field key_fields[] = {
	RK_JSON_FIELD(key_fields, id, "id", SHA256),
	RK_JSON_FIELD(key_fields, name, "name", STRING),
	RK_JSON_FIELD(key_fields, public, "public", STRING),
};

static struct rk_err *read_key(const struct rk_json_reader *r, struct rk_root *root, size_t i,
			       const json_t *entry)
{
	struct key_fields fields = {};
	uint8_t raw[RK_KEY_RAW_SIZE];
	struct rk_public_key key;
	const char *path;

	RK_TRY(rk_json_entry(r, "", "keys", i, entry, &path));
	RK_TRY(rk_json_fields(r, path, entry, key_fields, ARRAY_SIZE(key_fields), &fields));
	if (strlen(fields.public) != 2 * (size_t)RK_KEY_RAW_SIZE ||
	    !rk_hex_decode(fields.public, RK_KEY_RAW_SIZE, raw))
		return rk_err(RK_ERR_FORMAT,
			      "'%s': '%s.public' is not 64 lower-case hexadecimal digits", r->name,
			      path);
	RK_TRY(rk_public_key_from_raw(raw, &key));
	if (!rk_streq(key.id, fields.id))
		return rk_err(RK_ERR_FORMAT, "'%s': '%s.id' is not the SHA-256 of its key", r->name,
			      path);
	if (rk_root_find_key(root, key.id))
		return rk_err(RK_ERR_FORMAT, "'%s': '%s' comes twice", r->name, path);
	return rk_root_add_key(root, &key, fields.name, NULL);
}

struct role_fields {
	uint32_t threshold;
	struct rk_json_strings ids;
};
static const struct rk_json_field role_fields[] = {
	RK_JSON_FIELD(role_fields, threshold, "threshold", U32),
};

static struct rk_err *read_role(const struct rk_json_reader *r, struct rk_root *root,
				const json_t *roles, enum rk_role_kind kind)
{
	struct role_fields fields = {};
	const json_t *object;
	const char *path = rk_arena_printf(r->arena, "roles.%s", role_names[kind]);
	struct rk_err *err;

	if (!path)
		return rk_err_nomem();
	RK_TRY(rk_json_object(r, "roles", roles, role_names[kind], &object));
	RK_TRY(rk_json_fields(r, path, object, role_fields, ARRAY_SIZE(role_fields), &fields));
	err = rk_json_strings(r, path, object, "keys", false, &fields.ids);
	if (!err)
		err = rk_root_set_role(root, kind, fields.threshold, fields.ids.v, fields.ids.nr);
	rk_vec_deinit(&fields.ids);
	if (err && rk_err_code(err) == RK_ERR_INVALID) {
		_cleanup_err_ struct rk_err *inner = err;

		return rk_err(RK_ERR_FORMAT, "'%s': %s", r->name, rk_err_message(inner));
	}
	return err;
}

static struct rk_err *read_root(const struct rk_json_reader *r, const json_t *doc,
				struct rk_root *root)
{
	const json_t *list, *roles;

	RK_TRY(rk_json_fields(r, "", doc, root_fields, ARRAY_SIZE(root_fields), root));
	RK_TRY(rk_payload_check_version(r, root->version));
	RK_TRY(rk_payload_check_times(r, root->issued, root->expires));
	RK_TRY(rk_json_list(r, "", doc, "keys", false, &list));
	for (size_t i = 0; i < json_array_size(list); i++)
		RK_TRY(read_key(r, root, i, json_array_get(list, i)));
	RK_TRY(rk_json_object(r, "", doc, "roles", &roles));
	for (size_t i = 0; i < RK_ROLES; i++)
		RK_TRY(read_role(r, root, roles, (enum rk_role_kind)i));
	return NULL;
}

struct rk_err *rk_root_parse(const char *name, const char *json, size_t len, struct rk_root **ret)
{
	_cleanup_json_ json_t *doc = NULL;
	_cleanup_root_ struct rk_root *root = NULL;

	RK_TRY(rk_json_load_schema(name, json, len, RK_ROOT_SCHEMA, &doc));
	RK_TRY(rk_root_create(&root));
	RK_TRY(read_root(&(struct rk_json_reader){name, &root->arena}, doc, root));
	*ret = take_ptr(root);
	return NULL;
}

/* --- writing --- */

static json_t *keys_json(const struct rk_root *root)
{
	json_t *array = json_array();
	char hex[2 * RK_KEY_RAW_SIZE + 1];

	rk_vec_for_each(&root->keys, key)
		json_array_append_new(
			array,
			json_pack("{s:s, s:s, s:s}", "id", (*key)->key.id, "name", (*key)->name,
				  "public", rk_hex_encode((*key)->key.raw, RK_KEY_RAW_SIZE, hex)));
	return array;
}

static json_t *role_json(const struct rk_role *role)
{
	json_t *ids = json_array();

	for (size_t i = 0; i < role->nr_keys; i++)
		json_array_append_new(ids, json_string(role->keys[i]->id));
	return json_pack("{s:i, s:o}", "threshold", (int)role->threshold, "keys", ids);
}

struct rk_err *rk_root_write(const struct rk_root *root, char **ret)
{
	json_t *roles = json_object();
	json_t *doc = json_pack("{s:s, s:I, s:o, s:o, s:o, s:O}", "schema", RK_ROOT_SCHEMA,
				"version", (json_int_t)root->version, "issued",
				rk_json_time(root->issued), "expires", rk_json_time(root->expires),
				"keys", keys_json(root), "roles", roles);
	bool complete = doc != NULL;

	for (size_t i = 0; i < RK_ROLES; i++)
		complete &= !json_object_set_new(roles, role_names[i], role_json(&root->roles[i]));
	json_decref(roles);
	if (!complete) {
		json_decref(doc);
		return rk_err_nomem();
	}
	return rk_json_dump(doc, RK_JSON_READABLE, ret);
}
