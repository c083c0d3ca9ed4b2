/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RFC 3339 in UTC, to and from seconds. */
#include "lib/base/utc.h"

#include <stddef.h>
#include <string.h>
#include <time.h>

#define UTC_MAX INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

static const char form[] = "dddd-dd-ddTdd:dd:ddZ";

/* The number in digits at..at + len, which are digits. */
static int number(const char *text, size_t at, size_t len)
{
	int n = 0;

	for (size_t i = at; i < at + len; i++)
		n = n * 10 + (text[i] - '0');
	return n;
}

bool rk_utc_parse(const char *text, int64_t *ret)
{
	if (strlen(text) != sizeof(form) - 1)
		return false;
	for (size_t i = 0; form[i]; i++)
		if (form[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
			return false;
	struct tm tm = {
		.tm_year = number(text, 0, 4) - 1900,
		.tm_mon = number(text, 5, 2) - 1,
		.tm_mday = number(text, 8, 2),
		.tm_hour = number(text, 11, 2),
		.tm_min = number(text, 14, 2),
		.tm_sec = number(text, 17, 2),
	};
	int64_t seconds = timegm(&tm);
	char again[RK_UTC_TEXT_SIZE];

	/* timegm() takes the 31st of February for the 3rd of March */
	if (seconds < 0 || strcmp(rk_utc_format(seconds, again), text) != 0)
		return false;
	*ret = seconds;
	return true;
}

const char *rk_utc_format(int64_t seconds, char buf[RK_UTC_TEXT_SIZE])
{
	time_t time = seconds < 0 ? 0 : seconds > UTC_MAX ? UTC_MAX : seconds;
	struct tm tm;

	gmtime_r(&time, &tm);
	strftime(buf, RK_UTC_TEXT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return buf;
}
