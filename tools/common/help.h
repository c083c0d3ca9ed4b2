/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the option tables say, as text: --help, shell completion, the list the man pages are checked by. */
#ifndef RK_TOOLS_COMMON_HELP_H
#define RK_TOOLS_COMMON_HELP_H

#include "lib/base/str.h"
#include "tools/common/option.h"

/* Appends the help of verb; for the tool itself (verb NULL or its name "") with the list of verbs. */
void rk_help(struct rk_str *out, const struct rk_tool *tool, const struct rk_verb *verb);

/* Appends one line per option: tool, verb ("-" for the tool itself), "-x" or "-", "--name", what the
 * value is called or "-", separated by tabs. */
void rk_help_list_options(struct rk_str *out, const struct rk_tool *tool);

/* Appends a completion script for shell, "bash" or "zsh". Error RK_ERR_INVALID for another. */
struct rk_err *rk_help_completion(struct rk_str *out, const struct rk_tool *tool, const char *shell)
	__must_use;

#endif
