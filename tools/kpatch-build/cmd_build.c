/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kpatch-build: from source patches to a live patch module for one exact kernel. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/patch/supersede.h"
#include "lib/pipeline/build.h"
#include "tools/common/cli.h"
#include "tools/common/render.h"
#include "tools/common/target.h"
#include "tools/kpatch-build/cmds.h"
#include "tools/kpatch-build/compat.h"
#include "tools/kpatch-build/explain.h"
#include "tools/kpatch-build/inputs.h"
#include "tools/kpatch-build/report.h"

struct build_values {
	struct rk_cli_target kernel;
	struct rk_strings targets, fixes, accepted, reasons;
	const char *name, *output, *keep;
	const char *sign_key, *sign_cert;
	const char *base;
	struct rk_strings cflags;
	struct input_values inputs;
	struct compat_values compat;
	unsigned int level;
	bool non_replace, explain, allow_wide, skip_refused;
};

/* clang-format off */
static const struct rk_option options[] = {
	RK_OPT_GROUP("which fixes"),
	RK_OPT_STR(0, "git", struct build_values, inputs.git, "REPOSITORY", "take commits of this repository as fixes, too"),
	RK_OPT_STR(0, "commits", struct build_values, inputs.commits, "A..B", "which: those of B that A doesn't have, in order, without merges"),
	RK_OPT_FLAG(0, "skip-refused", struct build_values, skip_refused, "leave out the fixes that can't be patched live, and those that need them"),
	RK_OPT_STR(0, "base", struct build_values, base, "MODULE", "the module whose place this one is to take: check that nothing of it gets lost"),
	RK_OPT_GROUP("which kernel"),
	RK_OPT_TARGET(struct build_values, kernel),
	RK_OPT_STR('a', "archversion", struct build_values, kernel.release, "RELEASE", "the same as --target debian:RELEASE"),
	RK_OPT_TARGET_PATHS(struct build_values, kernel),
	RK_OPT_LIST('t', "object", struct build_values, targets, "OBJECT", "build for this object only: vmlinux or a module's name (again for more)"),
	RK_OPT_STR(0, "cc", struct build_values, kernel.cc, "COMPILER", "compiler to run instead of the one the kernel names"),
	RK_OPT_LIST(0, "cflag", struct build_values, cflags, "FLAG", "one more compiler flag (again for more); the proof says what it changes"),
	RK_OPT_FLAG(0, "skip-compiler-check", struct build_values, kernel.skip_compiler_check, "go on with another compiler version; the proof still decides"),
	RK_OPT_TARGET_OFFLINE(struct build_values, kernel),
	RK_OPT_GROUP("what comes out"),
	RK_OPT_STR('n', "name", struct build_values, name, "NAME", "name of the module (default: the first patch's or directory's name)"),
	RK_OPT_STR('o', "output", struct build_values, output, "DIR", "write module, manifest and report here (default: this directory)"),
	RK_OPT_LIST(0, "fixes", struct build_values, fixes, "CVE", "what the first patch fixes, besides what it says itself (again for more)"),
	RK_OPT_LIST(0, "accept", struct build_values, accepted, "CODE[:PLACE]", "you have thought about this finding: build all the same (again for more); PLACE is its symbol, unit or object"),
	RK_OPT_BESIDE(0, "reason", struct build_values, reasons, "accept", accepted, "TEXT", "why the finding of the --accept before it is accepted, for the manifest; errors need one"),
	RK_OPT_FLAG(0, "allow-wide", struct build_values, allow_wide, "compile all units that use a changed header, even if they are more than 400"),
	RK_OPT_UINT(0, "level", struct build_values, level, "N", "patch level (default: 1, with --base one more than its)"),
	RK_OPT_FLAG('R', "non-replace", struct build_values, non_replace, "stack on loaded patches instead of replacing them"),
	RK_OPT_STR(0, "sign-key", struct build_values, sign_key, "FILE", "sign the module with this private key (PEM)"),
	RK_OPT_STR(0, "sign-cert", struct build_values, sign_cert, "FILE", "certificate of --sign-key (PEM)"),
	RK_OPT_GROUP("how"),
	RK_OPT_UINT('j', "jobs", struct build_values, kernel.jobs, "N", "compile N units at once (default: one a processor)"),
	RK_OPT_STR(0, "keep", struct build_values, keep, "DIR", "keep the work of each phase in DIR, to look into"),
	RK_OPT_FLAG(0, "explain", struct build_values, explain, "say what the findings named as operands mean, and what to do; without one, or with 'list': all codes"),
	RK_OPT_COMPAT(struct build_values, compat),
	RK_OPT_STR(0, "sourcedir", struct build_values, kernel.source, "DIR", "the same as --source"),
	RK_OPT_END,
};
/* clang-format on */

