/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One level after another: what must be the same, what must be more, and what may not get lost. */
#include "lib/patch/supersede.h"

#include <inttypes.h>

#include "lib/base/str.h"

/* A build-id says it all; without one the version does. */
static bool is_same_kernel(const struct rk_manifest *m, const char *version, const char *build_id)
{
	if (m->build_id && build_id)
		return rk_streq(m->build_id, build_id);
	return m->version && version && rk_streq(m->version, version);
}

static struct rk_err *check_chain(const struct rk_module_info *base, const char *path,
				  const char *name, uint64_t level)
{
	const struct rk_manifest *m = base->manifest;

	rk_vec_for_each(&m->supersedes, old) {
		bool is_new = rk_streq(old->name, name) && old->level == level;
		bool is_base = rk_streq(old->sha256, base->sha256) ||
			       (rk_streq(old->name, m->name) && old->level == m->level);
		if (is_new || is_base)
			return rk_err(RK_ERR_INVALID,
				      "--base '%s' is circular: '%s', level %" PRIu64
				      ", supersedes '%s', level %" PRIu64 ", which is %s",
				      path, m->name, m->level, old->name, old->level,
				      is_new ? "the module to be built" : "itself");
		if (old->level >= level)
			return rk_err(RK_ERR_INVALID,
				      "--base '%s' supersedes '%s' of level %" PRIu64
				      ", so level %" PRIu64 " isn't greater than all before it",
				      path, old->name, old->level, level);
	}
	return NULL;
}

struct rk_err *rk_supersede_check(const struct rk_module_info *base, const char *path,
				  const char *name, uint64_t level, const char *target_id,
				  const char *target_version, const char *target_build_id)
{
	const struct rk_manifest *m = base->manifest;

	if (!m)
		return rk_err(RK_ERR_INVALID,
			      "--base '%s' has no manifest: it isn't one of our patch modules",
			      path);
	if (!is_same_kernel(m, target_version, target_build_id))
		return rk_err(RK_ERR_MISMATCH,
			      "--base '%s' is for kernel '%s' (%s), this build is for '%s' (%s)",
			      path, m->target_id, m->version ? m->version : "version unknown",
			      target_id, target_version ? target_version : "version unknown");
	RK_TRY(check_chain(base, path, name, level));
	if (level <= m->level)
		return rk_err(RK_ERR_INVALID,
			      "--level must be greater than %" PRIu64 ", the level of --base '%s'",
			      m->level, path);
	if (rk_streq(m->name, name))
		return rk_err(
			RK_ERR_INVALID,
			"--base '%s' is called '%s', too: while one takes the place of the other the kernel holds both; "
			"choose another name with --name",
			path, name);
	return NULL;
}

static struct rk_err *add(struct rk_manifest *next, const char *name, uint64_t level,
			  const char *sha256)
{
	struct rk_manifest_base base = {
		.name = rk_arena_strdup(&next->arena, name),
		.level = level,
		.sha256 = rk_arena_strdup(&next->arena, sha256),
	};

	if (!base.name || !base.sha256 || !rk_vec_push(&next->supersedes, base))
		return rk_err_nomem();
	return NULL;
}

struct rk_err *rk_supersede_record(struct rk_manifest *next, const struct rk_module_info *base)
{
	const struct rk_manifest *m = base->manifest;

	RK_TRY(add(next, m->name, m->level, base->sha256));
	rk_vec_for_each(&m->supersedes, old)
		RK_TRY(add(next, old->name, old->level, old->sha256));
	return NULL;
}

/* ---- what may not get lost ---- */

static const char *fix_name(const struct rk_manifest_fix *fix)
{
	return fix->name ? fix->name : fix->file;
}

static bool fixes_cve(const struct rk_manifest *m, const char *cve)
{
	rk_vec_for_each(&m->fixes, fix)
		rk_vec_for_each(&fix->cves, it)
			if (rk_streq(*it, cve))
				return true;
	return false;
}

