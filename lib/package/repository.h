/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packages of many levels as repositories that apt and dnf read: below dir
 *
 *	apt/pool/<channel>/, apt/dists/<channel>/		"deb URL/apt <channel> main"
 *	dnf/<channel>/, dnf/<channel>/repodata/		"baseurl=URL/dnf/<channel>"
 *
 * What is there already is kept, what isn't wanted any more goes, and the lists are made anew.
 */
#ifndef RK_PACKAGE_REPOSITORY_H
#define RK_PACKAGE_REPOSITORY_H

#include "lib/base/progress.h"
#include "lib/package/package.h"

struct rk_packages {
	rk_vec(struct rk_package)
		list; /* levels; those that depend on the newest are added by themselves */
};

struct rk_packages_result {
	uint64_t written, kept, removed; /* packages */
};

/*
 * Writes the packages of one channel in one format. gpg_key (or NULL): whose secret key, in the caller's keyring, signs the lists
 * (InRelease; repomd.xml.asc). Errors: those of rk_package_write(), RK_ERR_INVALID (two kernels have one release), RK_ERR_TOOL.
 */
struct rk_err *rk_packages_write(const struct rk_packages *packages, enum rk_package_format format,
				 enum rk_channel channel, const char *dir, const char *gpg_key,
				 const struct rk_reporter *reporter, struct rk_packages_result *ret)
	__must_use;

#endif
