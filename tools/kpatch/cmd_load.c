/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kpatch load: check, insert, wait for the transition. A load that doesn't end is reversed: a patch is either there or
 * not when kpatch returns.
 */
#include <stdio.h>

#include "tools/kpatch/kpatch.h"

/* Takes back what could not be finished; err is why. The reversal itself waits for tasks that already changed over. */
static struct rk_err *reverse(const struct rk_cli *cli, const char *name, struct rk_err *err)
{
	enum rk_livepatch_state state;
	_cleanup_err_ struct rk_err *second =
		rk_livepatch_set_enabled(&rk_livepatch_roots, name, false);

	if (!second)
		second = kpatch_wait(cli, name, false, &state);
	if (!second)
		second = rk_livepatch_remove(&rk_livepatch_roots, name, KPATCH_REFERENCE_MS);
	if (second)
		fprintf(stderr, "cannot take '%s' back: %s\n", name, rk_err_message(second));
	return rk_err_wrap(err, second ? "cannot load '%s'" : "cannot load '%s'; it was taken back",
			   name);
}

/* Starts the transition from whatever state a module of that name is in. */
static struct rk_err *start(const struct rk_cli *cli, const char *path, const char *name,
			    enum rk_livepatch_state state)
{
	switch (state) {
	case RK_LIVEPATCH_ENABLING: return NULL;
	case RK_LIVEPATCH_DISABLING:
		return rk_livepatch_set_enabled(&rk_livepatch_roots, name, true);
	case RK_LIVEPATCH_DISABLED: /* can't be enabled again; the module must go first */
		RK_TRY(rk_livepatch_remove(&rk_livepatch_roots, name, KPATCH_REFERENCE_MS));
		break;
	default: break;
	}
	return rk_livepatch_insert(path, KPATCH_BUSY_TRIES, cli->reporter);
}

static struct rk_err *load_module(const struct rk_cli *cli, const char *path, const char *name,
				  enum rk_exit *ret_exit)
{
	enum rk_livepatch_state state;

	RK_TRY(rk_livepatch_state(&rk_livepatch_roots, name, &state));
	if (state == RK_LIVEPATCH_ENABLED) {
		fprintf(stderr, "'%s' is already loaded\n", name);
		*ret_exit = RK_EXIT_NOTHING;
		return NULL;
	}
	RK_TRY(start(cli, path, name, state));
	struct rk_err *err = kpatch_wait(cli, name, true, &state);
	if (err)
		return reverse(cli, name, err);
	if (state != RK_LIVEPATCH_ENABLED)
		return rk_err(RK_ERR_TOOL, "'%s' was loaded, but its patch is %s", name,
			      rk_livepatch_state_name(state));
	if (!cli->quiet)
		printf("%s is loaded\n", name);
	return NULL;
}

static struct rk_err *load(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	const char *path = cli->operands[0];
	_cleanup_info_ struct rk_module_info *info = NULL;
	_cleanup_running_ struct rk_running running = {};

	RK_TRY(rk_module_info_read(path, &info));
	RK_TRY(rk_running_read(&rk_livepatch_roots, &running));
	RK_TRY(kpatch_check_module(path, info, &running));
	return load_module(cli, path, info->name, ret_exit);
}

const struct rk_verb verb_load = {
	.name = "load",
	.operands = "FILE",
	.summary = "load a live patch and wait until every task runs it",
	.description =
		"Refuses a module that was made for another kernel. When the transition does not end in time,\n"
		"names the tasks that hold it up and takes the patch back.",
	.options = kpatch_wait_options,
	.values_size = sizeof(struct kpatch_wait_values),
	.min_operands = 1,
	.max_operands = 1,
	.run = load,
};