static const char description[] =
	"Compiles only the translation units that the patches touch, original and patched, with the\n"
	"distribution's own flags; proves that the original is what the shipped kernel runs; and makes\n"
	"kpatch-NAME.ko from the difference. PATCH may also be a directory of patches or a series file.\n"
	"What can't be patched live is listed, and nothing is written.\n";

static struct rk_err *check_values(const struct build_values *v)
{
	RK_TRY(compat_check(&v->compat));
	RK_TRY(rk_cli_target_check(&v->kernel));
	if (v->base && v->non_replace)
		return rk_err(
			RK_ERR_INVALID,
			"--base and --non-replace exclude each other: only a patch that replaces takes another one's place");
	if (!v->sign_key != !v->sign_cert)
		return rk_err(RK_ERR_INVALID, "--sign-key and --sign-cert go together");
	return NULL;
}

static const char *reason_of(const struct build_values *v, size_t i)
{
	return i < v->reasons.nr ? v->reasons.v[i] : NULL;
}

/* Found out before minutes of work: an acceptance that could never be one. */
static struct rk_err *check_accepted(const struct build_values *v)
{
	for (size_t i = 0; i < v->accepted.nr; i++) {
		const char *wish = v->accepted.v[i], *reason = reason_of(v, i);
		enum rk_finding_code code;

		RK_TRY(explain_find_code(wish, &code));
		if (rk_finding_code_severity(code) != RK_SEVERITY_ERROR)
			continue;
		if (!rk_finding_code_is_acceptable(code))
			return rk_err(RK_ERR_INVALID,
				      "'%s' can't be accepted: no module could be made; see "
				      "'kpatch-build --explain %s'",
				      wish, rk_finding_code_name(code));
		if (!reason || !*reason)
			return rk_err(RK_ERR_INVALID,
				      "'--accept %s' accepts an error: say why with --reason",
				      wish);
	}
	return NULL;
}

/* An absolute copy of path in arena; NULL stays NULL. */
static struct rk_err *absolute(struct rk_arena *arena, const char *path, const char **ret)
{
	_cleanup_free_ char *abs = NULL;
	if (!path)
		return NULL;
	RK_TRY(rk_cli_absolute_path(path, &abs));
	*ret = rk_arena_strdup(arena, abs);
	return *ret ? NULL : rk_err_nomem();
}

/* --keep's folder must be new or empty: what is in there would be taken for this build's. */
static struct rk_err *make_work_dir(const struct build_values *v, char **ret)
{
	const char *tmp = getenv("TMPDIR");
	if (!v->keep)
		return rk_fs_mkdtemp(tmp && *tmp ? tmp : "/tmp", "kpatch-build-", ret);
	_cleanup_free_ char *dir = NULL;
	RK_TRY(rk_cli_absolute_path(v->keep, &dir));
	RK_TRY(rk_fs_mkdir_p(dir, 0777));
	if (rmdir(dir) < 0 || mkdir(dir, 0777) < 0)
		return rk_err_sys(errno, "'%s' can't be used for --keep", v->keep);
	*ret = take_ptr(dir);
	return NULL;
}

/* One file of the result: written under a name of its own, then renamed together with the others. */
struct result_file {
	char *path, *fresh;
	const void *data;
	size_t size;
};

static void result_files_deinit(struct result_file *files, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		if (files[i].fresh)
			unlink(files[i].fresh);
		free(files[i].path);
		free(files[i].fresh);
	}
}

