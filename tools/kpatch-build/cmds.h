/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verbs of kpatch-build, one per cmd_<verb>.c. */
#ifndef RK_TOOLS_KPATCH_BUILD_CMDS_H
#define RK_TOOLS_KPATCH_BUILD_CMDS_H

#include "tools/common/option.h"

extern const struct rk_verb verb_build;
extern const struct rk_verb verb_target_list;
extern const struct rk_verb verb_target_show;
extern const struct rk_verb verb_target_fetch;
extern const struct rk_verb verb_target_verify;
extern const struct rk_verb verb_target_remove;

#endif
