/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the writers of both formats. */
#ifndef RK_PACKAGE_INTERNAL_H
#define RK_PACKAGE_INTERNAL_H

#include "lib/base/str.h"
#include "lib/package/package.h"

/* Where the module lies on a host: "/usr/lib/readykernel/patches/<uname -r>/<name>.ko"; kpatch takes a copy. */
char *rk_package_module_path(const struct rk_package *package) __must_use;

/* The text of a script (lib/package/ *.sh) with the package's names in it. */
struct rk_err *rk_package_script(const struct rk_package *package, enum rk_package_format format,
				 const unsigned char *text, size_t len, struct rk_str *ret)
	__must_use;

/* One line, and what else there is to say: lines that begin with prefix. */
char *rk_package_summary(const struct rk_package *package) __must_use;
void rk_package_describe(const struct rk_package *package, const char *prefix, struct rk_str *ret);

/* Runs a program with the time of the package's level as SOURCE_DATE_EPOCH, and work as its home. */
struct rk_err *rk_package_run(const struct rk_package *package, const char *work,
			      const char *const *argv) __must_use;

struct rk_err *rk_package_write_deb(const struct rk_package *package, const char *work,
				    const char *to) __must_use;
struct rk_err *rk_package_write_rpm(const struct rk_package *package, const char *work,
				    const char *to) __must_use;

/* install.sh and remove.sh */
extern const unsigned char rk_package_install[], rk_package_remove[];
extern const unsigned long rk_package_install_size, rk_package_remove_size;

#endif
