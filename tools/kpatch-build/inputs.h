/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What goes into a build: the fixes that operands and options name, and what the module is called after them. */
#ifndef RK_TOOLS_KPATCH_BUILD_INPUTS_H
#define RK_TOOLS_KPATCH_BUILD_INPUTS_H

#include "lib/source/series.h"
#include "tools/common/cli.h"

struct input_values {
	const char *git, *commits;
};

/* Reads the fixes: the operands, then the commits. work_dir: where the commits' diffs are written. */
struct rk_err *inputs_read(const struct rk_cli *cli, const struct input_values *values,
			   const char *work_dir, struct rk_series *ret) __must_use;

/* Is there anything to read? RK_ERR_INVALID says what is missing. */
struct rk_err *inputs_check(const struct rk_cli *cli, const struct input_values *values) __must_use;

/* What to name the module after when nobody says: the first patch, the directory of a series, the end of a range of commits.
 * malloc'ed. */
struct rk_err *inputs_name(const struct rk_cli *cli, const struct input_values *values, char **ret)
	__must_use;

#endif