static struct rk_err *put_result_files(struct result_file *files, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		if (!files[i].path || !files[i].fresh)
			return rk_err_nomem();
		RK_TRY(rk_fs_write(files[i].fresh, files[i].data, files[i].size, 0644));
	}
	for (size_t i = 0; i < nr; i++)
		if (rename(files[i].fresh, files[i].path) < 0)
			return rk_err_sys(errno, "cannot write '%s'", files[i].path);
	return NULL;
}

/* Module, manifest and report: all of them or, as before, none. */
static struct rk_err *write_results(struct rk_build *build, const char *dir, const char *file_name,
				    char **ret_path)
{
	_cleanup_free_ char *html = NULL;

	RK_TRY(report_html(build, &html));
	RK_TRY(rk_fs_mkdir_p(dir, 0777));
	const struct {
		const char *suffix;
		const void *data;
		size_t size;
	} parts[] = {
		{"ko", build->module, build->module_size},
		{"manifest.json", build->manifest_json, strlen(build->manifest_json)},
		{"report.html", html, strlen(html)},
	};
	struct result_file files[ARRAY_SIZE(parts)] = {};
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		files[i] = (struct result_file){
			.path = rk_asprintf("%s/%s.%s", dir, file_name, parts[i].suffix),
			.fresh = rk_asprintf("%s/.%s.%s.new", dir, file_name, parts[i].suffix),
			.data = parts[i].data,
			.size = parts[i].size,
		};
	struct rk_err *err = put_result_files(files, ARRAY_SIZE(parts));
	if (!err)
		*ret_path = take_ptr(files[0].path);
	result_files_deinit(files, ARRAY_SIZE(parts));
	return err;
}

/* Found out before minutes of work, not after: can dir be written, or made? */
static struct rk_err *check_output(const char *dir)
{
	_cleanup_free_ char *path = strdup(dir);

	if (!path)
		return rk_err_nomem();
	while (!rk_fs_exists(path)) {
		char *slash = strrchr(path, '/');
		if (!slash || slash == path)
			break;
		*slash = '\0';
	}
	if (!rk_fs_is_dir(path))
		return rk_err_sys(ENOTDIR, "cannot write to '%s'", dir);
	if (access(path, W_OK | X_OK) < 0)
		return rk_err_sys(errno, "cannot write to '%s'", dir);
	return NULL;
}

/* "kpatch_fix_2" → "kpatch-fix-2": files carry dashes, modules, as the kernel names them, underscores. */
static char *file_name_of(struct rk_arena *arena, const char *name)
{
	char *file = rk_arena_strdup(arena, name);

	for (char *p = file; p && *p; p++)
		if (*p == '_')
			*p = '-';
	return file;
}

static struct rk_err *build_and_report(const struct rk_cli *cli, const struct rk_target *target,
				       const struct rk_build_options *o, struct rk_arena *arena,
				       enum rk_exit *ret_exit)
{
	const struct build_values *v = cli->values;
	_cleanup_build_ struct rk_build *build = NULL;
	_cleanup_free_ char *dir = NULL;
	_cleanup_free_ char *path = NULL;

	RK_TRY(rk_cli_absolute_path(v->output ? v->output : ".", &dir));
	RK_TRY(check_output(dir));
	RK_TRY(rk_build_run(target, o, &build));
	char *file_name = file_name_of(arena, o->name);
	if (!file_name)
		return rk_err_nomem();
	if (build->module)
		RK_TRY(write_results(build, dir, file_name, &path));
	*ret_exit = build->module ? RK_EXIT_DONE : RK_EXIT_VERDICT;
	return cli->json ? report_json(build, path)
			 : report_text(build, path, cli->verbose || v->compat.debug);
}

/* A level that follows another one is called after its number, unless the user names it: two modules of one name can't be loaded. */
static struct rk_err *follow_base(const struct build_values *v, struct rk_arena *arena,
				  struct rk_build_options *o)
{
	const struct rk_manifest *m = o->base ? o->base->manifest : NULL;

	if (!m)
		return NULL;
	if (!v->level)
		o->level = m->level + 1;
	if (v->name || !rk_streq(m->name, o->name))
		return NULL;
	char *base = rk_arena_printf(arena, "%.40s_%llu", o->name, (unsigned long long)o->level);
	o->name = base ? rk_build_name(arena, base, base) : NULL;
	return o->name ? NULL : rk_err_nomem();
}

