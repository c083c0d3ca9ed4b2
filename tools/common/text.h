/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text in columns: how wide a terminal is, how wide a word, and paragraphs that fit. */
#ifndef RK_TOOLS_COMMON_TEXT_H
#define RK_TOOLS_COMMON_TEXT_H

#include <stdio.h>

#include "lib/base/str.h"

#define RK_TEXT_WIDTH 80 /* where nothing says how wide a line may be */

/* Columns of the terminal out is; RK_TEXT_WIDTH if it is none. */
size_t rk_text_terminal_width(FILE *out);

/* Columns of the first len bytes of s, UTF-8. */
size_t rk_text_columns(const char *s, size_t len);

/* Appends text and a newline, wrapped between words to width; lines after the first are indented. column is where the text
 * begins: less than indent, blanks are added. */
void rk_text_wrap(struct rk_str *out, const char *text, size_t column, size_t indent, size_t width);

#endif
