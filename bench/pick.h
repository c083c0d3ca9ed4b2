/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Translation units of a target chosen by a seed: the same target and seed give the same units. */
#ifndef RK_BENCH_PICK_H
#define RK_BENCH_PICK_H

#include <stdint.h>

#include "lib/base/vec.h"
#include "lib/build/compile.h"

struct picks {
	rk_vec(const struct rk_recipe *) list; /* vmlinux' first; they live as long as the kbuild */
};

/*
 * Picks nr units: half from vmlinux (its debug info says which there are), half from modules. Fewer
 * only when the target hasn't as many.
 */
struct rk_err *pick_units(const struct rk_target *target, struct rk_kbuild *kbuild, size_t nr,
			  uint64_t seed, const struct rk_reporter *reporter, struct picks *ret)
	__must_use;

#endif
