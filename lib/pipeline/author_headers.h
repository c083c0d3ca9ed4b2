/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The headers of include/ as they are embedded in the program by lib/patch/hook/embed.c at build time. */
#ifndef RK_PIPELINE_AUTHOR_HEADERS_H
#define RK_PIPELINE_AUTHOR_HEADERS_H

extern const unsigned char rk_author_macros[]; /* kpatch-macros.h */
extern const unsigned long rk_author_macros_size;
extern const unsigned char rk_author_syscall[]; /* kpatch-syscall.h */
extern const unsigned long rk_author_syscall_size;
extern const unsigned char rk_author_marks[]; /* kpatch-marks.h */
extern const unsigned long rk_author_marks_size;
extern const unsigned char rk_author_helpers[]; /* linux/livepatch_helpers.h */
extern const unsigned long rk_author_helpers_size;

#endif
