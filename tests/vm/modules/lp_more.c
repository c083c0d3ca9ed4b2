// SPDX-License-Identifier: GPL-2.0
/* A higher level that fixes one function more: /proc/loadavg says that it is there, too. */
#define LP_MORE
#include "lp_fix.c"
