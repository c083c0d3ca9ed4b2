/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Does evidence speak for a module? It must have passed, for exactly these bytes, on exactly the kernel that they are for. */
#include "lib/base/json.h"
#include "lib/base/str.h"
#include "lib/patch/manifest.h"
#include "lib/repo/internal.h"
#include "lib/vm/test.h"

struct evidence {
	const char *verdict;
	struct {
		const char *sha256;
	} module;
	struct {
		const char *release, *version, *build_id;
	} target;
};

static const struct rk_json_field root_fields[] = {
	RK_JSON_FIELD(evidence, verdict, "verdict", STRING),
};
static const struct rk_json_field module_fields[] = {
	RK_JSON_FIELD(evidence, module.sha256, "sha256", SHA256),
};
static const struct rk_json_field target_fields[] = {
	RK_JSON_FIELD(evidence, target.release, "release", STRING),
	RK_JSON_FIELD(evidence, target.version, "version", STRING),
	RK_JSON_FIELD(evidence, target.build_id, "build_id", STRING),
};

static struct rk_err *read_evidence(const struct rk_json_reader *r, const json_t *doc,
				    struct evidence *e)
{
	const json_t *module, *target;

	RK_TRY(rk_json_fields(r, "", doc, root_fields, ARRAY_SIZE(root_fields), e));
	RK_TRY(rk_json_object(r, "", doc, "module", &module));
	RK_TRY(rk_json_fields(r, "module", module, module_fields, ARRAY_SIZE(module_fields), e));
	RK_TRY(rk_json_object(r, "", doc, "target", &target));
	return rk_json_fields(r, "target", target, target_fields, ARRAY_SIZE(target_fields), e);
}

static struct rk_err *check_same(const char *name, const char *what, const char *evidence,
				 const char *module)
{
	if (module && rk_streq(evidence, module))
		return NULL;
	return rk_err(RK_ERR_MISMATCH, "'%s' is evidence of another %s: '%s', the module's is '%s'",
		      name, what, evidence, module ? module : "unknown");
}

struct rk_err *rk_evidence_check(const char *name, const char *bytes, size_t len,
				 const struct rk_manifest *manifest, const char *sha256)
{
	_cleanup_arena_ struct rk_arena arena = RK_ARENA_INIT;
	const struct rk_json_reader r = {name, &arena};
	_cleanup_json_ json_t *doc = NULL;
	struct evidence e = {};

	RK_TRY(rk_json_load_schema(name, bytes, len, RK_EVIDENCE_SCHEMA, &doc));
	RK_TRY(read_evidence(&r, doc, &e));
	RK_TRY(check_same(name, "module (SHA-256)", e.module.sha256, sha256));
	RK_TRY(check_same(name, "kernel (build-id)", e.target.build_id, manifest->build_id));
	RK_TRY(check_same(name, "kernel (release)", e.target.release, manifest->release));
	RK_TRY(check_same(name, "kernel (version)", e.target.version, manifest->version));
	if (!rk_streq(e.verdict, "passed"))
		return rk_err(RK_ERR_VERDICT,
			      "'%s' says that the module %s; mend it, or give the reason with "
			      "'--without-evidence'",
			      name, e.verdict);
	return NULL;
}
