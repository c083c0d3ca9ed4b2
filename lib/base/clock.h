/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Time that only goes forward, for measuring how long something took. */
#ifndef RK_BASE_CLOCK_H
#define RK_BASE_CLOCK_H

#include <time.h>

/* Seconds of CLOCK_MONOTONIC; only differences mean something. */
static inline double rk_clock_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

#endif
