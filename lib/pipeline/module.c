/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Phase module: manifest, module file, signature. */

#include "lib/patch/module.h"

#include "lib/base/fs.h"
#include "lib/patch/sign.h"
#include "lib/pipeline/internal.h"

/* CONFIG_MODULE_SIG_HASH of every kernel that distributions ship since 2013; the kernel takes any hash it knows. */
#define SIGNATURE_HASH "sha256"

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static bool has_cve(const struct rk_manifest_fix *fix, const char *cve)
{
	for (size_t i = 0; i < fix->cves.nr; i++)
		if (rk_streq(fix->cves.v[i], cve))
			return true;
	return false;
}

static struct rk_err *add_cve(struct rk_manifest *m, struct rk_manifest_fix *fix, const char *cve)
{
	if (has_cve(fix, cve))
		return NULL;
	const char *copy = rk_arena_strdup(&m->arena, cve);
	return copy && rk_vec_push(&fix->cves, copy) ? NULL : rk_err_nomem();
}

static struct rk_err *add_fixes(struct rk_build *build)
{
	const struct rk_build_options *o = build->options;
	struct rk_manifest *m = build->manifest;

	for (size_t i = 0; i < o->nr_patches; i++) {
		const struct rk_patch_file *patch = o->patches[i];
		struct rk_manifest_fix fix = {
			.title = patch->title ? rk_arena_strdup(&m->arena, patch->title) : NULL,
			.origin = patch->origin ? rk_arena_strdup(&m->arena, patch->origin) : NULL,
			.file = rk_arena_strdup(&m->arena, base_name(patch->path)),
			.sha256 = rk_arena_strdup(&m->arena, patch->sha256),
		};
		if (!rk_vec_push(&m->fixes, fix))
			return rk_err_nomem();
		struct rk_manifest_fix *added = &m->fixes.v[m->fixes.nr - 1];
		rk_vec_for_each(&patch->cves, cve)
			RK_TRY(add_cve(m, added, *cve));
		for (size_t j = 0; i == 0 && j < o->nr_cves; j++)
			RK_TRY(add_cve(m, added, o->cves[j]));
	}
	return NULL;
}

static struct rk_err *add_parts(struct rk_build *build)
{
	struct rk_manifest *m = build->manifest;
	bool ok = true;

	rk_vec_for_each(&build->plan->objects, o)
		ok = ok && rk_vec_push(&m->objects, ((struct rk_manifest_object){
							    o->name, o->build_id, o->srcversion}));
	rk_vec_for_each(&build->plan->funcs, f)
		ok = ok &&
		     rk_vec_push(&m->funcs, ((struct rk_manifest_func){f->object, f->old_name,
								       f->unit, f->old_sympos,
								       f->old_size, f->new_size}));
	rk_vec_for_each(&build->units, u)
		ok = ok && rk_vec_push(&m->units, ((struct rk_manifest_unit){
							  .path = u->recipe->unit,
							  .object = u->recipe->object,
							  .matched = u->proof->matched,
							  .differing = u->proof->differing,
							  .absent = u->proof->absent,
							  .overridden = u->proof->overridden,
							  .discarded = u->proof->discarded,
						  }));
	rk_vec_for_each(&build->findings.list, f) {
		const char *place =
			rk_arena_printf(&m->arena, "%s%s%s", f->unit ? f->unit : "",
					f->symbol ? ":" : "", f->symbol ? f->symbol : "");
		ok = ok && place &&
		     rk_vec_push(&m->findings,
				 ((struct rk_manifest_finding){rk_finding_code_name(f->code),
							       rk_severity_name(f->severity), place,
							       f->text, f->reason}));
	}
	return ok ? NULL : rk_err_nomem();
}

/* The manifest borrows from the build, which outlives it. */
struct rk_err *rk_build_manifest(struct rk_build *build)
{
	const struct rk_target *t = build->target;

	RK_TRY(rk_manifest_create(&build->manifest));
	struct rk_manifest *m = build->manifest;
	m->name = build->options->name;
	m->level = build->options->level;
	m->model = "hybrid";
	m->replace = build->options->replace;
	m->tool_version = build->options->tool_version;
	m->target_id = t->id;
	m->release = t->release;
	m->version = t->version;
	m->build_id = t->build_id;
	m->compiler = t->compiler;
	RK_TRY(add_fixes(build));
	RK_TRY(add_parts(build));
	return rk_manifest_to_json(m, &build->manifest_json);
}

/* A plan that contradicts itself is nothing the user could mend. */
static struct rk_err *own_mistake(struct rk_err *err)
{
	if (!err || rk_err_code(err) != RK_ERR_INVALID)
		return err;
	struct rk_err *mine =
		rk_err(RK_ERR_INTERNAL,
		       "%s; this is a mistake of kpatch-build: please report it with the patch",
		       rk_err_message(err));
	rk_err_free(err);
	return mine;
}

static struct rk_err *write_module(struct rk_build *build)
{
	struct rk_hook *hook = NULL;
	void *module = NULL;
	size_t size;

	RK_TRY(rk_hook_open(build->kbuild, build->target, &hook));
	struct rk_err *err =
		rk_module_write(build->plan, hook, build->symbols, build->options->name,
				build->options->replace, build->manifest_json, &module, &size);
	rk_hook_close(hook);
	if (err)
		return own_mistake(err);
	if (build->options->sign_key) {
		void *signed_module = NULL;
		err = rk_sign_module(module, size, build->options->sign_key,
				     build->options->sign_cert, SIGNATURE_HASH, &signed_module,
				     &size);
		free(module);
		if (err)
			return err;
		module = signed_module;
	}
	build->module = module;
	build->module_size = size;
	return NULL;
}

struct rk_err *rk_build_module(struct rk_build *build)
{
	const char *path;

	RK_TRY(rk_build_manifest(build));
	RK_TRY(write_module(build));
	RK_TRY(rk_build_path(build, "6-module", "module.ko", &path));
	return rk_fs_write(path, build->module, build->module_size, 0666);
}
