/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The manifest as canonical JSON: keys in one fixed order, so that equal manifests are equal bytes. */
#include "lib/patch/manifest.h"

#include <inttypes.h>

#include "lib/base/json.h"
#include "lib/base/str.h"

struct rk_err *rk_manifest_create(struct rk_manifest **ret)
{
	struct rk_manifest *m = calloc(1, sizeof(*m));
	if (!m)
		return rk_err_nomem();
	*ret = m;
	return NULL;
}

void rk_manifest_free(struct rk_manifest *m)
{
	if (!m)
		return;
	rk_vec_for_each(&m->fixes, fix) {
		rk_vec_deinit(&fix->cves);
		rk_vec_deinit(&fix->bugs);
		rk_vec_deinit(&fix->fixes);
		rk_vec_deinit(&fix->functions);
	}
	rk_vec_for_each(&m->skipped, skipped) {
		rk_vec_deinit(&skipped->cves);
		rk_vec_deinit(&skipped->codes);
	}
	rk_vec_deinit(&m->fixes);
	rk_vec_deinit(&m->skipped);
	rk_vec_deinit(&m->supersedes);
	rk_vec_deinit(&m->objects);
	rk_vec_deinit(&m->funcs);
	rk_vec_deinit(&m->units);
	rk_vec_deinit(&m->findings);
	rk_vec_deinit(&m->callbacks);
	rk_vec_deinit(&m->states);
	rk_vec_deinit(&m->shadow_ids);
	rk_arena_deinit(&m->arena);
	free(m);
}

/* A JSON document under construction. The first failure sticks. */
struct json_builder {
	struct rk_err *err;
};

/* Takes value over. */
static void set(struct json_builder *b, json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value) && !b->err)
		b->err = rk_err_nomem();
}

static void append(struct json_builder *b, json_t *array, json_t *value)
{
	if (json_array_append_new(array, value) && !b->err)
		b->err = rk_err_nomem();
}

