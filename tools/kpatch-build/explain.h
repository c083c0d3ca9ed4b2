/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --explain, and codes as users type them. */
#ifndef RK_TOOLS_KPATCH_BUILD_EXPLAIN_H
#define RK_TOOLS_KPATCH_BUILD_EXPLAIN_H

#include "lib/base/finding.h"
#include "tools/common/cli.h"

/* Prints the entries of the codes that are cli's operands; without any, or with "list", all codes. Error RK_ERR_INVALID for an
 * unknown one, with the code that may be meant. */
struct rk_err *explain(const struct rk_cli *cli) __must_use;

/* The code that wish, "CODE" or "CODE:PLACE", begins with; error RK_ERR_INVALID as above. */
struct rk_err *explain_find_code(const char *wish, enum rk_finding_code *ret) __must_use;

#endif
