/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One table of options, so that a kernel that won't do is refused by name before anything is fetched or compiled. */
#include "lib/target/demands.h"

#include <stdbool.h>

#include "lib/base/str.h"
#include "lib/target/config.h"

static const struct {
	const char *option;
	bool wanted;
	const char *reason;
} demands[] = {
	{"CONFIG_MODULES", true, "a live patch is a module"},
	{"CONFIG_LIVEPATCH", true, "it can't be patched live"},
	{"CONFIG_KALLSYMS_ALL", true, "livepatch can't find variables by name"},
	/* Instrumented or transformed as a whole, so that a unit's object isn't what the kernel runs. */
	{"CONFIG_LTO_CLANG", false, "the code of its units is only made when all are linked"},
	/* scripts/Makefile.lib, delay-objtool */
	{"CONFIG_X86_KERNEL_IBT", false,
	 "objtool only sees the linked kernel, so units have no unwind data of their own"},
	{"CONFIG_RANDSTRUCT_FULL", false, "layouts of structures are random"},
	{"CONFIG_RANDSTRUCT_PERFORMANCE", false, "layouts of structures are random"},
	{"CONFIG_GCC_PLUGIN_RANDSTRUCT", false, "layouts of structures are random"},
	{"CONFIG_GCC_PLUGIN_LATENT_ENTROPY", false, "functions hold random numbers"},
	{"CONFIG_DEBUG_INFO_SPLIT", false, "debug info isn't in the objects"},
};

struct rk_err *rk_demands_check(const char *path)
{
	_cleanup_config_ struct rk_config config = {};

	RK_TRY(rk_config_read(path, &config));
	for (size_t i = 0; i < ARRAY_SIZE(demands); i++) {
		bool is_set = rk_map_get(&config.options, demands[i].option) != NULL;

		if (is_set != demands[i].wanted)
			return rk_err(
				RK_ERR_UNSUPPORTED,
				"no live patches can be built for this kernel: %s is %s in '%s', and so %s",
				demands[i].option, is_set ? "set" : "not set", path,
				demands[i].reason);
	}
	return NULL;
}
