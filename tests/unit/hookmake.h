/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A hook object as a target's compiler would make it, but written by hand: the structures have other sizes and offsets than any
 * kernel's, so that a test sees whether the layout is followed.
 */
#ifndef RK_TESTS_UNIT_HOOKMAKE_H
#define RK_TESTS_UNIT_HOOKMAKE_H

#include "lib/patch/hook/layout.h"

extern const struct rk_hook_layout hookmake_layout;

/* Writes a hook object with this layout table to path; any failure ends the test. */
void hookmake_write(const char *path, const struct rk_hook_layout *layout);
/* Writes the object of clear.c. */
void hookmake_write_clear(const char *path);

#endif
