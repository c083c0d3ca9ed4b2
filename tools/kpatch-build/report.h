/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the result of a build is shown: on the terminal, as JSON, as a page beside the module. */
#ifndef RK_TOOLS_KPATCH_BUILD_REPORT_H
#define RK_TOOLS_KPATCH_BUILD_REPORT_H

#include "lib/pipeline/build.h"

/* path: of the module that was written, NULL after a negative verdict. */
struct rk_err *report_text(const struct rk_build *build, const char *path, bool verbose) __must_use;
struct rk_err *report_json(const struct rk_build *build, const char *path) __must_use;
/* A whole page without scripts; *ret malloc'ed. Holds no times or paths, so that it is the same for the same build. */
struct rk_err *report_html(const struct rk_build *build, char **ret) __must_use;

#endif
