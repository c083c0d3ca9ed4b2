/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON read into structs by tables of fields, with the path of what is wrong. */
#include "lib/base/json.h"

#include <string.h>

#include "lib/base/hex.h"
#include "lib/base/str.h"
#include "lib/base/utc.h"

#define SHA256_LEN 64

/* "a string", as in "fixes[2].file is not a string". */
static const char *const kind_names[] = {
	[RK_JSON_STRING] = "a string",
	[RK_JSON_OPTIONAL] = "a string",
	[RK_JSON_U32] = "a number from 0 to 2^32 - 1",
	[RK_JSON_U64] = "a number from 0 up",
	[RK_JSON_BOOL] = "true or false",
	[RK_JSON_TIME] = "a time like 2026-11-22T13:30:00Z",
	[RK_JSON_SHA256] = "a SHA-256 of 64 lower-case hexadecimal digits",
	[RK_JSON_OPTIONAL_SHA256] = "a SHA-256 of 64 lower-case hexadecimal digits",
};

struct rk_err *rk_json_wrong(const struct rk_json_reader *r, const char *path, const char *key,
			     const json_t *value, const char *what)
{
	const char *dot = *path && *key ? "." : "";

	if (!value)
		return rk_err(RK_ERR_FORMAT, "'%s': '%s%s%s' is missing", r->name, path, dot, key);
	return rk_err(RK_ERR_FORMAT, "'%s': '%s%s%s' is not %s", r->name, path, dot, key, what);
}

static bool is_sha256(const json_t *value)
{
	return json_is_string(value) && json_string_length(value) == SHA256_LEN &&
	       rk_is_hex(json_string_value(value), SHA256_LEN);
}

static bool is_absent(const json_t *value)
{
	return !value || json_is_null(value);
}

static bool is_kind(const json_t *value, enum rk_json_kind kind)
{
	int64_t seconds;

	switch (kind) {
	case RK_JSON_STRING: return json_is_string(value);
	case RK_JSON_OPTIONAL: return is_absent(value) || json_is_string(value);
	case RK_JSON_U32:
		return json_is_integer(value) && json_integer_value(value) >= 0 &&
		       json_integer_value(value) <= UINT32_MAX;
	case RK_JSON_U64: return json_is_integer(value) && json_integer_value(value) >= 0;
	case RK_JSON_BOOL: return json_is_boolean(value);
	case RK_JSON_TIME:
		return json_is_string(value) && rk_utc_parse(json_string_value(value), &seconds);
	case RK_JSON_SHA256: return is_sha256(value);
	case RK_JSON_OPTIONAL_SHA256: return is_absent(value) || is_sha256(value);
	}
	return false;
}

static struct rk_err *copy_string(const struct rk_json_reader *r, const json_t *value,
				  const char **ret)
{
	const char *copy = NULL;

	if (json_is_string(value)) {
		copy = rk_arena_strdup(r->arena, json_string_value(value));
		if (!copy)
			return rk_err_nomem();
	}
	*ret = copy;
	return NULL;
}

static struct rk_err *read_field(const struct rk_json_reader *r, const json_t *value,
				 enum rk_json_kind kind, void *at)
{
	switch (kind) {
	case RK_JSON_STRING:
	case RK_JSON_OPTIONAL:
	case RK_JSON_SHA256:
	case RK_JSON_OPTIONAL_SHA256: return copy_string(r, value, at);
	case RK_JSON_U32: *(uint32_t *)at = (uint32_t)json_integer_value(value); break;
	case RK_JSON_U64: *(uint64_t *)at = (uint64_t)json_integer_value(value); break;
	case RK_JSON_BOOL: *(bool *)at = json_is_true(value); break;
	case RK_JSON_TIME: rk_utc_parse(json_string_value(value), at); break;
	}
	return NULL;
}

struct rk_err *rk_json_fields(const struct rk_json_reader *r, const char *path,
			      const json_t *object, const struct rk_json_field *fields, size_t nr,
			      void *to)
{
	for (const struct rk_json_field *f = fields; f < fields + nr; f++) {
		const json_t *value = json_object_get(object, f->key);

		if (!is_kind(value, f->kind))
			return rk_json_wrong(r, path, f->key, value, kind_names[f->kind]);
		RK_TRY(read_field(r, value, f->kind, (char *)to + f->offset));
	}
	return NULL;
}

struct rk_err *rk_json_list(const struct rk_json_reader *r, const char *path, const json_t *object,
			    const char *key, bool is_optional, const json_t **ret)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_array(value) && !(is_optional && !value))
		return rk_json_wrong(r, path, key, value, "a list");
	*ret = value;
	return NULL;
}

struct rk_err *rk_json_object(const struct rk_json_reader *r, const char *path,
			      const json_t *object, const char *key, const json_t **ret)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_object(value))
		return rk_json_wrong(r, path, key, value, "an object");
	*ret = value;
	return NULL;
}

