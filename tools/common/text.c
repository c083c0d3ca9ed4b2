/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text in columns. */
#include "tools/common/text.h"

#include <sys/ioctl.h>

size_t rk_text_terminal_width(FILE *out)
{
	struct winsize size;

	if (ioctl(fileno(out), TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return RK_TEXT_WIDTH;
	return size.ws_col;
}

size_t rk_text_columns(const char *s, size_t len)
{
	size_t columns = 0;

	for (size_t i = 0; i < len; i++)
		columns += ((unsigned char)s[i] & 0xc0) != 0x80;
	return columns;
}

void rk_text_wrap(struct rk_str *out, const char *text, size_t column, size_t indent, size_t width)
{
	if (column < indent) {
		rk_str_addf(out, "%*s", (int)(indent - column), "");
		column = indent;
	}
	for (size_t words = 0; *text; words++) {
		size_t len = strcspn(text, " ");
		size_t columns = rk_text_columns(text, len);

		if (words && column + 1 + columns > width) {
			rk_str_addf(out, "\n%*s", (int)indent, "");
			column = indent;
		} else if (words) {
			rk_str_add_char(out, ' ');
			column++;
		}
		rk_str_add_bytes(out, text, len);
		column += columns;
		text += len;
		text += strspn(text, " ");
	}
	rk_str_add_char(out, '\n');
}
