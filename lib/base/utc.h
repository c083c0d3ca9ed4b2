/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Points in time as text: RFC 3339 in UTC with whole seconds, "2026-11-22T13:30:00Z", and nothing else. In memory they are
 * seconds since 1970, as time(2) gives them.
 */
#ifndef RK_BASE_UTC_H
#define RK_BASE_UTC_H

#include <stdbool.h>
#include <stdint.h>

#define RK_UTC_TEXT_SIZE 21 /* with the NUL */
#define RK_DAY_SECONDS	 INT64_C(86400)

/* The seconds that exactly this text means; false if it isn't of that form or no date from 1970 to 9999. */
bool rk_utc_parse(const char *text, int64_t *ret);

/* The text of a time; what lies outside 1970 to 9999 becomes the nearer end. Returns buf. */
const char *rk_utc_format(int64_t seconds, char buf[RK_UTC_TEXT_SIZE]);

#endif
