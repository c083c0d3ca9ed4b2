/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kpatch unload: disable, wait for the transition, remove the module. */
#include <stdio.h>
#include <stdlib.h>

#include "tools/kpatch/kpatch.h"

static struct rk_err *disable(const struct rk_cli *cli, const char *name,
			      enum rk_livepatch_state state)
{
	enum rk_livepatch_state end;

	if (state == RK_LIVEPATCH_ENABLED || state == RK_LIVEPATCH_ENABLING)
		RK_TRY(rk_livepatch_set_enabled(&rk_livepatch_roots, name, false));
	RK_TRY(kpatch_wait(cli, name, false, &end));
	if (end == RK_LIVEPATCH_ENABLED)
		return rk_err(RK_ERR_TOOL, "'%s' was enabled again by somebody else", name);
	return NULL;
}

static struct rk_err *unload(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	_cleanup_free_ char *name = kpatch_module_name(cli->operands[0]);
	enum rk_livepatch_state state;

	if (!name)
		return rk_err_nomem();
	RK_TRY(rk_livepatch_state(&rk_livepatch_roots, name, &state));
	if (state == RK_LIVEPATCH_ABSENT)
		return rk_err(RK_ERR_NOT_FOUND,
			      "no live patch '%s' is loaded; 'kpatch list' shows what is", name);
	if (state != RK_LIVEPATCH_DISABLED)
		RK_TRY(rk_err_wrap(disable(cli, name, state), "cannot unload '%s'", name));
	RK_TRY(rk_livepatch_remove(&rk_livepatch_roots, name, KPATCH_REFERENCE_MS));
	if (!cli->quiet)
		printf("%s is unloaded\n", name);
	return NULL;
}

const struct rk_verb verb_unload = {
	.name = "unload",
	.operands = "NAME",
	.summary = "disable a live patch, wait until no task runs it, remove its module",
	.options = kpatch_wait_options,
	.values_size = sizeof(struct kpatch_wait_values),
	.min_operands = 1,
	.max_operands = 1,
	.run = unload,
};
