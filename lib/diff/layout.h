/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What became of one structure or union. */
#ifndef RK_DIFF_LAYOUT_H
#define RK_DIFF_LAYOUT_H

#include "lib/base/str.h"
#include "lib/elf/debug_info.h"

enum rk_layout_change {
	RK_LAYOUT_SAME,		 /* no difference, or other names for the same */
	RK_LAYOUT_FILLED,	 /* new members where nothing was; all others as before */
	RK_LAYOUT_OTHER_MEANING, /* a member became something else of the same size, in its place */
	RK_LAYOUT_MOVED,	 /* size or places changed */
};

/* Holds a against b, whose members are loaded. *ret_text, from arena, says what is different, with offsets and sizes:
 * "grew from 64 to 72 bytes: member 'x' added at 64". Offsets are bytes, of bit-fields "byte.bit". */
struct rk_err *rk_layout_compare(struct rk_arena *arena, const struct rk_debug_type *a,
				 const struct rk_debug_type *b, enum rk_layout_change *ret,
				 const char **ret_text) __must_use;

#endif
