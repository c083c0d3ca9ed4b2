/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An rpm: a spec that packs the module as it is. rpmbuild must not look into it, strip it or find out what it needs. */
#include <inttypes.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/package/internal.h"

static void add_preamble(const struct rk_package *package, const char *name, const char *needs,
			 const char *summary, struct rk_str *ret)
{
	rk_str_add(ret, "%global debug_package %{nil}\n%global __os_install_post %{nil}\n"
			"%global _build_id_links none\n%global _buildhost localhost\n"
			"%global use_source_date_epoch_as_buildtime 1\n"
			"%global clamp_mtime_to_source_date_epoch 1\nAutoReqProv: no\n");
	rk_str_addf(ret,
		    "Name: %s\nVersion: %" PRIu64 "\nRelease: 1\nSummary: %s\n"
		    "License: GPL-2.0-only\nGroup: System Environment/Kernel\nRequires: %s\n",
		    name, package->level->level, summary, needs);
	rk_str_add(ret, "%description\n");
	rk_package_describe(package, "", ret);
}

static struct rk_err *add_files(const struct rk_package *package, struct rk_str *ret)
{
	_cleanup_free_ char *path = rk_package_module_path(package);

	if (!path)
		return rk_err_nomem();
	rk_str_addf(ret, "%%install\ninstall -D -m 644 '%s' '%%{buildroot}%s'\n", package->file,
		    path);
	/* %post of an update runs before %preun of what it updates: only the last one removes */
	rk_str_add(ret, "%post\n");
	RK_TRY(rk_package_script(package, RK_PACKAGE_RPM, rk_package_install,
				 rk_package_install_size, ret));
	rk_str_add(ret, "%preun\n[ \"$1\" = 0 ] || exit 0\n");
	RK_TRY(rk_package_script(package, RK_PACKAGE_RPM, rk_package_remove, rk_package_remove_size,
				 ret));
	rk_str_addf(ret, "%%files\n%s\n", path);
	return NULL;
}

static struct rk_err *make_spec(const struct rk_package *package, struct rk_str *ret)
{
	_cleanup_free_ char *name = NULL, *level = NULL;
	_cleanup_free_ char *summary = rk_package_summary(package);
	struct rk_package depends = {package->kernel, package->level, ""};

	if (!summary)
		return rk_err_nomem();
	RK_TRY(rk_package_name(package, RK_PACKAGE_RPM, &name));
	RK_TRY(rk_package_name(&depends, RK_PACKAGE_RPM, &level));
	add_preamble(package, name, package->file ? "readykernel" : level, summary, ret);
	if (package->file)
		RK_TRY(add_files(package, ret));
	else
		rk_str_add(ret, "%files\n");
	return rk_str_check(ret);
}

struct rk_err *rk_package_write_rpm(const struct rk_package *package, const char *work,
				    const char *to)
{
	_cleanup_str_ struct rk_str text = RK_STR_INIT;
	_cleanup_free_ char *spec = rk_path_join(work, "package.spec");
	_cleanup_free_ char *top = rk_asprintf("_topdir %s/rpm", work);
	_cleanup_free_ char *out = rk_asprintf("_rpmdir %s", work);

	if (!spec || !top || !out)
		return rk_err_nomem();
	if (package->file && strpbrk(package->file, "'%\n"))
		return rk_err(RK_ERR_NAME, "'%s' has characters that a spec can't hold",
			      package->file);
	RK_TRY(make_spec(package, &text));
	RK_TRY(rk_fs_write(spec, rk_str_get(&text), text.len, 0644));
	/* the name that rk_package_file_name() has */
	const char *file = strrchr(to, '/') + 1;
	_cleanup_free_ char *file_name = rk_asprintf("_build_name_fmt %s", file);
	if (!file_name)
		return rk_err_nomem();
	const char *const argv[] = {
		"rpmbuild", "-bb", "--quiet",  "--target", package->kernel->arch,
		"--define", top,   "--define", out,	   "--define",
		file_name,  spec,  NULL};
	return rk_package_run(package, work, argv);
}
