/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of kernel modules: the file may have '-' where the module itself has '_' (kernel: scripts/Makefile.lib, name-fix-token). */
#ifndef RK_BASE_MODULE_NAME_H
#define RK_BASE_MODULE_NAME_H

#include <stdbool.h>
#include <stddef.h>

/* "nf-tables" → "nf_tables", in place; returns name, which may be NULL. */
char *rk_module_name_fold(char *name);

/* Do the first len bytes of text name the same module as name? */
bool rk_module_name_is(const char *text, size_t len, const char *name);

#endif
