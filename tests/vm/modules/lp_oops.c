// SPDX-License-Identifier: GPL-2.0
#define LP_OOPS
#include "lp_fix.c"
