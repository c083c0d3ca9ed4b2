/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The patched view of a source tree: directories on the way to a changed file are real, everything else is a symbolic link
 * into the unchanged tree, changed files are written with #line directives so that every unchanged line keeps its number.
 * The source tree itself is never written.
 */
#ifndef RK_SOURCE_VIEW_H
#define RK_SOURCE_VIEW_H

#include "lib/base/finding.h"
#include "lib/source/patch_file.h"

/* One file that the fixes change, after all of them. */
struct rk_changed_file {
	const char *path; /* relative to the source tree */
	enum rk_file_class {
		RK_FILE_UNIT,	     /* a .c that kbuild may compile */
		RK_FILE_HEADER,	     /* a kernel header or an included .c/.inc */
		RK_FILE_UNPATCHABLE, /* .S, vdso, boot, realmode, purgatory, Kconfig, Makefile … */
		RK_FILE_NOT_CODE,    /* documentation, tools, samples, selftests, scripts … */
	} kind;
	bool is_new, is_delete;
	bool is_other_arch; /* below arch/ of another machine */
	/* Line ranges of the original that the fixes touch (1-based, inclusive; a pure insertion between
	 * N and N+1 counts as N … N+1). */
	struct rk_line_range {
		uint32_t first, last;
		const struct rk_patch_file *const *fixes; /* that touch it */
		size_t nr_fixes;
	} * ranges;
	size_t nr_ranges;
	const struct rk_patch_file *const *fixes; /* that change it, in order */
	size_t nr_fixes;
	char sha256[RK_SHA256_HEX_SIZE]; /* of its bytes in the view; "" if it isn't there */
};

/* A fix whose hunks hold lines that an earlier one wrote, or close a gap that it left: without that one it doesn't apply. */
struct rk_fix_need {
	const struct rk_patch_file *fix, *needs;
};

struct rk_view {
	struct rk_arena arena;
	const char *dir;    /* absolute: the view's root, to be used as cwd of the compiler */
	const char *source; /* absolute: the unchanged tree */
	rk_vec(struct rk_changed_file) files; /* sorted by path */
	rk_vec(struct rk_fix_need) needs;
};

/* Applies patches in order (exactly, or with an offset; fuzz 0) and builds the view in dir (created, must not exist).
 * A hunk that doesn't apply: RK_ERR_PATCH "'fix.patch': hunk 2 (@@ -10,7 +10,8 @@) doesn't apply to 'fs/exec.c'; nearest
 * match at line 42: 5 of 7 lines agree, first difference: …; already applied" where true, and which earlier fixes changed these
 * lines. */
struct rk_err *rk_view_create(const char *source, const char *dir,
			      struct rk_patch_file *const *patches, size_t nr_patches,
			      const char *arch_dir, struct rk_view **ret) __must_use;

/* Which of the patches doesn't apply to source after those before it? NULL if all do. *ret_err is what rk_view_create() would say.
 * Nothing is written. */
struct rk_err *rk_view_try(const char *source, struct rk_patch_file *const *patches,
			   size_t nr_patches, const char *arch_dir,
			   const struct rk_patch_file **ret, struct rk_err **ret_err) __must_use;
void rk_view_free(struct rk_view *view);

/* Makes every directory that appears in paths (relative) a real one in the view, so that "../x.h" from there meets the
 * view's files. Used when a dependency list shows that an unchanged copy of a changed file was read. */
struct rk_err *rk_view_realise(struct rk_view *view, const char *const *paths, size_t nr)
	__must_use;

/* What kind of file path is, by its name alone. arch_dir: the machine's directory below arch/ ("x86"). */
enum rk_file_class rk_classify(const char *path, const char *arch_dir, bool *ret_is_other_arch);

#endif
