/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kernel configurations, and in what two of them differ. */
#ifndef RK_TARGET_CONFIG_H
#define RK_TARGET_CONFIG_H

#include <stddef.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/map.h"
#include "lib/base/str.h"

#define RK_CONFIG_MAX (4u << 20) /* bytes of a .config; Debian's have 0.3 MiB */

/* The options that are set, as written: "CONFIG_X" → "y", "\"text\"". */
struct rk_config {
	struct rk_arena arena;
	struct rk_map options;
};

void rk_config_deinit(struct rk_config *config);
#define _cleanup_config_ _cleanup_(rk_config_deinit)

struct rk_err *rk_config_read(const char *path, struct rk_config *ret) __must_use;
/* The same from text, which is cut into its lines; path is for messages. */
struct rk_err *rk_config_parse(const char *path, char *text, struct rk_config *ret) __must_use;

/* What differs between two configurations, apart from options that code doesn't depend on (versions of tools, keys). */
struct rk_config_drift {
	size_t nr;
	struct rk_str text; /* the first few: "CONFIG_X (y, not set), …" */
};

/* Options of shipped that are different in ours, and unless subset the other way round too. */
struct rk_err *rk_config_compare(const struct rk_config *shipped, const struct rk_config *ours,
				 bool subset, struct rk_config_drift *ret) __must_use;

#endif
