/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Debian versions compare in alternating runs: letters by rank ('~' before the end before letters before
 * the rest), then digits by number, for epoch, upstream version and revision in turn. */
#include "lib/target/version.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

static int rank(char c, const char *end, const char *p)
{
	if (p >= end || isdigit((unsigned char)c))
		return 0;
	if (c == '~')
		return -1;
	return isalpha((unsigned char)c) ? c : c + 256;
}

static bool is_digit_at(const char *p, const char *end)
{
	return p < end && isdigit((unsigned char)*p);
}

/* Compares the two digit runs at *a and *b as numbers of any length and moves behind them. */
static int compare_numbers(const char **a, const char *a_end, const char **b, const char *b_end)
{
	int first = 0;

	while (*a < a_end && **a == '0')
		++*a;
	while (*b < b_end && **b == '0')
		++*b;
	while (is_digit_at(*a, a_end) && is_digit_at(*b, b_end)) {
		if (!first)
			first = **a - **b;
		++*a;
		++*b;
	}
	if (is_digit_at(*a, a_end))
		return 1;
	return is_digit_at(*b, b_end) ? -1 : first;
}

static int compare_part(const char *a, const char *a_end, const char *b, const char *b_end)
{
	while (a < a_end || b < b_end) {
		while ((a < a_end && !isdigit((unsigned char)*a)) ||
		       (b < b_end && !isdigit((unsigned char)*b))) {
			int order = rank(*a, a_end, a) - rank(*b, b_end, b);

			if (order)
				return order;
			a++;
			b++;
		}
		int order = compare_numbers(&a, a_end, &b, b_end);
		if (order)
			return order;
	}
	return 0;
}

/* [epoch:]upstream[-revision] */
struct parts {
	const char *epoch, *epoch_end;
	const char *upstream, *upstream_end;
	const char *revision, *revision_end;
};

static struct parts split(const char *s)
{
	const char *end = s + strlen(s);
	const char *colon = strchr(s, ':');
	const char *dash = strrchr(s, '-');
	const char *upstream = colon ? colon + 1 : s;

	if (dash && dash < upstream)
		dash = NULL;
	return (struct parts){
		s, colon ? colon : s, upstream, dash ? dash : end, dash ? dash + 1 : end, end,
	};
}

int rk_version_compare(const char *a, const char *b)
{
	struct parts x = split(a), y = split(b);
	int order = compare_part(x.epoch, x.epoch_end, y.epoch, y.epoch_end);

	if (!order)
		order = compare_part(x.upstream, x.upstream_end, y.upstream, y.upstream_end);
	if (!order)
		order = compare_part(x.revision, x.revision_end, y.revision, y.revision_end);
	return order;
}

size_t rk_version_series(const char *version)
{
	size_t major = strspn(version, "0123456789");

	if (major == 0 || version[major] != '.')
		return 0;
	size_t minor = strspn(version + major + 1, "0123456789");
	return minor ? major + 1 + minor : 0;
}

bool rk_release_is_valid(const char *s)
{
	size_t len = strlen(s);

	return len > 0 && len < 128 && isdigit((unsigned char)s[0]) &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.+~-_") ==
		       len;
}
