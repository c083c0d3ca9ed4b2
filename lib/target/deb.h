/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading Debian packages (deb(5)) without installing them: what is in control, and chosen files of data. */
#ifndef RK_TARGET_DEB_H
#define RK_TARGET_DEB_H

#include <stdatomic.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

enum rk_unpack_choice {
	RK_UNPACK_SKIP,
	RK_UNPACK_TAKE,
	RK_UNPACK_LEND, /* give it to lend() and remove it again */
};

/* What to unpack, and how it goes. */
struct rk_unpack {
	const char *dest; /* directory, created if absent */
	/* An archive inside the package whose members are meant instead of the package's own, or NULL. */
	const char *nested;
	/* Called for each file and symbolic link with its path, without "./" in front; for what is to be taken
	 * puts the path below dest into ret (empty on entry). */
	enum rk_unpack_choice (*choose)(void *ctx, const char *path, struct rk_str *ret);
	/* A file that is wanted for a moment: it has the name that choose() gave it until this returns. */
	struct rk_err *(*lend)(void *ctx, const char *file);
	void *ctx;
	struct rk_str *
		hashes; /* gets "<sha256>  <path below dest>\n" for each file that stays, or NULL */
	_Atomic uint64_t *packed;  /* bytes of the package read so far, or NULL */
	const atomic_bool *cancel; /* ends the work with RK_ERR_INTERRUPTED when set, or NULL */
};

/* Errors: RK_ERR_FORMAT (no package, damaged, a member would leave dest), RK_ERR_SYS, RK_ERR_INTERRUPTED. */
struct rk_err *rk_deb_unpack(const char *deb, const struct rk_unpack *unpack) __must_use;

/* The value of a field of the package's control file, malloc'ed. RK_ERR_FORMAT if it has none. */
struct rk_err *rk_deb_field(const char *deb, const char *field, char **ret) __must_use;

#endif
