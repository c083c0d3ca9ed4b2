/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One ops table per architecture, each in a file of its own; only arch.c hands them out. */
#ifndef RK_ARCH_INTERNAL_H
#define RK_ARCH_INTERNAL_H

#include "lib/arch/arch.h"

extern const struct rk_arch rk_arch_x86_64;

#endif