static struct rk_err *check_base(const struct build_values *v, const struct rk_target *target,
				 const struct rk_build_options *o)
{
	if (!o->base)
		return NULL;
	return rk_supersede_check(o->base, v->base, o->name, o->level, target->id, target->version,
				  target->build_id);
}

static struct rk_err *build_in(const struct rk_cli *cli, const char *work_dir,
			       const struct rk_series *series, const struct rk_module_info *base,
			       enum rk_exit *ret_exit)
{
	const struct build_values *v = cli->values;
	_cleanup_arena_ struct rk_arena arena = RK_ARENA_INIT;
	_cleanup_target_ struct rk_target *target = NULL;
	struct rk_acceptance *accepted =
		rk_arena_calloc(&arena, v->accepted.nr + 1, sizeof(*accepted));
	_cleanup_free_ char *called = NULL;
	RK_TRY(inputs_name(cli, &v->inputs, &called));
	struct rk_build_options o = {
		.work_dir = work_dir,
		.patches = series->patches.v,
		.nr_patches = series->patches.nr,
		.name = rk_build_name(&arena, v->name, called),
		.cves = v->fixes.v,
		.nr_cves = v->fixes.nr,
		.targets = v->targets.v,
		.nr_targets = v->targets.nr,
		.accepted = accepted,
		.nr_accepted = v->accepted.nr,
		.allow_wide = v->allow_wide,
		.level = v->level ? v->level : 1,
		.replace = !v->non_replace,
		.skip_refused = v->skip_refused,
		.base = base,
		.tool_version = RK_VERSION,
		.jobs = v->kernel.jobs,
		.reporter = cli->reporter,
	};
	for (size_t i = 0; accepted && i < v->accepted.nr; i++)
		accepted[i] = (struct rk_acceptance){v->accepted.v[i], reason_of(v, i)};
	const char **cflags = rk_arena_calloc(&arena, v->cflags.nr + 1, sizeof(*cflags));
	if (!o.name || !cflags || !accepted)
		return rk_err_nomem();
	for (size_t i = 0; i < v->cflags.nr; i++)
		cflags[i] = v->cflags.v[i];
	o.extra_cflags = v->cflags.nr ? cflags : NULL;
	RK_TRY(absolute(&arena, v->sign_key, &o.sign_key));
	RK_TRY(absolute(&arena, v->sign_cert, &o.sign_cert));
	RK_TRY(follow_base(v, &arena, &o));
	RK_TRY(rk_cli_target_open(cli, &v->kernel, RK_TARGET_ALL, &target));
	RK_TRY(check_base(v, target, &o));
	return build_and_report(cli, target, &o, &arena, ret_exit);
}

static struct rk_err *run(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	const struct build_values *v = cli->values;
	_cleanup_free_ char *work_dir = NULL;
	_cleanup_series_ struct rk_series series = {};
	_cleanup_module_info_ struct rk_module_info *base = NULL;

	if (v->explain)
		return explain(cli);
	RK_TRY(inputs_check(cli, &v->inputs));
	RK_TRY(check_values(v));
	RK_TRY(check_accepted(v));
	if (v->base)
		RK_TRY(rk_err_wrap(rk_module_info_read(v->base, &base), "--base"));
	RK_TRY(make_work_dir(v, &work_dir));
	struct rk_err *err = inputs_read(cli, &v->inputs, work_dir, &series);
	bool is_worth_keeping = (v->keep && !err) || compat_keeps_work(&v->compat);
	if (!err)
		err = build_in(cli, work_dir, &series, base, ret_exit);
	if (!is_worth_keeping)
		rk_err_free(rk_fs_remove_tree(work_dir));
	else if (!v->keep)
		fprintf(stderr, "the work is kept in '%s'\n", work_dir);
	return err;
}

const struct rk_verb verb_build = {
	.name = "",
	.operands = "PATCH...",
	.summary = "build a live patch module from source patches",
	.description = description,
	.options = options,
	.values_size = sizeof(struct build_values),
	.min_operands = 0, /* --explain has another kind of operands */
	.max_operands = RK_OPERANDS_MAX,
	.has_json = true,
	.run = run,
};
