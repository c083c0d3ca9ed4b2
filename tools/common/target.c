/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From options to a target: paths become absolute, the cache is the user's. */
#include "tools/common/target.h"

#include "lib/base/str.h"
#include "lib/target/build_dir.h"

struct rk_err *rk_cli_target_check(const struct rk_cli_target *t)
{
	const char *paths[] = {t->source, t->config, t->vmlinux, t->symvers};
	size_t given = 0;

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		given += paths[i] != NULL;
	if (given && t->spec)
		return rk_err(RK_ERR_INVALID, "--target and explicit paths exclude each other");
	if (given && given < ARRAY_SIZE(paths))
		return rk_err(
			RK_ERR_INVALID,
			"explicit paths need all of --source, --config, --vmlinux and --symvers");
	if (t->modules && !given && !(t->spec && rk_build_dir_is_spec(t->spec)))
		return rk_err(RK_ERR_INVALID,
			      "--modules goes with explicit paths or --target dir:");
	return NULL;
}

struct rk_err *rk_cli_target_spec(const char *spec, char **ret)
{
	_cleanup_str_ struct rk_str out = RK_STR_INIT;

	if (!rk_build_dir_is_spec(spec)) {
		*ret = strdup(spec);
		return *ret ? NULL : rk_err_nomem();
	}
	const char *path = spec + strlen(RK_DIR_PREFIX);
	rk_str_add(&out, RK_DIR_PREFIX);
	for (bool more = true; more;) {
		size_t len = strcspn(path, ",");
		_cleanup_free_ char *part = strndup(path, len);
		_cleanup_free_ char *absolute = NULL;
		if (!part)
			return rk_err_nomem();
		/* An empty part stays what it is: nothing that could be meant. */
		if (len)
			RK_TRY(rk_cli_absolute_path(part, &absolute));
		more = path[len] == ',';
		rk_str_addf(&out, "%s%s", absolute ? absolute : "", more ? "," : "");
		path += len + more;
	}
	return rk_str_take(&out, ret);
}

struct rk_err *rk_cli_target_open(const struct rk_cli *cli, const struct rk_cli_target *t,
				  enum rk_target_parts parts, struct rk_target **ret)
{
	_cleanup_free_ char *cache = NULL, *spec = NULL, *source = NULL, *config = NULL,
			    *vmlinux = NULL, *symvers = NULL, *modules = NULL;
	const struct {
		const char *given;
		char **absolute;
	} paths[] = {{t->source, &source},
		     {t->config, &config},
		     {t->vmlinux, &vmlinux},
		     {t->symvers, &symvers},
		     {t->modules, &modules}};

	RK_TRY(rk_cli_cache_dir(&cache));
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (paths[i].given)
			RK_TRY(rk_cli_absolute_path(paths[i].given, paths[i].absolute));
	if (!t->source)
		RK_TRY(rk_cli_target_spec(t->spec ? t->spec : "running", &spec));
	struct rk_target_options o = {
		.cache_dir = cache,
		.offline = t->offline,
		.skip_compiler_check = t->skip_compiler_check,
		.jobs = t->jobs,
		.cc = t->cc,
		.source = source,
		.config = config,
		.vmlinux = vmlinux,
		.symvers = symvers,
		.modules = modules,
		.reporter = cli->reporter,
	};
	return rk_target_open(spec, parts, &o, ret);
}
