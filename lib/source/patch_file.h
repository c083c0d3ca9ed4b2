/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A source patch (unified diff, as git format-patch, quilt or diff -u write it) as data: header fields, files, hunks, lines. */
#ifndef RK_SOURCE_PATCH_FILE_H
#define RK_SOURCE_PATCH_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/sha256.h"
#include "lib/base/vec.h"

struct rk_patch_line {
	char kind;	  /* ' ', '+', '-' */
	const char *text; /* without newline; may hold any byte but NUL and newline */
	size_t len;
	bool no_newline; /* "\ No newline at end of file" follows */
};

struct rk_hunk {
	uint32_t old_start, old_count, new_start, new_count;
	uint32_t line; /* line number of its @@ in the patch file, for messages */
	rk_vec(struct rk_patch_line) lines;
};

struct rk_file_change {
	const char *old_path, *new_path; /* with the leading directory stripped; NULL for /dev/null */
	bool is_new, is_delete, is_rename;
	rk_vec(struct rk_hunk) hunks;
};

/* A fix: one patch file with what it says of itself. */
struct rk_patch_file {
	struct rk_arena arena;
	const char *path;
	char sha256[RK_SHA256_HEX_SIZE]; /* of the file's bytes */
	const char *title;  /* Subject: without [PATCH …], or DEP-3 Description; NULL if none */
	const char *origin; /* DEP-3 Origin, or commit id of format-patch; NULL if none */
	rk_vec(const char *) cves; /* CVE-…-… ids named in the header, in order, unique */
	rk_vec(struct rk_file_change) files;
};

/* Errors: RK_ERR_FORMAT with "'fix.patch' line N: …"; RK_ERR_LIMIT; binary patches are RK_ERR_UNSUPPORTED; no hunk at all is
 * RK_ERR_FORMAT. Paths that are absolute or climb out with ".." are refused. */
struct rk_err *rk_patch_file_read(const char *path, struct rk_patch_file **ret) __must_use;
struct rk_err *rk_patch_file_parse(const char *name, const char *data, size_t len, struct rk_patch_file **ret) __must_use;
void rk_patch_file_free(struct rk_patch_file *patch);

#endif
