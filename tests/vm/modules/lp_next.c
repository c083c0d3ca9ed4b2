// SPDX-License-Identifier: GPL-2.0
/* The same fix at a higher level: takes the place of lp_fix. */
#include "lp_fix.c"
