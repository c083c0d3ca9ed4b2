/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which known word was meant by an unknown one: "chanel" is 'channel' with a letter left out. */
#ifndef RK_BASE_NEAREST_H
#define RK_BASE_NEAREST_H

#include <stddef.h>

/* How many letters must be put in, taken out, replaced or swapped with their neighbour to make b of a; words of more than
 * RK_NEAREST_MAX bytes are as far from everything as they are long. */
#define RK_NEAREST_MAX 64
size_t rk_word_distance(const char *a, const char *b);

/* Whether a word at this distance may have been meant: at most a third of the letters differ, and one always may. */
int rk_is_near(const char *word, size_t distance);

#endif
