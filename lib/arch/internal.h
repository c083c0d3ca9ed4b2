/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One ops table per architecture, each in a file of its own; only arch.c hands them out. */
#ifndef RK_ARCH_INTERNAL_H
#define RK_ARCH_INTERNAL_H

#include "lib/arch/arch.h"

extern const struct rk_arch rk_arch_x86_64;

/* x86_64_use.c: see rk_arch.address_use; the instruction that has the field is at start. */
void rk_x86_64_address_use(const struct rk_section *section, uint64_t start, uint64_t field,
			   struct rk_address_use *ret);

#endif
