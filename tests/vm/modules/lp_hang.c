// SPDX-License-Identifier: GPL-2.0
#define LP_HANG
#include "lp_fix.c"