struct rk_err *rk_json_entry(const struct rk_json_reader *r, const char *path, const char *key,
			     size_t index, const json_t *entry, const char **ret)
{
	const char *text =
		rk_arena_printf(r->arena, "%s%s%s[%zu]", path, *path ? "." : "", key, index);

	if (!text)
		return rk_err_nomem();
	if (!json_is_object(entry))
		return rk_json_wrong(r, text, "", entry, "an object");
	*ret = text;
	return NULL;
}

struct rk_err *rk_json_read_strings(const struct rk_json_reader *r, const char *path,
				    const json_t *object, const char *key, bool is_optional,
				    struct rk_json_strings *to)
{
	const json_t *list;

	RK_TRY(rk_json_list(r, path, object, key, is_optional, &list));
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *value = json_array_get(list, i);
		const char *copy;

		if (!json_is_string(value))
			return rk_err(RK_ERR_FORMAT, "'%s': '%s%s%s[%zu]' is not a string", r->name,
				      path, *path ? "." : "", key, i);
		RK_TRY(copy_string(r, value, &copy));
		if (!rk_vec_push(to, copy))
			return rk_err_nomem();
	}
	return NULL;
}

struct rk_err *rk_json_number(const struct rk_json_reader *r, const char *path, const char *key,
			      size_t index, const json_t *value, uint64_t *ret)
{
	if (!is_kind(value, RK_JSON_U64))
		return rk_err(RK_ERR_FORMAT, "'%s': '%s%s%s[%zu]' is not %s", r->name, path,
			      *path ? "." : "", key, index, kind_names[RK_JSON_U64]);
	*ret = (uint64_t)json_integer_value(value);
	return NULL;
}

struct rk_err *rk_json_load(const char *name, const char *json, size_t len, json_t **ret)
{
	json_error_t error;
	json_t *root = json_loadb(json, len, JSON_REJECT_DUPLICATES, &error);

	if (!root)
		return rk_err(RK_ERR_FORMAT, "'%s': line %d, column %d: %s", name, error.line,
			      error.column, error.text);
	*ret = root;
	return NULL;
}

/* "name/2" where "name/1" is known: whoever wrote it has learnt something since. */
static bool is_newer(const char *schema, const char *known)
{
	const char *slash = strrchr(known, '/');
	size_t stem = slash ? (size_t)(slash - known) + 1 : 0;
	uint64_t number, ours;

	if (!stem || strncmp(schema, known, stem) != 0)
		return false;
	schema += stem;
	known += stem;
	return rk_scan_u64(&schema, UINT32_MAX, &number) && !*schema &&
	       rk_scan_u64(&known, UINT32_MAX, &ours) && number > ours;
}

struct rk_err *rk_json_check_schema(const struct rk_json_reader *r, const json_t *root,
				    const char *schema)
{
	if (!json_is_object(root))
		return rk_err(RK_ERR_FORMAT, "'%s': not an object", r->name);
	const json_t *value = json_object_get(root, "schema");
	if (!json_is_string(value))
		return rk_json_wrong(r, "", "schema", value, "a string");
	if (is_newer(json_string_value(value), schema))
		return rk_err(
			RK_ERR_NEWER,
			"'%s': schema '%s' is newer than '%s', which is all that this program "
			"knows; update the program",
			r->name, json_string_value(value), schema);
	if (!rk_streq(json_string_value(value), schema))
		return rk_err(RK_ERR_FORMAT, "'%s': schema '%s' is not '%s'", r->name,
			      json_string_value(value), schema);
	return NULL;
}

struct rk_err *rk_json_load_schema(const char *name, const char *json, size_t len,
				   const char *schema, json_t **ret)
{
	_cleanup_json_ json_t *root = NULL;

	RK_TRY(rk_json_load(name, json, len, &root));
	RK_TRY(rk_json_check_schema(&(struct rk_json_reader){.name = name}, root, schema));
	*ret = take_ptr(root);
	return NULL;
}

struct rk_err *rk_json_dump(json_t *doc, enum rk_json_style style, char **ret)
{
	size_t flags = style == RK_JSON_COMPACT ? JSON_COMPACT : JSON_INDENT(2);
	char *dumped = doc ? json_dumps(doc, flags) : NULL;
	char *text = dumped ? rk_asprintf("%s\n", dumped) : NULL;

	free(dumped);
	json_decref(doc);
	if (!text)
		return rk_err_nomem();
	*ret = text;
	return NULL;
}

json_t *rk_json_text(const char *text)
{
	return text ? json_string(text) : json_null();
}

json_t *rk_json_time(int64_t seconds)
{
	char text[RK_UTC_TEXT_SIZE];

	return json_string(rk_utc_format(seconds, text));
}

json_t *rk_json_time_or_null(int64_t seconds)
{
	return seconds ? rk_json_time(seconds) : json_null();
}

json_t *rk_json_texts(const char *const *v, size_t nr)
{
	json_t *array = json_array();

	for (size_t i = 0; i < nr; i++)
		json_array_append_new(array, rk_json_text(v[i]));
	return array;
}
