/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel's command line says of live patches: the administrator's way out when one keeps the machine from coming up. */
#ifndef RK_LIVEPATCH_CMDLINE_H
#define RK_LIVEPATCH_CMDLINE_H

#include <stdbool.h>
#include <stddef.h>

/* The next word, of *ret_len bytes; NULL at the end, and at "--": what follows is init's. *at moves behind it. */
const char *rk_cmdline_word(const char **at, size_t *ret_len);
bool rk_cmdline_is(const char *word, size_t len, const char *text);

/* Whether the last of kpatch.enable=0 and kpatch.enable=1 is the first. */
bool rk_livepatch_is_off(const char *cmdline);

#endif
