/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading a manifest: one table of fields per kind of entry. What must be there and isn't, or has the wrong type, is named by
 * its path in the document.
 */
#include <elf.h>

#include "lib/base/fs.h"
#include "lib/base/json.h"
#include "lib/base/str.h"
#include "lib/elf/elf.h"
#include "lib/patch/internal.h"

/* A level with 3,000 fixes has about 1 MiB; parsed, a file takes up to twenty times its size. */
#define MANIFEST_SIZE_MAX (8u << 20)

static const struct rk_json_field root_fields[] = {
	RK_JSON_FIELD(rk_manifest, name, "name", STRING),
	RK_JSON_FIELD(rk_manifest, level, "level", U64),
	RK_JSON_FIELD(rk_manifest, model, "model", STRING),
	RK_JSON_FIELD(rk_manifest, replace, "replace", BOOL),
	RK_JSON_FIELD(rk_manifest, tool_version, "tool_version", STRING),
};
static const struct rk_json_field target_fields[] = {
	RK_JSON_FIELD(rk_manifest, target_id, "id", STRING),
	RK_JSON_FIELD(rk_manifest, release, "release", STRING),
	RK_JSON_FIELD(rk_manifest, version, "version", OPTIONAL),
	RK_JSON_FIELD(rk_manifest, build_id, "build_id", OPTIONAL),
	RK_JSON_FIELD(rk_manifest, compiler, "compiler", OPTIONAL),
};
static const struct rk_json_field fix_fields[] = {
	RK_JSON_FIELD(rk_manifest_fix, name, "name", OPTIONAL),
	RK_JSON_FIELD(rk_manifest_fix, title, "title", OPTIONAL),
	RK_JSON_FIELD(rk_manifest_fix, author, "author", OPTIONAL),
	RK_JSON_FIELD(rk_manifest_fix, origin, "origin", OPTIONAL),
	RK_JSON_FIELD(rk_manifest_fix, forwarded, "forwarded", OPTIONAL),
	RK_JSON_FIELD(rk_manifest_fix, applied_upstream, "applied_upstream", OPTIONAL),
	RK_JSON_FIELD(rk_manifest_fix, file, "file", STRING),
	RK_JSON_FIELD(rk_manifest_fix, sha256, "sha256", STRING),
};
static const struct rk_json_field skipped_fields[] = {
	RK_JSON_FIELD(rk_manifest_skipped, name, "name", STRING),
	RK_JSON_FIELD(rk_manifest_skipped, title, "title", OPTIONAL),
	RK_JSON_FIELD(rk_manifest_skipped, file, "file", STRING),
	RK_JSON_FIELD(rk_manifest_skipped, sha256, "sha256", STRING),
	RK_JSON_FIELD(rk_manifest_skipped, reason, "reason", STRING),
	RK_JSON_FIELD(rk_manifest_skipped, depends_on, "depends_on", OPTIONAL),
};
static const struct rk_json_field base_fields[] = {
	RK_JSON_FIELD(rk_manifest_base, name, "name", STRING),
	RK_JSON_FIELD(rk_manifest_base, level, "level", U64),
	RK_JSON_FIELD(rk_manifest_base, sha256, "sha256", STRING),
};
static const struct rk_json_field object_fields[] = {
	RK_JSON_FIELD(rk_manifest_object, name, "name", STRING),
	RK_JSON_FIELD(rk_manifest_object, build_id, "build_id", OPTIONAL),
	RK_JSON_FIELD(rk_manifest_object, srcversion, "srcversion", OPTIONAL),
};
static const struct rk_json_field func_fields[] = {
	RK_JSON_FIELD(rk_manifest_func, object, "object", STRING),
	RK_JSON_FIELD(rk_manifest_func, name, "name", STRING),
	RK_JSON_FIELD(rk_manifest_func, sympos, "sympos", U32),
	RK_JSON_FIELD(rk_manifest_func, unit, "unit", STRING),
	RK_JSON_FIELD(rk_manifest_func, old_size, "old_size", U64),
	RK_JSON_FIELD(rk_manifest_func, new_size, "new_size", U64),
};
static const struct rk_json_field unit_fields[] = {
	RK_JSON_FIELD(rk_manifest_unit, path, "path", STRING),
	RK_JSON_FIELD(rk_manifest_unit, object, "object", STRING),
	RK_JSON_FIELD(rk_manifest_unit, original_sha256, "original_sha256", OPTIONAL),
	RK_JSON_FIELD(rk_manifest_unit, matched, "matched", U64),
	RK_JSON_FIELD(rk_manifest_unit, differing, "differing", U64),
	RK_JSON_FIELD(rk_manifest_unit, absent, "absent", U64),
	RK_JSON_FIELD(rk_manifest_unit, overridden, "overridden", U64),
	RK_JSON_FIELD(rk_manifest_unit, discarded, "discarded", U64),
};
static const struct rk_json_field finding_fields[] = {
	RK_JSON_FIELD(rk_manifest_finding, code, "code", STRING),
	RK_JSON_FIELD(rk_manifest_finding, severity, "severity", STRING),
	RK_JSON_FIELD(rk_manifest_finding, place, "place", OPTIONAL),
	RK_JSON_FIELD(rk_manifest_finding, text, "text", STRING),
	RK_JSON_FIELD(rk_manifest_finding, reason, "reason", OPTIONAL),
};

static const struct rk_json_field callback_fields[] = {
	RK_JSON_FIELD(rk_manifest_callback, object, "object", STRING),
	RK_JSON_FIELD(rk_manifest_callback, kind, "kind", STRING),
	RK_JSON_FIELD(rk_manifest_callback, function, "function", STRING),
};
static const struct rk_json_field state_fields[] = {
	RK_JSON_FIELD(rk_manifest_state, id, "id", U64),
	RK_JSON_FIELD(rk_manifest_state, version, "version", U32),
};

