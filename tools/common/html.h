/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text for pages that are written as strings. */
#ifndef RK_TOOLS_COMMON_HTML_H
#define RK_TOOLS_COMMON_HTML_H

#include "lib/base/str.h"

/* Appends text as HTML shows it, within elements and within attributes in double quotes. */
void rk_html_add(struct rk_str *out, const char *text);

#endif
