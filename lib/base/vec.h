/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Typed growable arrays: rk_vec(struct foo) v = {}; elements v.v[0 … v.nr - 1], moved on growth. */
#ifndef RK_BASE_VEC_H
#define RK_BASE_VEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#define rk_vec(type)        \
	struct {            \
		type *v;    \
		size_t nr;  \
		size_t cap; \
	}

/* Makes room for one more; false without memory or on overflow. Used by the macros below. */
bool rk_vec_grow(void **v, size_t *cap, size_t nr, size_t elem_size);

/* Appends item; false without memory (the vector is as before). */
#define rk_vec_push(vec, item)                                                        \
	(((vec)->nr < (vec)->cap ||                                                   \
	  rk_vec_grow((void **)&(vec)->v, &(vec)->cap, (vec)->nr, sizeof(*(vec)->v))) \
		 ? ((vec)->v[(vec)->nr++] = (item), true)                             \
		 : false)

#define rk_vec_deinit(vec)       \
	do {                     \
		free((vec)->v);  \
		(vec)->v = NULL; \
		(vec)->nr = 0;   \
		(vec)->cap = 0;  \
	} while (0)

#define rk_vec_for_each(vec, it) \
	for (__typeof__(&*(vec)->v) it = (vec)->v; it && it < (vec)->v + (vec)->nr; it++)

#endif
