/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading a manifest: one table of fields per kind of entry. What must be there and isn't, or has the wrong type, is named by
 * its path in the document.
 */
#include <elf.h>
#include <inttypes.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/elf/elf.h"
#include "lib/patch/internal.h"

/* A level with 3,000 fixes has about 1 MiB. */
#define MANIFEST_SIZE_MAX (64u << 20)

enum field_kind {
	FIELD_STRING,
	FIELD_OPTIONAL, /* string, null or absent */
	FIELD_U32,
	FIELD_U64,
	FIELD_BOOL,
};

struct field {
	const char *key;
	enum field_kind kind;
	size_t offset;
};

struct reader {
	const char *name; /* of the document, for messages */
	struct rk_manifest *m;
};

/* "a string", as in "fixes[2].file is not a string". */
static const char *const kind_names[] = {
	[FIELD_STRING] = "a string",
	[FIELD_OPTIONAL] = "a string",
	[FIELD_U32] = "a number from 0 to 2^32 - 1",
	[FIELD_U64] = "a number from 0 up",
	[FIELD_BOOL] = "true or false",
};

static struct rk_err *wrong(const struct reader *r, const char *path, const char *key,
			    const json_t *value, const char *what)
{
	const char *dot = *path ? "." : "";

	if (!value)
		return rk_err(RK_ERR_FORMAT, "'%s': '%s%s%s' is missing", r->name, path, dot, key);
	return rk_err(RK_ERR_FORMAT, "'%s': '%s%s%s' is not %s", r->name, path, dot, key, what);
}

static bool is_kind(const json_t *value, enum field_kind kind)
{
	switch (kind) {
	case FIELD_STRING: return json_is_string(value);
	case FIELD_OPTIONAL: return !value || json_is_null(value) || json_is_string(value);
	case FIELD_U32:
		return json_is_integer(value) && json_integer_value(value) >= 0 &&
		       json_integer_value(value) <= UINT32_MAX;
	case FIELD_U64: return json_is_integer(value) && json_integer_value(value) >= 0;
	case FIELD_BOOL: return json_is_boolean(value);
	}
	return false;
}

static struct rk_err *copy_string(const struct reader *r, const json_t *value, const char **ret)
{
	const char *copy = NULL;
	if (json_is_string(value)) {
		copy = rk_arena_strdup(&r->m->arena, json_string_value(value));
		if (!copy)
			return rk_err_nomem();
	}
	*ret = copy;
	return NULL;
}

static struct rk_err *read_fields(const struct reader *r, const char *path, const json_t *object,
				  const struct field *fields, size_t nr, void *to)
{
	for (const struct field *f = fields; f < fields + nr; f++) {
		const json_t *value = json_object_get(object, f->key);
		void *at = (char *)to + f->offset;
		if (!is_kind(value, f->kind))
			return wrong(r, path, f->key, value, kind_names[f->kind]);
		switch (f->kind) {
		case FIELD_STRING:
		case FIELD_OPTIONAL: RK_TRY(copy_string(r, value, at)); break;
		case FIELD_U32: *(uint32_t *)at = (uint32_t)json_integer_value(value); break;
		case FIELD_U64: *(uint64_t *)at = (uint64_t)json_integer_value(value); break;
		case FIELD_BOOL: *(bool *)at = json_is_true(value); break;
		}
	}
	return NULL;
}

#define FIELD(type, member, name, what)                           \
	{                                                         \
		name, FIELD_##what, offsetof(struct type, member) \
	}

