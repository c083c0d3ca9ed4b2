// SPDX-License-Identifier: GPL-2.0
/* The same fix, loaded on top of others. */
#define LP_STACK 1
#include "lp_fix.c"