struct reader {
	struct rk_json_reader json;
	struct rk_manifest *m;
};

static struct rk_err *read_fixes(const struct reader *r, const json_t *root)
{
	RK_JSON_LIST(&r->json, "", root, "fixes", false, &r->m->fixes, fix_fields);
	const json_t *list = json_object_get(root, "fixes");
	for (size_t i = 0; i < r->m->fixes.nr; i++) {
		struct rk_manifest_fix *fix = &r->m->fixes.v[i];
		const json_t *entry = json_array_get(list, i);
		_cleanup_free_ char *path = rk_asprintf("fixes[%zu]", i);
		if (!path)
			return rk_err_nomem();
		RK_TRY(rk_json_strings(&r->json, path, entry, "cves", false, &fix->cves));
		RK_TRY(rk_json_strings(&r->json, path, entry, "bugs", true, &fix->bugs));
		RK_TRY(rk_json_strings(&r->json, path, entry, "fixes", true, &fix->fixes));
		RK_TRY(rk_json_strings(&r->json, path, entry, "functions", true, &fix->functions));
	}
	return NULL;
}

static struct rk_err *read_skipped(const struct reader *r, const json_t *root)
{
	RK_JSON_LIST(&r->json, "", root, "skipped", true, &r->m->skipped, skipped_fields);
	const json_t *list = json_object_get(root, "skipped");
	for (size_t i = 0; i < r->m->skipped.nr; i++) {
		struct rk_manifest_skipped *skipped = &r->m->skipped.v[i];
		_cleanup_free_ char *path = rk_asprintf("skipped[%zu]", i);
		if (!path)
			return rk_err_nomem();
		RK_TRY(rk_json_strings(&r->json, path, json_array_get(list, i), "cves", false,
				       &skipped->cves));
		RK_TRY(rk_json_strings(&r->json, path, json_array_get(list, i), "codes", false,
				       &skipped->codes));
	}
	return NULL;
}

static struct rk_err *read_shadow_ids(const struct reader *r, const json_t *root)
{
	RK_JSON_NUMBERS(&r->json, "", root, "shadow_ids", true, &r->m->shadow_ids);
	return NULL;
}

/* Patches made before these lists existed have none. */
static struct rk_err *read_lasting(const struct reader *r, const json_t *root)
{
	RK_JSON_LIST(&r->json, "", root, "callbacks", true, &r->m->callbacks, callback_fields);
	RK_JSON_LIST(&r->json, "", root, "states", true, &r->m->states, state_fields);
	return read_shadow_ids(r, root);
}

static struct rk_err *read_root(const struct reader *r, const json_t *root)
{
	const json_t *target;

	RK_TRY(rk_json_check_schema(&r->json, root, RK_MANIFEST_SCHEMA));
	RK_TRY(rk_json_fields(&r->json, "", root, root_fields, ARRAY_SIZE(root_fields), r->m));
	RK_TRY(rk_json_object(&r->json, "", root, "target", &target));
	RK_TRY(rk_json_fields(&r->json, "target", target, target_fields, ARRAY_SIZE(target_fields),
			      r->m));
	RK_TRY(read_fixes(r, root));
	RK_TRY(read_skipped(r, root));
	RK_JSON_LIST(&r->json, "", root, "supersedes", true, &r->m->supersedes, base_fields);
	RK_JSON_LIST(&r->json, "", root, "objects", false, &r->m->objects, object_fields);
	RK_JSON_LIST(&r->json, "", root, "functions", false, &r->m->funcs, func_fields);
	RK_JSON_LIST(&r->json, "", root, "units", false, &r->m->units, unit_fields);
	RK_JSON_LIST(&r->json, "", root, "findings", false, &r->m->findings, finding_fields);
	return read_lasting(r, root);
}

struct rk_err *rk_manifest_from_document(const char *name, const json_t *root,
					 struct rk_manifest **ret)
{
	struct reader r = {.json = {.name = name}};

	RK_TRY(rk_manifest_create(&r.m));
	r.json.arena = &r.m->arena;
	struct rk_err *err = read_root(&r, root);
	if (err) {
		rk_manifest_free(r.m);
		return err;
	}
	*ret = r.m;
	return NULL;
}

struct rk_err *rk_manifest_parse(const char *name, const char *json, size_t len,
				 struct rk_manifest **ret)
{
	_cleanup_json_ json_t *root = NULL;

	if (len > MANIFEST_SIZE_MAX)
		return rk_err(RK_ERR_LIMIT, "'%s': a manifest of more than %u bytes", name,
			      MANIFEST_SIZE_MAX);
	RK_TRY(rk_json_load(name, json, len, &root));
	return rk_manifest_from_document(name, root, ret);
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

struct rk_err *rk_manifest_read_bytes(const char *name, const void *bytes, size_t len,
				      struct rk_manifest **ret)
{
	_cleanup_elf_ struct rk_elf *elf = NULL;

	RK_TRY(rk_elf_open_memory(name, bytes, len, RK_ELF_LOAD_NO_RELOCS, &elf));
	return rk_manifest_of_elf(elf, ret);
}

struct rk_err *rk_manifest_read_module(const char *path, struct rk_manifest **ret)
{
	_cleanup_free_ char *file = NULL;
	size_t size;

	RK_TRY(rk_fs_read(path, RK_MODULE_SIZE_MAX, &file, &size));
	return rk_manifest_read_bytes(path, file, size, ret);
}