static const struct field root_fields[] = {
	FIELD(rk_manifest, name, "name", STRING),
	FIELD(rk_manifest, level, "level", U64),
	FIELD(rk_manifest, model, "model", STRING),
	FIELD(rk_manifest, replace, "replace", BOOL),
	FIELD(rk_manifest, tool_version, "tool_version", STRING),
};
static const struct field target_fields[] = {
	FIELD(rk_manifest, target_id, "id", STRING),
	FIELD(rk_manifest, release, "release", STRING),
	FIELD(rk_manifest, version, "version", OPTIONAL),
	FIELD(rk_manifest, build_id, "build_id", OPTIONAL),
	FIELD(rk_manifest, compiler, "compiler", OPTIONAL),
};
static const struct field fix_fields[] = {
	FIELD(rk_manifest_fix, name, "name", OPTIONAL),
	FIELD(rk_manifest_fix, title, "title", OPTIONAL),
	FIELD(rk_manifest_fix, author, "author", OPTIONAL),
	FIELD(rk_manifest_fix, origin, "origin", OPTIONAL),
	FIELD(rk_manifest_fix, forwarded, "forwarded", OPTIONAL),
	FIELD(rk_manifest_fix, applied_upstream, "applied_upstream", OPTIONAL),
	FIELD(rk_manifest_fix, file, "file", STRING),
	FIELD(rk_manifest_fix, sha256, "sha256", STRING),
};
static const struct field skipped_fields[] = {
	FIELD(rk_manifest_skipped, name, "name", STRING),
	FIELD(rk_manifest_skipped, title, "title", OPTIONAL),
	FIELD(rk_manifest_skipped, file, "file", STRING),
	FIELD(rk_manifest_skipped, sha256, "sha256", STRING),
	FIELD(rk_manifest_skipped, reason, "reason", STRING),
	FIELD(rk_manifest_skipped, depends_on, "depends_on", OPTIONAL),
};
static const struct field base_fields[] = {
	FIELD(rk_manifest_base, name, "name", STRING),
	FIELD(rk_manifest_base, level, "level", U64),
	FIELD(rk_manifest_base, sha256, "sha256", STRING),
};
static const struct field object_fields[] = {
	FIELD(rk_manifest_object, name, "name", STRING),
	FIELD(rk_manifest_object, build_id, "build_id", OPTIONAL),
	FIELD(rk_manifest_object, srcversion, "srcversion", OPTIONAL),
};
static const struct field func_fields[] = {
	FIELD(rk_manifest_func, object, "object", STRING),
	FIELD(rk_manifest_func, name, "name", STRING),
	FIELD(rk_manifest_func, sympos, "sympos", U32),
	FIELD(rk_manifest_func, unit, "unit", STRING),
	FIELD(rk_manifest_func, old_size, "old_size", U64),
	FIELD(rk_manifest_func, new_size, "new_size", U64),
};
static const struct field unit_fields[] = {
	FIELD(rk_manifest_unit, path, "path", STRING),
	FIELD(rk_manifest_unit, object, "object", STRING),
	FIELD(rk_manifest_unit, original_sha256, "original_sha256", OPTIONAL),
	FIELD(rk_manifest_unit, matched, "matched", U64),
	FIELD(rk_manifest_unit, differing, "differing", U64),
	FIELD(rk_manifest_unit, absent, "absent", U64),
	FIELD(rk_manifest_unit, overridden, "overridden", U64),
	FIELD(rk_manifest_unit, discarded, "discarded", U64),
};
static const struct field finding_fields[] = {
	FIELD(rk_manifest_finding, code, "code", STRING),
	FIELD(rk_manifest_finding, severity, "severity", STRING),
	FIELD(rk_manifest_finding, place, "place", OPTIONAL),
	FIELD(rk_manifest_finding, text, "text", STRING),
	FIELD(rk_manifest_finding, reason, "reason", OPTIONAL),
};

static const struct field callback_fields[] = {
	FIELD(rk_manifest_callback, object, "object", STRING),
	FIELD(rk_manifest_callback, kind, "kind", STRING),
	FIELD(rk_manifest_callback, function, "function", STRING),
};
static const struct field state_fields[] = {
	FIELD(rk_manifest_state, id, "id", U64),
	FIELD(rk_manifest_state, version, "version", U32),
};

static struct rk_err *get_array(const struct reader *r, const char *path, const json_t *object,
				const char *key, const json_t **ret)
{
	const json_t *value = json_object_get(object, key);
	if (!json_is_array(value))
		return wrong(r, path, key, value, "a list");
	*ret = value;
	return NULL;
}

static struct rk_err *entry_path(const struct reader *r, const char *key, size_t index,
				 const json_t *entry, char **ret)
{
	char *path = rk_asprintf("%s[%zu]", key, index);
	if (!path)
		return rk_err_nomem();
	if (!json_is_object(entry)) {
		struct rk_err *err = wrong(r, "", path, entry, "an object");
		free(path);
		return err;
	}
	*ret = path;
	return NULL;
}

