/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Does the compiler get to see the same text of a unit in two trees? Then it makes the same code of it, and it needn't be asked: the
 * preprocessor takes a fraction of its time. Numbers of lines don't count; where they matter, in __LINE__, they are part of the text.
 */
#include "lib/base/fs.h"
#include "lib/base/sha256.h"
#include "lib/base/str.h"
#include "lib/build/internal.h"

#define TEXT_MAX  (256u << 20)
#define DEPS_MAX  (8u << 20)
#define OWN_WORDS 16 /* more than prepare() adds, with the end */

/* What it takes to run the preprocessor once. */
struct call {
	const struct rk_compile_job *job;
	char *dir, *text, *depfile, *tmpdir;
	const char **argv;
};

static void call_deinit(struct call *call)
{
	if (call->dir)
		rk_err_free(rk_fs_remove_tree(call->dir));
	free(call->dir);
	free(call->text);
	free(call->depfile);
	free(call->tmpdir);
	free(call->argv);
}

static size_t add_words(const char **argv, size_t nr, const char *const *words)
{
	for (; words && *words; words++)
		argv[nr++] = *words;
	return nr;
}

static struct rk_err *prepare(struct call *call, const char *dir)
{
	const struct rk_recipe *recipe = call->job->recipe;
	size_t max = OWN_WORDS;

	for (const char *const *w = recipe->cc_argv; *w; w++)
		max++;
	for (const char *const *w = call->job->extra; w && *w; w++)
		max++;
	RK_TRY(rk_fs_mkdtemp(dir, ".preprocess-", &call->dir));
	call->text = rk_path_join(call->dir, "text.i");
	call->depfile = rk_path_join(call->dir, "text.d");
	call->tmpdir = rk_asprintf("TMPDIR=%s", call->dir);
	call->argv = calloc(max, sizeof(*call->argv));
	if (!call->text || !call->depfile || !call->tmpdir || !call->argv)
		return rk_err_nomem();
	const char *const own[] = {"-E", "-P",	     "-MD",	    "-MF", call->depfile,
				   "-o", call->text, recipe->input, NULL};
	size_t nr = add_words(call->argv, 0, recipe->cc_argv);
	nr = add_words(call->argv, nr, own);
	add_words(call->argv, nr, call->job->extra);
	return NULL;
}

static struct rk_err *run(struct call *call, const char *dir, char ret_hex[RK_SHA256_HEX_SIZE],
			  char ***ret_deps)
{
	_cleanup_process_result_ struct rk_process_result res = {};
	_cleanup_free_ char *text = NULL, *deps = NULL;
	size_t len;

	RK_TRY(prepare(call, dir));
	const char *const env[] = {RK_BUILD_PATH, "LC_ALL=C", call->tmpdir, NULL};
	const struct rk_process_spec spec = {
		.argv = call->argv, .env = env, .cwd = call->job->root};
	RK_TRY(rk_process_check(&spec, &res));
	RK_TRY(rk_fs_read(call->text, TEXT_MAX, &text, &len));
	RK_TRY(rk_fs_read(call->depfile, DEPS_MAX, &deps, NULL));
	RK_TRY(rk_sha256_bytes(text, len, ret_hex));
	return rk_deps_parse(deps, ret_deps);
}

struct rk_err *rk_preprocess(struct rk_compile_job *job, const char *dir,
			     char ret_hex[RK_SHA256_HEX_SIZE])
{
	struct call call = {.job = job};
	char **deps = NULL;
	struct rk_err *err = run(&call, dir, ret_hex, &deps);

	call_deinit(&call);
	if (!err)
		job->deps = deps;
	return err;
}
