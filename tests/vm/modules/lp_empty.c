// SPDX-License-Identifier: GPL-2.0
/* A live patch that replaces nothing. */
#define LP_EMPTY
#include "lp_fix.c"