/* An optional list that isn't there is an empty one: *ret is NULL. */
static struct rk_err *get_list(const struct reader *r, const char *path, const json_t *object,
			       const char *key, bool is_optional, const json_t **ret)
{
	*ret = NULL;
	if (is_optional && !json_object_get(object, key))
		return NULL;
	return get_array(r, path, object, key, ret);
}

/* Reads root.key, a list of objects with these fields, into the vector. */
#define READ_LIST(r, root, key, is_optional, vec, fields)                                          \
	do {                                                                                       \
		const json_t *_list;                                                               \
		RK_TRY(get_list(r, "", root, key, is_optional, &_list));                           \
		for (size_t _i = 0; _i < json_array_size(_list); _i++) {                           \
			const json_t *_entry = json_array_get(_list, _i);                          \
			_cleanup_free_ char *_path = NULL;                                         \
			__typeof__(*(vec)->v) _item = {};                                          \
			RK_TRY(entry_path(r, key, _i, _entry, &_path));                            \
			RK_TRY(read_fields(r, _path, _entry, fields, ARRAY_SIZE(fields), &_item)); \
			if (!rk_vec_push(vec, _item))                                              \
				return rk_err_nomem();                                             \
		}                                                                                  \
	} while (0)

/* A list of strings; when it is optional none is an empty one. */
static struct rk_err *read_strings(const struct reader *r, const char *path, const json_t *entry,
				   const char *key, bool is_optional,
				   struct rk_manifest_strings *to)
{
	const json_t *list;

	RK_TRY(get_list(r, path, entry, key, is_optional, &list));
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *value = json_array_get(list, i);
		const char *copy;
		if (!json_is_string(value))
			return rk_err(RK_ERR_FORMAT, "'%s': '%s.%s[%zu]' is not a string", r->name,
				      path, key, i);
		RK_TRY(copy_string(r, value, &copy));
		if (!rk_vec_push(to, copy))
			return rk_err_nomem();
	}
	return NULL;
}

static struct rk_err *read_fixes(const struct reader *r, const json_t *root)
{
	READ_LIST(r, root, "fixes", false, &r->m->fixes, fix_fields);
	const json_t *list = json_object_get(root, "fixes");
	for (size_t i = 0; i < r->m->fixes.nr; i++) {
		struct rk_manifest_fix *fix = &r->m->fixes.v[i];
		const json_t *entry = json_array_get(list, i);
		_cleanup_free_ char *path = rk_asprintf("fixes[%zu]", i);
		if (!path)
			return rk_err_nomem();
		RK_TRY(read_strings(r, path, entry, "cves", false, &fix->cves));
		RK_TRY(read_strings(r, path, entry, "bugs", true, &fix->bugs));
		RK_TRY(read_strings(r, path, entry, "fixes", true, &fix->fixes));
		RK_TRY(read_strings(r, path, entry, "functions", true, &fix->functions));
	}
	return NULL;
}

static struct rk_err *read_skipped(const struct reader *r, const json_t *root)
{
	READ_LIST(r, root, "skipped", true, &r->m->skipped, skipped_fields);
	const json_t *list = json_object_get(root, "skipped");
	for (size_t i = 0; i < r->m->skipped.nr; i++) {
		struct rk_manifest_skipped *skipped = &r->m->skipped.v[i];
		_cleanup_free_ char *path = rk_asprintf("skipped[%zu]", i);
		if (!path)
			return rk_err_nomem();
		RK_TRY(read_strings(r, path, json_array_get(list, i), "cves", false,
				    &skipped->cves));
		RK_TRY(read_strings(r, path, json_array_get(list, i), "codes", false,
				    &skipped->codes));
	}
	return NULL;
}

static struct rk_err *read_shadow_ids(const struct reader *r, const json_t *root)
{
	const json_t *list;

