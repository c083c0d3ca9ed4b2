/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two programs one after the other, the compiler's preprocessor and genksyms, with a file between them. */
#include "lib/build/crc.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/process.h"
#include "lib/build/internal.h"

#define TIMEOUT_MS (5u * 60 * 1000)
#define TEXT_MAX   (16u << 20)

void rk_crcs_deinit(struct rk_crcs *crcs)
{
	rk_vec_deinit(&crcs->list);
	rk_arena_deinit(&crcs->arena);
}

const struct rk_crc *rk_crcs_find(const struct rk_crcs *crcs, const char *name)
{
	rk_vec_for_each(&crcs->list, crc)
		if (rk_streq(crc->name, name))
			return crc;
	return NULL;
}

static struct rk_err *add_crc(struct rk_crcs *crcs, const char *name, size_t len,
			      const char *number)
{
	char *end;
	errno = 0;
	unsigned long long value = strtoull(number, &end, 0);
	if (end == number || errno || value > UINT32_MAX)
		return rk_err(RK_ERR_FORMAT, "genksyms: '%.*s' has no CRC of 32 bits", (int)len,
			      name);
	struct rk_crc crc = {.name = rk_arena_strndup(&crcs->arena, name, len),
			     .value = (uint32_t)value};
	return crc.name && rk_vec_push(&crcs->list, crc) ? NULL : rk_err_nomem();
}

struct rk_err *rk_crcs_parse(const char *text, struct rk_crcs *ret)
{
	static const char *const prefixes[] = {"#SYMVER ", "__crc_"};

	while (*text) {
		size_t len = strcspn(text, "\n");
		for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
			if (!rk_has_prefix(text, prefixes[i]))
				continue;
			const char *name = text + strlen(prefixes[i]);
			size_t name_len = strcspn(name, " \n");
			const char *number = name + name_len;
			number += strspn(number, " =");
			RK_TRY(add_crc(ret, name, name_len, number));
		}
		text += len;
		text += *text == '\n';
	}
	return NULL;
}

static struct rk_err *preprocess(const struct rk_recipe *recipe, const char *root,
				 const char *const *env, const char *to)
{
	_cleanup_process_result_ struct rk_process_result res = {};
	const char *const more[] = {"-E", "-D__GENKSYMS__", recipe->input, "-o", to};
	size_t nr = 0;

	while (recipe->cc_argv[nr])
		nr++;
	_cleanup_free_ const char **argv = calloc(nr + ARRAY_SIZE(more) + 1, sizeof(*argv));
	if (!argv)
		return rk_err_nomem();
	memcpy(argv, recipe->cc_argv, nr * sizeof(*argv));
	memcpy(argv + nr, more, sizeof(more));
	struct rk_process_spec spec = {
		.argv = argv, .env = env, .cwd = root, .timeout_ms = TIMEOUT_MS};
	return rk_process_check(&spec, &res);
}

static struct rk_err *run_genksyms(const char *genksyms, const char *from, const char *to,
				   const char *const *env)
{
	_cleanup_process_result_ struct rk_process_result res = {};
	const char *const argv[] = {genksyms, "-r", "/dev/null", NULL};
	struct rk_process_spec spec = {.argv = argv,
				       .env = env,
				       .stdin_path = from,
				       .output_path = to,
				       .timeout_ms = TIMEOUT_MS};
	return rk_process_check(&spec, &res);
}

struct rk_err *rk_kbuild_crcs(struct rk_kbuild *kbuild, const struct rk_recipe *recipe,
			      const char *root, const char *work_dir, struct rk_crcs *ret)
{
	_cleanup_free_ char *genksyms =
		rk_asprintf("%s/scripts/genksyms/genksyms", kbuild->target->source);
	_cleanup_free_ char *from = rk_asprintf("%s/genksyms.i", work_dir);
	_cleanup_free_ char *to = rk_asprintf("%s/genksyms.out", work_dir);
	_cleanup_free_ char *tmpdir = rk_asprintf("TMPDIR=%s", work_dir);
	_cleanup_free_ char *text = NULL;
	const char *const env[] = {RK_BUILD_PATH, "LC_ALL=C", tmpdir, NULL};

	if (!genksyms || !from || !to || !tmpdir)
		return rk_err_nomem();
	if (access(genksyms, X_OK) != 0)
		return NULL;
	struct rk_err *err = preprocess(recipe, root, env, from);
	if (!err)
		err = run_genksyms(genksyms, from, to, env);
	if (!err)
		err = rk_fs_read(to, TEXT_MAX, &text, NULL);
	if (!err)
		err = rk_crcs_parse(text, ret);
	unlink(from);
	unlink(to);
	if (err)
		return rk_err_wrap(err, "CRCs of '%s'", recipe->unit);
	ret->is_known = true;
	return NULL;
}
