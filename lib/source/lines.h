/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeping line numbers: __LINE__ in WARN(), might_sleep() and their like must not make an unchanged function look
 * changed, so a #line directive follows each change, at the first line where C allows one (not inside a comment, a string
 * or a continued line; not inside the arguments of a macro).
 */
#ifndef RK_SOURCE_LINES_H
#define RK_SOURCE_LINES_H

#include "lib/source/patch_file.h"

/* Where each line of the patched text came from: original line number, or 0 for an added line. */
struct rk_line_map {
	uint32_t *origin; /* nr entries */
	size_t nr;
};

/* The patched text with directives put in; *ret malloc'ed. */
struct rk_err *rk_lines_keep(const char *text, size_t len, const struct rk_line_map *map,
			     char **ret, size_t *ret_len) __must_use;

#endif
