/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The phases in order, with their times, and what they share. */
#include <ctype.h>

#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/process.h"
#include "lib/pipeline/internal.h"
#include "lib/pipeline/session.h"

static const struct {
	const char *name;
	const char *text;
	struct rk_err *(*run)(struct rk_build *build);
} phases[RK_PHASES] = {
	[RK_PHASE_SOURCE] = {"source", "applying the patches", rk_build_source},
	[RK_PHASE_COMPILE] = {"compile", "compiling original and patched units", rk_build_compile},
	[RK_PHASE_PROOF] = {"proof", "holding the originals against the shipped binary",
			    rk_build_proof},
	[RK_PHASE_DIFF] = {"diff", "comparing original and patched objects", rk_build_diff},
	[RK_PHASE_LINK] = {"link", "resolving what the new code needs", rk_build_link},
	[RK_PHASE_MODULE] = {"module", "writing the patch module", rk_build_module},
};

const char *rk_build_phase_name(enum rk_build_phase phase)
{
	return phases[phase].name;
}

struct rk_err *rk_build_accept(struct rk_build *build)
{
	const struct rk_build_options *o = build->options;

	return rk_findings_accept(&build->findings, o->accepted, o->nr_accepted);
}

static bool is_blocked(const struct rk_build *build)
{
	return rk_findings_count_blocking(&build->findings, RK_SEVERITY_ERROR) ||
	       rk_findings_count_blocking(&build->findings, RK_SEVERITY_ACKNOWLEDGE);
}

/* An acceptance that was right for another kernel or another version of the fix does no harm, a misspelt one would go unnoticed. */
static struct rk_err *report_unused(struct rk_build *build)
{
	for (size_t i = 0; i < build->options->nr_accepted; i++) {
		const char *wish = build->options->accepted[i].wish;
		bool used = false;
		rk_vec_for_each(&build->findings.list, f)
			used = used || rk_finding_is_meant(f, wish);
		if (!used)
			RK_TRY(rk_finding_add(&build->findings, RK_FINDING_ACCEPT_UNUSED, NULL,
					      NULL, wish, "no finding is meant by '--accept %s'",
					      wish));
	}
	return NULL;
}

static bool has_compile_error(const struct rk_build *build)
{
	rk_vec_for_each(&build->units, unit)
		if (unit->compile_error)
			return true;
	return false;
}

/* Findings are collected as far as possible: only linking needs flawless diffs, and only a flawless plan becomes a module. */
static bool is_pointless(const struct rk_build *build, enum rk_build_phase phase)
{
	if (phase == RK_PHASE_SOURCE)
		return false;
	bool is_probe = build->part->units != NULL;
	return build->units.nr == 0 ||
	       (phase == RK_PHASE_MODULE && (is_probe || is_blocked(build))) ||
	       has_compile_error(build);
}

static struct rk_err *run_phases(struct rk_build *build)
{
	for (enum rk_build_phase p = 0; p < RK_PHASES; p++) {
		if (is_pointless(build, p))
			break;
		if (rk_is_interrupted())
			return rk_err(RK_ERR_INTERRUPTED, "interrupted");
		rk_report_phase(build->options->reporter, phases[p].name, "%s", phases[p].text);
		double start = rk_clock_seconds();
		RK_TRY(phases[p].run(build));
		if (p == RK_PHASE_LINK)
			RK_TRY(report_unused(build));
		RK_TRY(rk_build_accept(build));
		build->seconds[p] = rk_clock_seconds() - start;
		rk_findings_sort(&build->findings);
	}
	return NULL;
}

struct rk_err *rk_session_build(struct rk_session *session, const struct rk_session_part *part,
				const char *dir, struct rk_build **ret)
{
	_cleanup_build_ struct rk_build *build = calloc(1, sizeof(*build));
	if (!build)
		return rk_err_nomem();
	session->nr_builds++;
	build->target = session->target;
	build->session = session;
	build->part = part;
	build->own_options = *session->options;
	build->own_options.patches = part->patches;
	build->own_options.nr_patches = part->nr;
	build->own_options.work_dir = dir;
	build->options = &build->own_options;
	build->kbuild = session->kbuild;
	build->symbols = session->symbols;
	RK_TRY(run_phases(build));
	build->part = NULL;
	*ret = take_ptr(build);
	return NULL;
}

const struct rk_left_out *rk_build_left_out(const struct rk_build *build, size_t *ret_nr)
{
	*ret_nr = build->session->left_out.nr;
	return build->session->left_out.v;
}

bool rk_build_has_effect(const struct rk_build *build, const struct rk_patch_file *fix)
{
	rk_vec_for_each(&build->units, unit)
		for (size_t i = 0; i < unit->nr_fixes; i++)
			if (unit->fixes[i] == fix)
				return true;
	return false;
}

void rk_build_free(struct rk_build *build)
{
	if (!build)
		return;
	rk_vec_for_each(&build->units, unit) {
		rk_err_free(unit->compile_error);
		rk_diff_free(unit->diff);
		rk_proof_free(unit->proof);
		if (unit->original)
			rk_elf_close(unit->original);
		if (unit->patched)
			rk_elf_close(unit->patched);
	}
	rk_vec_deinit(&build->units);
	rk_plan_free(build->plan);
	rk_manifest_free(build->manifest);
	free(build->manifest_json);
	free(build->module);
	if (build->view)
		rk_view_free(build->view);
	if (build->owns_session)
		rk_session_free(build->session);
	rk_findings_deinit(&build->findings);
	rk_arena_deinit(&build->arena);
	free(build);
}

#define NAME_PREFIX "kpatch_"

const char *rk_build_name(struct rk_arena *arena, const char *wish, const char *patch_path)
{
	const char *slash = strrchr(patch_path, '/');
	const char *from = wish ? wish : slash ? slash + 1 : patch_path;
	if (rk_has_prefix(from, "kpatch-") || rk_has_prefix(from, NAME_PREFIX))
		from += strlen(NAME_PREFIX);
	char *name = rk_arena_printf(arena, NAME_PREFIX "%s", from);
	if (!name)
		return NULL;
	static const char *const suffixes[] = {".ko", ".patch", ".diff"};
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
		if (rk_has_suffix(name, suffixes[i]))
			name[strlen(name) - strlen(suffixes[i])] = '\0';
	if (strlen(name) > RK_MODULE_NAME_MAX)
		name[RK_MODULE_NAME_MAX] = '\0';
	for (char *p = name; *p; p++)
		if (!isalnum((unsigned char)*p))
			*p = '_';
	return name;
}

struct rk_err *rk_build_path(struct rk_build *build, const char *folder, const char *name,
			     const char **ret)
{
	const char *dir = rk_arena_printf(&build->arena, "%s/%s", build->options->work_dir, folder);
	const char *path =
		rk_arena_printf(&build->arena, "%s/%s/%s", build->options->work_dir, folder, name);
	if (!dir || !path)
		return rk_err_nomem();
	RK_TRY(rk_fs_mkdir_p(dir, 0777));
	*ret = path;
	return NULL;
}

struct rk_err *rk_build_leave(struct rk_build *build, const char *folder, const char *name,
			      const char *text)
{
	const char *path;
	RK_TRY(rk_build_path(build, folder, name, &path));
	return rk_fs_write(path, text, strlen(text), 0666);
}
