/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of lib/source share: what patches say of themselves, the text of a file under change, file classes. */
#ifndef RK_SOURCE_INTERNAL_H
#define RK_SOURCE_INTERNAL_H

#include "lib/base/str.h"
#include "lib/source/lines.h"
#include "lib/source/patch_file.h"
#include "lib/source/view.h"

struct rk_cve_ids {
	const char **v;
	size_t nr, cap;
};

/* Reads what the text before and between the diffs says of the fix. */
struct rk_metadata_parser {
	struct rk_arena *arena;
	struct rk_fix_metadata *metadata; /* filled; may be incomplete until rk_metadata_finish() */
	const struct rk_metadata_field
		*field;	     /* the field under way, which folded lines go on with */
	size_t first_length; /* of its first line */
	struct rk_str value;
	struct rk_cve_ids stated, mentioned;
	const char *description;
	const char *commit; /* of format-patch's "From <id>" line */
};

/* A line before the first diff. */
struct rk_err *rk_metadata_line(struct rk_metadata_parser *p, const char *line, size_t len)
	__must_use;
/* A line between the diffs: only looked through for CVE ids. */
struct rk_err *rk_metadata_text(struct rk_metadata_parser *p, const char *line, size_t len)
	__must_use;
struct rk_err *rk_metadata_finish(struct rk_metadata_parser *p) __must_use;
void rk_metadata_parser_deinit(struct rk_metadata_parser *p);

/* One line of a file under change; borrowed from the file's bytes or the patch. */
struct rk_text_line {
	const char *text;
	uint32_t len;
	uint32_t origin; /* line number in the unchanged file, 0 for an added line */
	bool no_newline;
	const struct rk_patch_file *by; /* the fix that added it */
};

/* A file while the fixes are applied to it. */
struct rk_text {
	rk_vec(struct rk_text_line) lines;
	struct rk_text_line *original; /* the unchanged file's, nr_original of them */
	uint32_t nr_original;
	const struct rk_patch_file *
		*removed_by; /* of each unchanged line: the fix that took it away, or NULL */
	/* Fixes without which the last one applied would have found other lines. */
	struct rk_patch_list needed;
};

/* Splits the unchanged file's bytes, which must outlive text. RK_ERR_LIMIT. */
struct rk_err *rk_text_split(const char *data, size_t len, struct rk_text *ret) __must_use;
void rk_text_deinit(struct rk_text *text);

/* Applies change to text, which is as it was when this fails (RK_ERR_PATCH, see rk_view_create()). path is the file's name
 * for messages. The patch's lines are borrowed. */
struct rk_err *rk_text_apply(struct rk_text *text, const struct rk_patch_file *patch,
			     const struct rk_file_change *change, const char *path) __must_use;

/* After the last change: an added line that is the same as the removed one in its place is no change. */
void rk_text_settle(struct rk_text *text);

/* Adds to list, each once, the fixes that added lines first … end - 1 or took away what was between them. */
struct rk_err *rk_text_authors(const struct rk_text *text, size_t first, size_t end,
			       struct rk_patch_list *list) __must_use;

/* The file's bytes; *ret malloc'ed. */
struct rk_err *rk_text_join(const struct rk_text *text, char **ret, size_t *ret_len) __must_use;

/* Lines of the unchanged file that differ in text, and whose doing that is; from arena. */
struct rk_err *rk_text_ranges(const struct rk_text *text, struct rk_arena *arena,
			      struct rk_line_range **ret, size_t *ret_nr) __must_use;

#endif
