// SPDX-License-Identifier: GPL-2.0
#define LP_WARN_EXIT
#include "lp_fix.c"
