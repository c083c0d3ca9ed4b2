/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hook's source as it is embedded in the program by embed.c at build time. */
#ifndef RK_PATCH_HOOK_SOURCE_H
#define RK_PATCH_HOOK_SOURCE_H

extern const unsigned char rk_hook_source[]; /* hook.c */
extern const unsigned long rk_hook_source_size;
extern const unsigned char rk_clear_source[]; /* clear.c */
extern const unsigned long rk_clear_source_size;
extern const unsigned char rk_hook_header[]; /* layout.h, to lie beside them */
extern const unsigned long rk_hook_header_size;

#endif
