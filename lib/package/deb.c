/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A deb: a tree with the files and DEBIAN/, which dpkg-deb packs. */
#include <inttypes.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/package/internal.h"

static struct rk_err *write_file(const char *tree, const char *name, const struct rk_str *text,
				 mode_t mode)
{
	RK_TRY(rk_str_check(text));
	return rk_fs_write_below(tree, name, rk_str_get(text), text->len, mode);
}

static struct rk_err *write_control(const struct rk_package *package, const char *file_name,
				    const char *tree)
{
	_cleanup_str_ struct rk_str text = RK_STR_INIT;
	_cleanup_free_ char *name = NULL, *level = NULL;
	_cleanup_free_ char *summary = rk_package_summary(package);
	struct rk_package depends = {package->kernel, package->level, ""};

	if (!summary)
		return rk_err_nomem();
	RK_TRY(rk_package_name(package, RK_PACKAGE_DEB, &name));
	RK_TRY(rk_package_name(&depends, RK_PACKAGE_DEB, &level));
	/* the architecture's name is what stands last in the file's */
	const char *arch = strrchr(file_name, '_') + 1;
	rk_str_addf(&text, "Package: %s\nVersion: %" PRIu64 "\nArchitecture: %.*s\n", name,
		    package->level->level, (int)strcspn(arch, "."), arch);
	rk_str_add(&text, "Section: kernel\nPriority: optional\n"
			  "Maintainer: ReadyKernel developers <readykernel@example.org>\n");
	rk_str_addf(&text, "Depends: %s\nDescription: %s\n", package->file ? "readykernel" : level,
		    summary);
	rk_package_describe(package, " ", &text);
	return write_file(tree, "DEBIAN/control", &text, 0644);
}

static struct rk_err *write_scripts(const struct rk_package *package, const char *tree)
{
	_cleanup_str_ struct rk_str install = RK_STR_INIT, remove = RK_STR_INIT;

	rk_str_add(&install, "#!/bin/sh\n[ \"$1\" = configure ] || exit 0\n");
	RK_TRY(rk_package_script(package, RK_PACKAGE_DEB, rk_package_install,
				 rk_package_install_size, &install));
	rk_str_add(&remove, "#!/bin/sh\n[ \"$1\" = remove ] || exit 0\n");
	RK_TRY(rk_package_script(package, RK_PACKAGE_DEB, rk_package_remove, rk_package_remove_size,
				 &remove));
	RK_TRY(write_file(tree, "DEBIAN/postinst", &install, 0755));
	return write_file(tree, "DEBIAN/prerm", &remove, 0755);
}

static struct rk_err *copy_module(const struct rk_package *package, const char *tree)
{
	_cleanup_free_ char *inside = rk_package_module_path(package);
	_cleanup_free_ char *to = inside ? rk_asprintf("%s%s", tree, inside) : NULL;

	if (!to)
		return rk_err_nomem();
	RK_TRY(rk_fs_mkdir_parent(to, 0755));
	return rk_fs_copy(package->file, to, 0644);
}

struct rk_err *rk_package_write_deb(const struct rk_package *package, const char *work,
				    const char *to)
{
	_cleanup_free_ char *tree = rk_path_join(work, "tree");

	if (!tree)
		return rk_err_nomem();
	RK_TRY(write_control(package, to, tree));
	if (package->file) {
		RK_TRY(write_scripts(package, tree));
		RK_TRY(copy_module(package, tree));
	}
	const char *const argv[] = {"dpkg-deb", "--root-owner-group", "-Zxz", "--build", tree, to,
				    NULL};
	return rk_package_run(package, work, argv);
}
