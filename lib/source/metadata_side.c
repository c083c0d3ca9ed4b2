/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The side file of a fix: what its patch doesn't say, as JSON. */
#include <jansson.h>
#include <stddef.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/source/metadata.h"

#define SIDE_FILE_MAX (1u << 20)

static const struct {
	const char *key;
	size_t offset;
} strings[] = {
	{"name", offsetof(struct rk_fix_metadata, name)},
	{"title", offsetof(struct rk_fix_metadata, title)},
	{"author", offsetof(struct rk_fix_metadata, author)},
	{"origin", offsetof(struct rk_fix_metadata, origin)},
	{"forwarded", offsetof(struct rk_fix_metadata, forwarded)},
	{"applied_upstream", offsetof(struct rk_fix_metadata, applied_upstream)},
};

static struct rk_err *wrong(const char *file, const char *key, const char *what)
{
	return rk_err(RK_ERR_FORMAT, "'%s': '%s' is not %s", file, key, what);
}

/* Everything here ends up in lists of one line an entry. */
static bool is_line(const json_t *value)
{
	if (!json_is_string(value) || !json_string_length(value))
		return false;
	for (const char *c = json_string_value(value); *c; c++)
		if ((unsigned char)*c < ' ')
			return false;
	return true;
}

static struct rk_err *take_string(const char *file, const char *key, const json_t *value,
				  struct rk_arena *arena, const char **to)
{
	if (!is_line(value))
		return wrong(file, key, "one line of text");
	*to = rk_arena_strdup(arena, json_string_value(value));
	return *to ? NULL : rk_err_nomem();
}

/* Reads the list key into vec, whose former content it replaces. */
#define TAKE_LIST(file, key, list, arena, vec)                                       \
	do {                                                                         \
		if (!json_is_array(list))                                            \
			return wrong(file, key, "a list of strings");                \
		(vec)->nr = 0;                                                       \
		for (size_t _i = 0; _i < json_array_size(list); _i++) {              \
			const json_t *_item = json_array_get(list, _i);              \
			if (!is_line(_item))                                         \
				return wrong(file, key, "a list of lines of text");  \
			RK_TRY(rk_metadata_add(vec, arena, json_string_value(_item), \
					       json_string_length(_item)));          \
		}                                                                    \
	} while (0)

static struct rk_err *take(const char *file, const char *key, const json_t *value,
			   struct rk_arena *arena, struct rk_fix_metadata *m)
{
	for (size_t i = 0; i < ARRAY_SIZE(strings); i++)
		if (rk_streq(key, strings[i].key))
			return take_string(file, key, value, arena,
					   (const char **)((char *)m + strings[i].offset));
	if (rk_streq(key, "cves"))
		TAKE_LIST(file, key, value, arena, &m->cves);
	else if (rk_streq(key, "bugs"))
		TAKE_LIST(file, key, value, arena, &m->bugs);
	else if (rk_streq(key, "fixes"))
		TAKE_LIST(file, key, value, arena, &m->fixes);
	else if (!rk_streq(key, "schema"))
		return rk_err(RK_ERR_FORMAT, "'%s': unknown key '%s'", file, key);
	return NULL;
}

static struct rk_err *take_all(const char *file, json_t *root, struct rk_arena *arena,
			       struct rk_fix_metadata *metadata)
{
	const char *key;
	json_t *value;

	if (!json_is_object(root))
		return rk_err(RK_ERR_FORMAT, "'%s': not an object", file);
	const json_t *schema = json_object_get(root, "schema");
	if (!json_is_string(schema))
		return wrong(file, "schema", "'" RK_METADATA_SCHEMA "'");
	if (!rk_streq(json_string_value(schema), RK_METADATA_SCHEMA))
		return rk_err(RK_ERR_UNSUPPORTED,
			      "'%s': schema '%s' is not '" RK_METADATA_SCHEMA "'", file,
			      json_string_value(schema));
	json_object_foreach(root, key, value) RK_TRY(take(file, key, value, arena, metadata));
	return NULL;
}

struct rk_err *rk_metadata_parse_side(const char *name, const char *json, size_t len,
				      struct rk_arena *arena, struct rk_fix_metadata *metadata)
{
	json_error_t error;

	if (len > SIDE_FILE_MAX)
		return rk_err(RK_ERR_LIMIT, "'%s' is larger than %u bytes", name, SIDE_FILE_MAX);
	json_t *root = json_loadb(json, len, JSON_REJECT_DUPLICATES, &error);
	if (!root)
		return rk_err(RK_ERR_FORMAT, "'%s': line %d, column %d: %s", name, error.line,
			      error.column, error.text);
	struct rk_err *err = take_all(name, root, arena, metadata);
	json_decref(root);
	return err;
}
