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
#include "lib/source/metadata.h"

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
	/* As the patch names them, and without the leading directory (the name itself where it has
	 * none); NULL for /dev/null. Which of the two is meant only the tree can tell. */
	const char *old_name, *new_name;
	const char *old_path, *new_path;
	bool is_new, is_delete, is_rename;
	uint32_t line;		      /* where it begins in the patch file */
	rk_vec(struct rk_hunk) hunks; /* may be empty for a rename, an empty new or deleted file */
};

/* A fix: one patch file with what it says of itself. */
struct rk_patch_file {
	struct rk_arena arena;
	const char *path;
	char sha256[RK_SHA256_HEX_SIZE]; /* of the file's bytes */
	struct rk_fix_metadata metadata;
	rk_vec(struct rk_file_change) files;
};

/* Understands what git diff, git format-patch, quilt and diff -u write, with any text around and between. Changes of
 * file modes are ignored. A patch in which every line of the diffs ends in CR LF has come through a mailer and is read as if it
 * had LF; single CRs are content. Errors: RK_ERR_FORMAT with "'fix.patch' line N: …"; RK_ERR_LIMIT; binary
 * and combined diffs, copies and symbolic links are RK_ERR_UNSUPPORTED; no change at all is RK_ERR_FORMAT. Paths that are
 * absolute or climb out with ".." are refused. */
struct rk_err *rk_patch_file_read(const char *path, struct rk_patch_file **ret) __must_use;
struct rk_err *rk_patch_file_parse(const char *name, const char *data, size_t len,
				   struct rk_patch_file **ret) __must_use;
/* Takes exactly so many leading directories from the names (quilt's -pN), instead of what the tree suggests. RK_ERR_FORMAT if a
 * name has fewer. */
struct rk_err *rk_patch_file_strip(struct rk_patch_file *patch, unsigned int levels) __must_use;
void rk_patch_file_free(struct rk_patch_file *patch);

/* Patches of somebody else's. */
struct rk_patch_list {
	const struct rk_patch_file **v;
	size_t nr, cap;
};

static inline void rk_cleanup_patch_list(struct rk_patch_list *list)
{
	rk_vec_deinit(list);
}
#define _cleanup_patch_list_ _cleanup_(rk_cleanup_patch_list)

#endif
