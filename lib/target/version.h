/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Order of Debian package versions and of kernel releases, and the parts of them that matter here. */
#ifndef RK_TARGET_VERSION_H
#define RK_TARGET_VERSION_H

#include <stdbool.h>
#include <stddef.h>

/* < 0, 0, > 0 as a is older than, equal to, newer than b (Debian Policy 5.6.12, "Version"). Good for
 * kernel releases too: "6.1.0-9-amd64" comes before "6.1.0-10-amd64". */
int rk_version_compare(const char *a, const char *b);

/* The length of the "6.1" that a version or release starts with (two numbers); 0 if it doesn't. */
size_t rk_version_series(const char *version);

/* Whether s can be a kernel release: nothing in it could leave a directory or split a command. */
bool rk_release_is_valid(const char *s);

#endif
