/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One level for one kernel as a package of a distribution: "readykernel-patch-<uname -r>-<level>", deb or rpm. It brings the module,
 * has kpatch(8) install and load it, and unload it when it is removed; a level that can't be loaded never makes the package
 * manager fail. Beside it stands a package without files, "readykernel-patch-<uname -r>" with the level as its version, which depends on
 * the newest level: who installs that one follows.
 */
#ifndef RK_PACKAGE_PACKAGE_H
#define RK_PACKAGE_PACKAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/trust/metadata.h"

enum rk_package_format {
	RK_PACKAGE_DEB, /* needs dpkg-deb */
	RK_PACKAGE_RPM, /* needs rpmbuild */
	RK_PACKAGE_FORMATS
};

struct rk_package {
	const struct rk_kernel_id *kernel;
	const struct rk_release_level *level;
	const char *file; /* path of the module; NULL: the package that depends on the level */
};

/* "readykernel-patch-6.1.0-47-cloud-amd64-3"; for deb what may not stand in a name is '-'. *ret malloc'ed. RK_ERR_NAME: the kernel's
 * release or the module's name has characters that it must not have. */
struct rk_err *rk_package_name(const struct rk_package *package, enum rk_package_format format,
			       char **ret) __must_use;

/* The file's name: "<name>_3_amd64.deb", "<name>-3-1.x86_64.rpm". *ret malloc'ed. RK_ERR_UNSUPPORTED: an architecture without a name. */
struct rk_err *rk_package_file_name(const struct rk_package *package, enum rk_package_format format,
				    char **ret) __must_use;

/* Writes it into dir, whole or not at all; the same package gives the same bytes. Errors: RK_ERR_TOOL, RK_ERR_NOT_FOUND (the program
 * that packs isn't there), those of the names. */
struct rk_err *rk_package_write(const struct rk_package *package, enum rk_package_format format,
				const char *dir) __must_use;

#endif
