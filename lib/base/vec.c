/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one function behind the typed arrays: growth by half, checked for overflow. */
#include "lib/base/vec.h"

#define FIRST_CAP 8

bool rk_vec_grow(void **v, size_t *cap, size_t nr, size_t elem_size)
{
	size_t new_cap = FIRST_CAP;
	size_t bytes;

	if (nr < *cap)
		return true;
	if (*cap && __builtin_add_overflow(*cap, *cap / 2 + 1, &new_cap))
		return false;
	if (new_cap <= nr && __builtin_add_overflow(nr, 1, &new_cap))
		return false;
	if (__builtin_mul_overflow(new_cap, elem_size, &bytes))
		return false;

	void *grown = realloc(*v, bytes);
	if (!grown)
		return false;
	*v = grown;
	*cap = new_cap;
	return true;
}
