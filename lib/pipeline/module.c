/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Phase module: manifest, module file, signature. */

#include "lib/patch/module.h"

#include "lib/base/fs.h"
#include "lib/patch/sign.h"
#include "lib/patch/supersede.h"
#include "lib/pipeline/internal.h"
#include "lib/pipeline/session.h"

/* CONFIG_MODULE_SIG_HASH of every kernel that distributions ship since 2013; the kernel takes any hash it knows. */
#define SIGNATURE_HASH "sha256"

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static struct rk_err *copy(struct rk_manifest *m, const char *s, const char **ret)
{
	*ret = s ? rk_arena_strdup(&m->arena, s) : NULL;
	return !s || *ret ? NULL : rk_err_nomem();
}

/* Each once. */
static struct rk_err *add_string(struct rk_manifest *m, struct rk_manifest_strings *to,
				 const char *s)
{
	const char *own;

	rk_vec_for_each(to, known)
		if (rk_streq(*known, s))
			return NULL;
	RK_TRY(copy(m, s, &own));
	return rk_vec_push(to, own) ? NULL : rk_err_nomem();
}

static struct rk_err *add_strings(struct rk_manifest *m, struct rk_manifest_strings *to,
				  const char *const *strings, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		RK_TRY(add_string(m, to, strings[i]));
	return NULL;
}

static struct rk_err *add_fix(struct rk_manifest *m, const struct rk_patch_file *patch)
{
	const struct rk_fix_metadata *from = &patch->metadata;

	if (!rk_vec_push(&m->fixes, (struct rk_manifest_fix){}))
		return rk_err_nomem();
	struct rk_manifest_fix *fix = &m->fixes.v[m->fixes.nr - 1];
	RK_TRY(copy(m, from->name, &fix->name));
	RK_TRY(copy(m, from->title, &fix->title));
	RK_TRY(copy(m, from->author, &fix->author));
	RK_TRY(copy(m, from->origin, &fix->origin));
	RK_TRY(copy(m, from->forwarded, &fix->forwarded));
	RK_TRY(copy(m, from->applied_upstream, &fix->applied_upstream));
	RK_TRY(copy(m, base_name(patch->path), &fix->file));
	RK_TRY(copy(m, patch->sha256, &fix->sha256));
	RK_TRY(add_strings(m, &fix->cves, from->cves.v, from->cves.nr));
	RK_TRY(add_strings(m, &fix->bugs, from->bugs.v, from->bugs.nr));
	return add_strings(m, &fix->fixes, from->fixes.v, from->fixes.nr);
}

static struct rk_err *add_skipped(struct rk_manifest *m, const struct rk_left_out *out)
{
	const struct rk_fix_metadata *from = &out->fix->metadata;

	if (!rk_vec_push(&m->skipped, (struct rk_manifest_skipped){}))
		return rk_err_nomem();
	struct rk_manifest_skipped *skipped = &m->skipped.v[m->skipped.nr - 1];
	RK_TRY(copy(m, from->name, &skipped->name));
	RK_TRY(copy(m, from->title, &skipped->title));
	RK_TRY(copy(m, base_name(out->fix->path), &skipped->file));
	RK_TRY(copy(m, out->fix->sha256, &skipped->sha256));
	RK_TRY(copy(m, out->reason, &skipped->reason));
	if (out->needs)
		RK_TRY(copy(m, out->needs->metadata.name, &skipped->depends_on));
	RK_TRY(add_strings(m, &skipped->cves, from->cves.v, from->cves.nr));
	return add_strings(m, &skipped->codes, out->codes.v, out->codes.nr);
}

/* --fixes names more of what the first of all patches fixes, which may have been left out. */
static struct rk_err *add_more_cves(struct rk_build *build)
{
	const struct rk_build_options *o = build->options;
	struct rk_manifest *m = build->manifest;

	if (!o->nr_cves || !m->fixes.nr || o->patches[0] != build->session->options->patches[0])
		return NULL;
	return add_strings(m, &m->fixes.v[0].cves, o->cves, o->nr_cves);
}

static struct rk_err *add_fixes(struct rk_build *build)
{
	const struct rk_build_options *o = build->options;
	struct rk_manifest *m = build->manifest;

	for (size_t i = 0; i < o->nr_patches; i++)
		RK_TRY(add_fix(m, o->patches[i]));
	RK_TRY(rk_build_add_functions(build));
	size_t nr;
	const struct rk_left_out *out = rk_build_left_out(build, &nr);
	for (size_t i = 0; i < nr; i++)
		RK_TRY(add_skipped(m, &out[i]));
	if (o->base)
		RK_TRY(rk_supersede_record(m, o->base));
	return add_more_cves(build);
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

static struct rk_err *add_lasting(struct rk_build *build)
{
	struct rk_manifest *m = build->manifest;
	bool ok = true;

	rk_vec_for_each(&build->plan->callbacks, c)
		ok = ok && rk_vec_push(&m->callbacks,
				       ((struct rk_manifest_callback){
					       c->object, rk_mark_name(c->kind), c->symbol->name}));
	rk_vec_for_each(&build->plan->states, state)
		ok = ok && rk_vec_push(&m->states,
				       ((struct rk_manifest_state){state->id, state->version}));
	rk_vec_for_each(&build->plan->shadow_ids, id)
		ok = ok && rk_vec_push(&m->shadow_ids, *id);
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
	RK_TRY(add_lasting(build));
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
