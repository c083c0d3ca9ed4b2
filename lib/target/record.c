/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records are small JSON files; strings of one table, written and read by the same loop. */
#include "lib/target/record.h"

#include <jansson.h>
#include <stddef.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/json.h"
#include "lib/base/str.h"

#define RECORD_MAX (1u << 20)

static const struct {
	const char *key;
	size_t offset;
	bool required;
} fields[] = {
	{"id", offsetof(struct rk_record, id), true},
	{"release", offsetof(struct rk_record, release), true},
	{"version", offsetof(struct rk_record, version), true},
	{"source_version", offsetof(struct rk_record, source_version), false},
	{"build_id", offsetof(struct rk_record, build_id), false},
	{"compiler", offsetof(struct rk_record, compiler), false},
	{"origin", offsetof(struct rk_record, origin), false},
};

void rk_record_deinit(struct rk_record *record)
{
	rk_vec_deinit(&record->packages);
	rk_arena_deinit(&record->arena);
}

static json_t *encode(const struct rk_record *record)
{
	_cleanup_json_ json_t *root = json_pack("{s:s, s:I}", "schema", RK_RECORD_SCHEMA, "bytes",
						(json_int_t)record->bytes);
	json_t *packages = json_array();

	if (!root || json_object_set_new(root, "packages", packages) < 0)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		const char *value = *(const char *const *)((const char *)record + fields[i].offset);

		if (value && json_object_set_new(root, fields[i].key, json_string(value)) < 0)
			return NULL;
	}
	rk_vec_for_each(&record->packages, p) {
		json_t *package =
			json_pack("{s:s, s:s, s:s, s:I}", "name", p->name, "version", p->version,
				  "sha256", p->sha256, "size", (json_int_t)p->size);

		if (json_array_append_new(packages, package) < 0)
			return NULL;
	}
	return take_ptr(root);
}

struct rk_err *rk_record_write(const char *path, const struct rk_record *record)
{
	_cleanup_json_ json_t *root = encode(record);
	_cleanup_free_ char *text = root ? json_dumps(root, JSON_INDENT(2) | JSON_SORT_KEYS) : NULL;

	if (!text)
		return rk_err_nomem();
	return rk_fs_write(path, text, strlen(text), 0644);
}

static struct rk_err *malformed(const char *path, const char *what)
{
	return rk_err(RK_ERR_FORMAT, "'%s' is damaged (%s); remove the target and fetch it again",
		      path, what);
}

static struct rk_err *decode_packages(const char *path, const json_t *root,
				      struct rk_record *record)
{
	size_t i;
	json_t *item;

	json_array_foreach(json_object_get(root, "packages"), i, item)
	{
		const char *name, *version, *sha256;
		json_int_t size;

		if (json_unpack(item, "{s:s, s:s, s:s, s:I}", "name", &name, "version", &version,
				"sha256", &sha256, "size", &size) < 0)
			return malformed(path, "packages");
		struct rk_record_package package = {
			rk_arena_strdup(&record->arena, name),
			rk_arena_strdup(&record->arena, version),
			rk_arena_strdup(&record->arena, sha256),
			(uint64_t)size,
		};
		if (!package.name || !package.version || !package.sha256 ||
		    !rk_vec_push(&record->packages, package))
			return rk_err_nomem();
	}
	return NULL;
}

static struct rk_err *decode(const char *path, const json_t *root, struct rk_record *record)
{
	const char *schema = json_string_value(json_object_get(root, "schema"));

	if (!schema || !rk_streq(schema, RK_RECORD_SCHEMA))
		return malformed(path, "schema");
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		const char *value = json_string_value(json_object_get(root, fields[i].key));
		const char *copy = value ? rk_arena_strdup(&record->arena, value) : NULL;

		if (!value && fields[i].required)
			return malformed(path, fields[i].key);
		if (value && !copy)
			return rk_err_nomem();
		*(const char **)((char *)record + fields[i].offset) = copy;
	}
	record->bytes = (uint64_t)json_integer_value(json_object_get(root, "bytes"));
	return decode_packages(path, root, record);
}

struct rk_err *rk_record_read(const char *path, struct rk_record *ret)
{
	_cleanup_record_ struct rk_record record = {};
	_cleanup_free_ char *text = NULL;
	json_error_t where;
	size_t len;

	RK_TRY(rk_fs_read(path, RECORD_MAX, &text, &len));
	_cleanup_json_ json_t *root = json_loadb(text, len, 0, &where);
	if (!root)
		return malformed(path, where.text);
	RK_TRY(decode(path, root, &record));
	*ret = record;
	record = (struct rk_record){};
	return NULL;
}
