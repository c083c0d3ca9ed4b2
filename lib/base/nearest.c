/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The distance is that of optimal string alignment, by the usual table of beginnings, of which three rows are kept. */
#include "lib/base/nearest.h"

#include <string.h>

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

size_t rk_word_distance(const char *a, const char *b)
{
	size_t rows[3][RK_NEAREST_MAX + 1];
	size_t na = strlen(a), nb = strlen(b);

	if (na > RK_NEAREST_MAX || nb > RK_NEAREST_MAX)
		return na > nb ? na : nb;
	for (size_t j = 0; j <= nb; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= na; i++) {
		size_t *row = rows[i % 3], *above = rows[(i - 1) % 3], *second = rows[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			row[j] = smaller(above[j], row[j - 1]) + 1;
			row[j] = smaller(row[j], above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = smaller(row[j], second[j - 2] + 1);
		}
	}
	return rows[na % 3][nb];
}

int rk_is_near(const char *word, size_t distance)
{
	return distance <= 1 || distance * 3 <= strlen(word);
}
