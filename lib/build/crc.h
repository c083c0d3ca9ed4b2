/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The CRCs of what a unit exports, made as kbuild makes them (scripts/Makefile.build cmd_gensymtypes_c): the kernel's own genksyms
 * reads the preprocessed unit. An export's CRC covers its type and every type that can be reached from it.
 */
#ifndef RK_BUILD_CRC_H
#define RK_BUILD_CRC_H

#include "lib/build/compile.h"

struct rk_crc {
	const char *name;
	uint32_t value;
};

struct rk_crcs {
	struct rk_arena arena;
	rk_vec(struct rk_crc) list; /* as the unit exports them */
	bool is_known; /* false: the tree has no genksyms, since the kernel has no CRCs */
};

/* Preprocesses the unit in root, the source tree or a view of it; work_dir takes two temporary files. Errors: RK_ERR_TOOL,
 * RK_ERR_FORMAT, RK_ERR_SYS. */
struct rk_err *rk_kbuild_crcs(struct rk_kbuild *kbuild, const struct rk_recipe *recipe,
			      const char *root, const char *work_dir, struct rk_crcs *ret)
	__must_use;
/* NULL if the unit doesn't export it. */
const struct rk_crc *rk_crcs_find(const struct rk_crcs *crcs, const char *name);
void rk_crcs_deinit(struct rk_crcs *crcs);

/* What genksyms prints: "#SYMVER name 0x1234" lines, or "__crc_name = 0x1234;" of earlier kernels; anything else is passed over. */
struct rk_err *rk_crcs_parse(const char *text, struct rk_crcs *ret) __must_use;

#define _cleanup_crcs_ _cleanup_(rk_crcs_deinit)

#endif
