/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The four characters that mean something to HTML. */
#include "tools/common/html.h"

void rk_html_add(struct rk_str *out, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '<': rk_str_add(out, "&lt;"); break;
		case '>': rk_str_add(out, "&gt;"); break;
		case '&': rk_str_add(out, "&amp;"); break;
		case '"': rk_str_add(out, "&quot;"); break;
		default: rk_str_add_char(out, *text);
		}
	}
}
