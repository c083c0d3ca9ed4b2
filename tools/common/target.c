/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From options to a target: paths become absolute, the cache is the user's. */
#include "tools/common/target.h"

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/target/build_dir.h"
#include "lib/target/version.h"

/* Words that mean something else to kpatch-build 0.9: make's targets, a package's version. */
static struct rk_err *check_names(const struct rk_cli_target *t)
{
	if (t->spec && !strchr(t->spec, ':') && !rk_streq(t->spec, "running"))
		return rk_err(
			RK_ERR_INVALID,
			"--target '%s' names no kernel (debian:RELEASE, running, dir:TREE); what to build for "
			"is said with --object",
			t->spec);
	/* "6.1.0-50-cloud-amd64" ends with letters and digits of a flavour, "6.1.170-3" doesn't */
	const char *dash = t->release ? strrchr(t->release, '-') : NULL;
	if (t->release && (!rk_release_is_valid(t->release) || !dash ||
			   strspn(dash + 1, "0123456789.+~") == strlen(dash + 1)))
		return rk_err(
			RK_ERR_INVALID,
			"--archversion '%s' is no kernel release as 'uname -r' shows it (6.1.0-50-cloud-amd64)",
			t->release);
	return NULL;
}

struct rk_err *rk_cli_target_check(const struct rk_cli_target *t)
{
	bool paths = t->source || t->config || t->vmlinux || t->symvers;

	if (t->spec && t->release)
		return rk_err(RK_ERR_INVALID, "--target and --archversion exclude each other");
	if (paths && (t->spec || t->release))
		return rk_err(RK_ERR_INVALID, "%s and explicit paths exclude each other",
			      t->spec ? "--target" : "--archversion");
	if (paths && !t->source)
		return rk_err(
			RK_ERR_INVALID,
			"explicit paths need all of --source, --config, --vmlinux and --symvers");
	RK_TRY(check_names(t));
	if (t->modules && !paths && !(t->spec && rk_build_dir_is_spec(t->spec)))
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

/* given as seen from here; without it the file of that name in source, if it is there. *ret may stay NULL. */
static struct rk_err *find_path(const char *given, const char *source, const char *name, char **ret)
{
	if (given)
		return rk_cli_absolute_path(given, ret);
	if (!source || !name)
		return NULL;
	_cleanup_free_ char *path = rk_path_join(source, name);
	if (!path)
		return rk_err_nomem();
	if (rk_fs_exists(path))
		*ret = take_ptr(path);
	return NULL;
}

static struct rk_err *find_spec(const struct rk_cli_target *t, char **ret)
{
	if (!t->release)
		return rk_cli_target_spec(t->spec ? t->spec : "running", ret);
	*ret = rk_asprintf("debian:%s", t->release);
	return *ret ? NULL : rk_err_nomem();
}

struct rk_err *rk_cli_target_open(const struct rk_cli *cli, const struct rk_cli_target *t,
				  enum rk_target_parts parts, struct rk_target **ret)
{
	_cleanup_free_ char *cache = NULL, *spec = NULL, *source = NULL, *config = NULL,
			    *vmlinux = NULL, *symvers = NULL, *modules = NULL;
	const struct {
		const char *given, *name;
		char **absolute;
	} paths[] = {
		{t->source, NULL, &source},	   {t->config, ".config", &config},
		{t->vmlinux, "vmlinux", &vmlinux}, {t->symvers, "Module.symvers", &symvers},
		{t->modules, NULL, &modules},
	};

	RK_TRY(rk_cli_cache_dir(&cache));
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		RK_TRY(find_path(paths[i].given, source, paths[i].name, paths[i].absolute));
	if (!t->source)
		RK_TRY(find_spec(t, &spec));
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
