// SPDX-License-Identifier: GPL-2.0
#define LP_WARN
#include "lp_fix.c"
