// SPDX-License-Identifier: GPL-2.0
#define LP_PANIC
#include "lp_fix.c"