	RK_TRY(get_list(r, "", root, "shadow_ids", true, &list));
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *value = json_array_get(list, i);
		if (!is_kind(value, FIELD_U64))
			return rk_err(RK_ERR_FORMAT, "'%s': 'shadow_ids[%zu]' is not %s", r->name,
				      i, kind_names[FIELD_U64]);
		if (!rk_vec_push(&r->m->shadow_ids, (uint64_t)json_integer_value(value)))
			return rk_err_nomem();
	}
	return NULL;
}

/* Patches made before these lists existed have none. */
static struct rk_err *read_lasting(const struct reader *r, const json_t *root)
{
	READ_LIST(r, root, "callbacks", true, &r->m->callbacks, callback_fields);
	READ_LIST(r, root, "states", true, &r->m->states, state_fields);
	return read_shadow_ids(r, root);
}

static struct rk_err *read_root(const struct reader *r, const json_t *root)
{
	if (!json_is_object(root))
		return rk_err(RK_ERR_FORMAT, "'%s': not an object", r->name);
	const json_t *schema = json_object_get(root, "schema");
	if (!json_is_string(schema))
		return wrong(r, "", "schema", schema, "a string");
	if (!rk_streq(json_string_value(schema), RK_MANIFEST_SCHEMA))
		return rk_err(RK_ERR_UNSUPPORTED,
			      "'%s': schema '%s' is not '" RK_MANIFEST_SCHEMA "'", r->name,
			      json_string_value(schema));
	RK_TRY(read_fields(r, "", root, root_fields, ARRAY_SIZE(root_fields), r->m));
	const json_t *target = json_object_get(root, "target");
	if (!json_is_object(target))
		return wrong(r, "", "target", target, "an object");
	RK_TRY(read_fields(r, "target", target, target_fields, ARRAY_SIZE(target_fields), r->m));
	RK_TRY(read_fixes(r, root));
	RK_TRY(read_skipped(r, root));
	READ_LIST(r, root, "supersedes", true, &r->m->supersedes, base_fields);
	READ_LIST(r, root, "objects", false, &r->m->objects, object_fields);
	READ_LIST(r, root, "functions", false, &r->m->funcs, func_fields);
	READ_LIST(r, root, "units", false, &r->m->units, unit_fields);
	READ_LIST(r, root, "findings", false, &r->m->findings, finding_fields);
	return read_lasting(r, root);
}

struct rk_err *rk_manifest_parse(const char *name, const char *json, size_t len,
				 struct rk_manifest **ret)
{
	json_error_t error;
	struct reader r = {.name = name};

	if (len > MANIFEST_SIZE_MAX)
		return rk_err(RK_ERR_LIMIT, "'%s': a manifest of more than %u bytes", name,
			      MANIFEST_SIZE_MAX);
	json_t *root = json_loadb(json, len, JSON_REJECT_DUPLICATES, &error);
	if (!root)
		return rk_err(RK_ERR_FORMAT, "'%s': line %d, column %d: %s", name, error.line,
			      error.column, error.text);
	struct rk_err *err = rk_manifest_create(&r.m);
	if (!err)
		err = read_root(&r, root);
	json_decref(root);
	if (err) {
		rk_manifest_free(r.m);
		return err;
	}
	*ret = r.m;
	return NULL;
}

struct rk_err *rk_manifest_of_elf(const struct rk_elf *elf, struct rk_manifest **ret)
{
	const struct rk_section *section = rk_elf_section(elf, RK_MANIFEST_SECTION);

	if (!section)
		return rk_err(RK_ERR_NOT_FOUND,
			      "'%s' has no manifest: it isn't one of our patch modules", elf->path);
	const uint8_t *data;
	RK_TRY(rk_elf_section_data(elf, section, &data));
	return rk_manifest_parse(elf->path, (const char *)data, section->size, ret);
}

struct rk_err *rk_manifest_read_module(const char *path, struct rk_manifest **ret)
{
	_cleanup_free_ char *file = NULL;
	_cleanup_elf_ struct rk_elf *elf = NULL;
	size_t size;

	RK_TRY(rk_fs_read(path, RK_MODULE_SIZE_MAX, &file, &size));
	RK_TRY(rk_elf_open_memory(path, file, size, RK_ELF_LOAD_NO_RELOCS, &elf));
	return rk_manifest_of_elf(elf, ret);
}