/* The same patch, one of the same name, or others for all that it fixed. */
static bool has_fix(const struct rk_manifest *m, const struct rk_manifest_fix *old)
{
	bool all = old->cves.nr > 0;

	rk_vec_for_each(&m->fixes, fix)
		if (rk_streq(fix->sha256, old->sha256) || rk_streq(fix_name(fix), fix_name(old)))
			return true;
	rk_vec_for_each(&old->cves, cve)
		all = all && fixes_cve(m, *cve);
	return all;
}

static struct rk_err *compare_fixes(const struct rk_manifest *next, const struct rk_manifest *base,
				    struct rk_findings *findings)
{
	rk_vec_for_each(&base->fixes, fix) {
		if (has_fix(next, fix))
			continue;
		_cleanup_str_ struct rk_str cves = RK_STR_INIT;
		rk_vec_for_each(&fix->cves, cve)
			rk_str_addf(&cves, "%s%s", cves.len ? ", " : " (", *cve);
		if (cves.len)
			rk_str_add_char(&cves, ')');
		RK_TRY(rk_str_check(&cves));
		RK_TRY(rk_finding_add(findings, RK_FINDING_FIX_DROPPED, NULL, NULL, fix_name(fix),
				      "'%s', level %" PRIu64 ", has it%s and this module doesn't",
				      base->name, base->level, rk_str_get(&cves)));
	}
	return NULL;
}

static struct rk_err *compare_states(const struct rk_manifest *next, const struct rk_manifest *base,
				     struct rk_findings *findings)
{
	rk_vec_for_each(&base->states, old) {
		const struct rk_manifest_state *found = NULL;
		rk_vec_for_each(&next->states, state)
			if (state->id == old->id)
				found = state;
		if (found && found->version >= old->version)
			continue;
		_cleanup_free_ char *id = rk_asprintf("%" PRIu64, old->id);
		if (!id)
			return rk_err_nomem();
		RK_TRY(rk_finding_add(findings, RK_FINDING_STATE_DROPPED, NULL, NULL, id,
				      "'%s' has this state in version %u, this module %s",
				      base->name, old->version,
				      found ? "only in an older one" : "doesn't know it"));
	}
	return NULL;
}

static struct rk_err *compare_shadow_ids(const struct rk_manifest *next,
					 const struct rk_manifest *base,
					 struct rk_findings *findings)
{
	rk_vec_for_each(&base->shadow_ids, old) {
		bool found = false;
		rk_vec_for_each(&next->shadow_ids, id)
			found = found || *id == *old;
		_cleanup_free_ char *name = found ? NULL : rk_asprintf("0x%" PRIx64, *old);
		if (found)
			continue;
		if (!name)
			return rk_err_nomem();
		RK_TRY(rk_finding_add(
			findings, RK_FINDING_SHADOW_DROPPED, NULL, NULL, name,
			"'%s' makes shadow variables of this id, this module doesn't know them",
			base->name));
	}
	return NULL;
}

static struct rk_err *compare_callbacks(const struct rk_manifest *next,
					const struct rk_manifest *base,
					struct rk_findings *findings)
{
	rk_vec_for_each(&base->callbacks, old) {
		bool found = false;
		rk_vec_for_each(&next->callbacks, callback)
			found = found || (rk_streq(callback->object, old->object) &&
					  rk_streq(callback->kind, old->kind));
		if (found)
			continue;
		RK_TRY(rk_finding_add(findings, RK_FINDING_CALLBACK_DROPPED, NULL, old->object,
				      old->function,
				      "'%s' has a %s callback for '%s', this module has none",
				      base->name, old->kind, old->object));
	}
	return NULL;
}

struct rk_err *rk_supersede_compare(const struct rk_manifest *next, const struct rk_manifest *base,
				    struct rk_findings *findings)
{
	RK_TRY(compare_fixes(next, base, findings));
	RK_TRY(compare_states(next, base, findings));
	RK_TRY(compare_shadow_ids(next, base, findings));
	return compare_callbacks(next, base, findings);
}
