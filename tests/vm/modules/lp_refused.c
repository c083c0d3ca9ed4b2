// SPDX-License-Identifier: GPL-2.0
#define LP_REFUSED
#include "lp_fix.c"
