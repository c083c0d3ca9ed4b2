/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Paths inside a source tree as text: no file system is asked. */
#ifndef RK_SOURCE_PATHS_H
#define RK_SOURCE_PATHS_H

/* Resolves "." and ".." and drops doubled slashes of a relative path, in place; the result is never longer. ".." that climb out of
 * the tree stay at the front. */
void rk_path_normalise(char *path);

#endif
