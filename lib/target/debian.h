/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Targets that are Debian's: which packages a kernel release consists of, and how they become parts in the cache. */
#ifndef RK_TARGET_DEBIAN_H
#define RK_TARGET_DEBIAN_H

#include <stdatomic.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/target/apt.h"
#include "lib/target/cache.h"
#include "lib/target/target.h"

#define RK_DEBIAN_PREFIX "debian:"

/* The packages of one kernel release, all of one version. NULL where a part isn't wanted. */
struct rk_debian_packages {
	const struct rk_apt_package *image;
	const struct rk_apt_package *headers;
	const struct rk_apt_package *source;
	const struct rk_apt_package *debug;
};

/* Whether release has the real-time patches, which linux-source doesn't have. */
bool rk_debian_is_realtime(const char *release);

/* Chooses the packages of release for parts among what apt has: the newest version of which all are there, or
 * just wanted_version. Strings live in offers. Errors: RK_ERR_NOT_FOUND says what is missing and what there is. */
struct rk_err *rk_debian_choose(const char *release, enum rk_target_parts parts,
				const char *wanted_version, struct rk_apt_packages *offers,
				struct rk_debian_packages *ret) __must_use;

/* Downloads, checks and unpacks the parts of release that slot doesn't have; slot is locked for fetching. */
struct rk_err *rk_debian_fetch(struct rk_cache_slot *slot, const char *release,
			       enum rk_target_parts parts, const char *wanted_version,
			       const struct rk_target_options *options) __must_use;

/* Releases for which apt has every package of one version, as entries (id, release, source_version, available). */
struct rk_err *rk_debian_available(struct rk_target_list *ret) __must_use;

/* What is taken from a debug package. */
struct rk_debian_debug {
	const char *deb, *release;
	const char *dest;    /* gets vmlinux, vmlinux.sha256 and the index of inlined functions */
	const char *modules; /* directory of the image's, which the index has to cover */
	_Atomic uint64_t *packed; /* as in struct rk_unpack */
	const atomic_bool *cancel;
};

/* No debug info of modules stays unpacked. A package without vmlinux is no error here. Errors: RK_ERR_FORMAT, RK_ERR_SYS, RK_ERR_INTERRUPTED. */
struct rk_err *rk_debian_unpack_debug(const struct rk_debian_debug *debug) __must_use;

#endif
