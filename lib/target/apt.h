/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What apt has on offer, and downloads through apt's own helper: its sources, proxies and keys apply. */
#ifndef RK_TARGET_APT_H
#define RK_TARGET_APT_H

#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/vec.h"

/* One version of one binary package. */
struct rk_apt_package {
	const char *name;
	const char *version;
	const char *sha256;
	const char *built_using;  /* "linux (= 6.1.170-3)" of a signed image, or NULL */
	uint64_t size;		  /* bytes of the .deb */
	uint64_t installed_bytes; /* what it unpacks to */
};

struct rk_apt_packages {
	struct rk_arena arena;
	rk_vec(struct rk_apt_package) list;
};

void rk_apt_packages_deinit(struct rk_apt_packages *packages);
#define _cleanup_apt_packages_ _cleanup_(rk_apt_packages_deinit)

/* All versions of the named packages on offer; unknown names give nothing. Errors: RK_ERR_NOT_FOUND where
 * there is no apt. */
struct rk_err *rk_apt_show(const char *const *names, size_t nr, struct rk_apt_packages *ret)
	__must_use;

/* NULL if that version isn't on offer; version NULL: the newest. */
const struct rk_apt_package *rk_apt_find(const struct rk_apt_packages *packages, const char *name,
					 const char *version);

struct rk_apt_names {
	struct rk_arena arena;
	rk_vec(const char *) list;
};
void rk_apt_names_deinit(struct rk_apt_names *names);
#define _cleanup_apt_names_ _cleanup_(rk_apt_names_deinit)

/* The names of all packages apt has heard of that start with prefix, in no order. Includes names that
 * other packages merely mention. */
struct rk_err *rk_apt_names(const char *prefix, struct rk_apt_names *ret) __must_use;

/* Downloads package to path and checks its SHA-256; goes on where an earlier, interrupted call stopped if the
 * server can. progress gets the bytes of this file so far. A file that is there and right isn't fetched again. */
struct rk_err *rk_apt_download(const struct rk_apt_package *package, const char *path,
			       void (*progress)(void *ctx, uint64_t bytes), void *ctx) __must_use;

#endif
