/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The architectures we know: one line each. */
#include "lib/arch/arch.h"

#include "lib/arch/internal.h"
#include "lib/base/cleanup.h"

static const struct rk_arch *const archs[] = {
	&rk_arch_x86_64,
};

const struct rk_arch *rk_arch_for(uint16_t machine)
{
	for (size_t i = 0; i < ARRAY_SIZE(archs); i++) {
		if (archs[i]->machine == machine)
			return archs[i];
	}
	return NULL;
}
