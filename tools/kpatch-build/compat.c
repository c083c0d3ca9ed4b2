/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Refusals that name the way out. */
#include "tools/kpatch-build/compat.h"

struct rk_err *compat_check(const struct compat_values *v)
{
	if (v->sourcerpm)
		return rk_err(
			RK_ERR_INVALID,
			"--sourcerpm isn't supported: unpack '%s' and apply its patches ('rpmbuild -bp'), then use "
			"--source, --config, --vmlinux and --symvers",
			v->sourcerpm);
	if (v->oot_modules.nr || v->oot_source)
		return rk_err(
			RK_ERR_INVALID,
			"%s isn't supported: only vmlinux and modules of the kernel's own source can be patched, since "
			"nothing tells how others were compiled",
			v->oot_modules.nr ? "--oot-module" : "--oot-module-src");
	return NULL;
}

bool compat_keeps_work(const struct compat_values *v)
{
	return v->debug || v->skip_cleanup;
}