/* Bytes of the well-formed UTF-8 character at s (RFC 3629), 0 if there is none. */
static size_t utf8_length(const unsigned char *s)
{
	static const struct {
		unsigned char first_min, first_max, second_min, second_max;
		size_t length;
	} forms[] = {
		{0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
		{0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3},
		{0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
		{0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
	};

	if (s[0] < 0x80)
		return 1;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		if (s[0] < forms[i].first_min || s[0] > forms[i].first_max)
			continue;
		if (s[1] < forms[i].second_min || s[1] > forms[i].second_max)
			return 0;
		for (size_t k = 2; k < forms[i].length; k++) {
			if ((s[k] & 0xc0) != 0x80)
				return 0;
		}
		return forms[i].length;
	}
	return 0;
}

/* Titles and file names come from patches, which may be in any encoding: what isn't UTF-8 becomes U+FFFD. */
static json_t *text(struct json_builder *b, const char *s)
{
	_cleanup_str_ struct rk_str out = RK_STR_INIT;

	while (*s) {
		size_t length = utf8_length((const unsigned char *)s);
		if (length)
			rk_str_add_bytes(&out, s, length);
		else
			rk_str_add(&out, "\xef\xbf\xbd");
		s += length ? length : 1;
	}
	struct rk_err *err = rk_str_check(&out);
	if (err && !b->err)
		b->err = err;
	else
		rk_err_free(err);
	return json_string(rk_str_get(&out));
}

static void set_string(struct json_builder *b, json_t *object, const char *key, const char *s)
{
	set(b, object, key, s ? text(b, s) : json_null());
}

/* key is for the message */
static json_t *number(struct json_builder *b, const char *key, uint64_t n)
{
	if (n > INT64_MAX && !b->err)
		b->err = rk_err(RK_ERR_LIMIT, "manifest: '%s' is too large: %" PRIu64, key, n);
	return json_integer((json_int_t)n);
}

static void set_number(struct json_builder *b, json_t *object, const char *key, uint64_t n)
{
	set(b, object, key, number(b, key, n));
}

static void set_strings(struct json_builder *b, json_t *object, const char *key,
			const struct rk_manifest_strings *strings)
{
	json_t *list = json_array();

	rk_vec_for_each(strings, s)
		append(b, list, text(b, *s));
	set(b, object, key, list);
}

static json_t *fix_to_json(struct json_builder *b, const struct rk_manifest_fix *fix)
{
	json_t *object = json_object();

	set_string(b, object, "name", fix->name);
	set_string(b, object, "title", fix->title);
	set_string(b, object, "author", fix->author);
	set_string(b, object, "origin", fix->origin);
	set_string(b, object, "forwarded", fix->forwarded);
	set_string(b, object, "applied_upstream", fix->applied_upstream);
	set_string(b, object, "file", fix->file);
	set_string(b, object, "sha256", fix->sha256);
	set_strings(b, object, "cves", &fix->cves);
	set_strings(b, object, "bugs", &fix->bugs);
	set_strings(b, object, "fixes", &fix->fixes);
	set_strings(b, object, "functions", &fix->functions);
	return object;
}

static json_t *skipped_to_json(struct json_builder *b, const struct rk_manifest_skipped *skipped)
{
	json_t *object = json_object();

	set_string(b, object, "name", skipped->name);
	set_string(b, object, "title", skipped->title);
	set_string(b, object, "file", skipped->file);
	set_string(b, object, "sha256", skipped->sha256);
	set_strings(b, object, "cves", &skipped->cves);
	set_strings(b, object, "codes", &skipped->codes);
	set_string(b, object, "reason", skipped->reason);
	set_string(b, object, "depends_on", skipped->depends_on);
	return object;
}

static json_t *base_to_json(struct json_builder *b, const struct rk_manifest_base *base)
{
	json_t *object = json_object();

	set_string(b, object, "name", base->name);
	set_number(b, object, "level", base->level);
	set_string(b, object, "sha256", base->sha256);
	return object;
}

static json_t *object_to_json(struct json_builder *b, const struct rk_manifest_object *o)
{
	json_t *object = json_object();

	set_string(b, object, "name", o->name);
	set_string(b, object, "build_id", o->build_id);
	set_string(b, object, "srcversion", o->srcversion);
	return object;
}

static json_t *func_to_json(struct json_builder *b, const struct rk_manifest_func *func)
{
	json_t *object = json_object();

	set_string(b, object, "object", func->object);
	set_string(b, object, "name", func->name);
	set_number(b, object, "sympos", func->sympos);
	set_string(b, object, "unit", func->unit);
	set_number(b, object, "old_size", func->old_size);
	set_number(b, object, "new_size", func->new_size);
	return object;
}

static json_t *unit_to_json(struct json_builder *b, const struct rk_manifest_unit *unit)
{
	json_t *object = json_object();

	set_string(b, object, "path", unit->path);
	set_string(b, object, "object", unit->object);
	set_string(b, object, "original_sha256", unit->original_sha256);
	set_number(b, object, "matched", unit->matched);
	set_number(b, object, "differing", unit->differing);
	set_number(b, object, "absent", unit->absent);
	set_number(b, object, "overridden", unit->overridden);
	set_number(b, object, "discarded", unit->discarded);
	return object;
}

static json_t *finding_to_json(struct json_builder *b, const struct rk_manifest_finding *finding)
{
	json_t *object = json_object();

	set_string(b, object, "code", finding->code);
	set_string(b, object, "severity", finding->severity);
	set_string(b, object, "place", finding->place);
	set_string(b, object, "text", finding->text);
	if (finding->reason)
		set_string(b, object, "reason", finding->reason);
	return object;
}

static json_t *callback_to_json(struct json_builder *b, const struct rk_manifest_callback *callback)
{
	json_t *object = json_object();

	set_string(b, object, "object", callback->object);
	set_string(b, object, "kind", callback->kind);
	set_string(b, object, "function", callback->function);
	return object;
}

static json_t *state_to_json(struct json_builder *b, const struct rk_manifest_state *state)
{
	json_t *object = json_object();

	set_number(b, object, "id", state->id);
	set_number(b, object, "version", state->version);
	return object;
}

static json_t *target_to_json(struct json_builder *b, const struct rk_manifest *m)
{
	json_t *object = json_object();

	set_string(b, object, "id", m->target_id);
	set_string(b, object, "release", m->release);
	set_string(b, object, "version", m->version);
	set_string(b, object, "build_id", m->build_id);
	set_string(b, object, "compiler", m->compiler);
	return object;
}

static void lasting_to_json(struct json_builder *b, const struct rk_manifest *m, json_t *root)
{
	json_t *callbacks = json_array(), *states = json_array(), *shadow_ids = json_array();

	rk_vec_for_each(&m->callbacks, callback)
		append(b, callbacks, callback_to_json(b, callback));
	rk_vec_for_each(&m->states, state)
		append(b, states, state_to_json(b, state));
	rk_vec_for_each(&m->shadow_ids, id)
		append(b, shadow_ids, number(b, "shadow_ids", *id));
	set(b, root, "callbacks", callbacks);
	set(b, root, "states", states);
	set(b, root, "shadow_ids", shadow_ids);
}

static void lists_to_json(struct json_builder *b, const struct rk_manifest *m, json_t *root)
{
	json_t *fixes = json_array(), *objects = json_array(), *funcs = json_array();
	json_t *units = json_array(), *findings = json_array();
	json_t *skipped = json_array(), *supersedes = json_array();

	rk_vec_for_each(&m->fixes, fix)
		append(b, fixes, fix_to_json(b, fix));
	rk_vec_for_each(&m->skipped, it)
		append(b, skipped, skipped_to_json(b, it));
	rk_vec_for_each(&m->supersedes, base)
		append(b, supersedes, base_to_json(b, base));
	rk_vec_for_each(&m->objects, object)
		append(b, objects, object_to_json(b, object));
	rk_vec_for_each(&m->funcs, func)
		append(b, funcs, func_to_json(b, func));
	rk_vec_for_each(&m->units, unit)
		append(b, units, unit_to_json(b, unit));
	rk_vec_for_each(&m->findings, finding)
		append(b, findings, finding_to_json(b, finding));
	set(b, root, "fixes", fixes);
	set(b, root, "skipped", skipped);
	set(b, root, "supersedes", supersedes);
	set(b, root, "objects", objects);
	set(b, root, "functions", funcs);
	set(b, root, "units", units);
	set(b, root, "findings", findings);
}

struct rk_err *rk_manifest_document(const struct rk_manifest *m, json_t **ret)
{
	struct json_builder b = {};
	_cleanup_json_ json_t *root = json_object();

	set_string(&b, root, "schema", RK_MANIFEST_SCHEMA);
	set_string(&b, root, "name", m->name);
	set_number(&b, root, "level", m->level);
	set_string(&b, root, "model", m->model);
	set(&b, root, "replace", json_boolean(m->replace));
	set_string(&b, root, "tool_version", m->tool_version);
	set(&b, root, "target", target_to_json(&b, m));
	lists_to_json(&b, m, root);
	lasting_to_json(&b, m, root);
	if (b.err)
		return b.err;
	*ret = take_ptr(root);
	return NULL;
}

struct rk_err *rk_manifest_to_json(const struct rk_manifest *m, char **ret)
{
	json_t *document;

	RK_TRY(rk_manifest_document(m, &document));
	return rk_json_dump(document, RK_JSON_READABLE, ret);
}
