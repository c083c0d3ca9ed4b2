/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is said of a fix besides its diff: by the patch itself, or by a side file next to it. All of it is optional. */
#ifndef RK_SOURCE_METADATA_H
#define RK_SOURCE_METADATA_H

#include <stddef.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/vec.h"

#define RK_METADATA_SCHEMA "readykernel-fix-metadata/1"
#define RK_METADATA_SUFFIX ".json" /* of the side file, behind the patch's whole name */

struct rk_fix_metadata {
	const char *name;   /* what it is called: the patch file's name without suffix */
	const char *title;  /* Subject: without [PATCH …], or DEP-3 Description; NULL if none */
	const char *author; /* From: or Author: */
	const char *origin; /* DEP-3 Origin, or commit id of format-patch */
	const char *forwarded, *applied_upstream; /* DEP-3 */
	rk_vec(const char *)
		cves; /* those of "CVE:" lines, or else all that the text names; in order, unique */
	rk_vec(const char *) bugs;  /* DEP-3 Bug and Bug-<Vendor> */
	rk_vec(const char *) fixes; /* "Fixes:" of commits */
};

void rk_fix_metadata_deinit(struct rk_fix_metadata *m);

/* Appends value to list unless it is there; a copy in arena. RK_ERR_LIMIT above 4096. list is one of metadata's. */
#define rk_metadata_add(list, arena, value, len) \
	rk_metadata_add_to(&(list)->v, &(list)->nr, &(list)->cap, arena, value, len)
struct rk_err *rk_metadata_add_to(const char ***v, size_t *nr, size_t *cap, struct rk_arena *arena,
				  const char *value, size_t len) __must_use;

/* Reads a side file's bytes: an object with "schema" and any of the keys "name", "title", "author", "origin", "forwarded",
 * "applied_upstream" (strings), "cves", "bugs", "fixes" (lists of strings). What it says takes the place of what the patch says.
 * name is the file's, for messages. Errors: RK_ERR_FORMAT with line or key, RK_ERR_UNSUPPORTED for another schema, RK_ERR_LIMIT. */
struct rk_err *rk_metadata_parse_side(const char *name, const char *json, size_t len,
				      struct rk_arena *arena, struct rk_fix_metadata *metadata)
	__must_use;

#endif
