/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kpatch signal and force: what a person can do about a transition that doesn't end. */
#include <stdio.h>

#include "lib/base/str.h"
#include "tools/kpatch/kpatch.h"

/* The patch that is in transition; at most one is. name is "" when none is. */
static struct rk_err *find_transition(struct rk_str *name, bool *ret_enabling)
{
	_cleanup_livepatch_list_ struct rk_livepatch_list list = {};

	RK_TRY(rk_livepatch_list(&rk_livepatch_roots, &list));
	rk_vec_for_each(&list.list, patch) {
		if (!rk_livepatch_is_moving(patch->state))
			continue;
		rk_str_add(name, patch->name);
		*ret_enabling = patch->state == RK_LIVEPATCH_ENABLING;
	}
	return rk_str_check(name);
}

/* Shows who is left; *ret_exit says that there is no transition. */
static struct rk_err *show_transition(struct rk_str *name, enum rk_exit *ret_exit)
{
	_cleanup_livepatch_blockers_ struct rk_livepatch_blockers blockers = {};
	bool enabling = false;

	RK_TRY(find_transition(name, &enabling));
	if (!name->len) {
		fprintf(stderr, "no live patch is in transition\n");
		*ret_exit = RK_EXIT_NOTHING;
		return NULL;
	}
	RK_TRY(rk_livepatch_blockers(&rk_livepatch_roots, enabling, &blockers));
	kpatch_show_blockers(stdout, &blockers);
	return NULL;
}

static struct rk_err *signal_tasks(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	_cleanup_str_ struct rk_str name = RK_STR_INIT;
	bool by_kernel;

	RK_TRY(show_transition(&name, ret_exit));
	if (!name.len)
		return NULL;
	RK_TRY(rk_livepatch_signal(&rk_livepatch_roots, rk_str_get(&name), &by_kernel));
	if (by_kernel)
		*ret_exit = RK_EXIT_NOTHING;
	if (!cli->quiet)
		printf(by_kernel
			       ? "this kernel signals the tasks that hold up '%s' by itself, every "
				 "15 s\n"
			       : "signalled the tasks that hold up '%s'\n",
		       rk_str_get(&name));
	return NULL;
}

const struct rk_verb verb_signal = {
	.name = "signal",
	.summary = "wake the tasks that hold up a transition",
	.description = "Kernels since 5.1 do that by themselves.",
	.values_size = sizeof(struct kpatch_values),
	.run = signal_tasks,
};

static struct rk_err *force(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	const struct kpatch_values *values = cli->values;
	_cleanup_str_ struct rk_str name = RK_STR_INIT;

	RK_TRY(show_transition(&name, ret_exit));
	if (!name.len)
		return NULL;
	if (!values->yes)
		return rk_err(
			RK_ERR_VERDICT,
			"forcing '%s' lets these tasks go on with old and new code mixed, and a patch "
			"that is going keeps its module until reboot; '--yes' does it",
			rk_str_get(&name));
	RK_TRY(rk_livepatch_force(&rk_livepatch_roots, rk_str_get(&name)));
	if (!cli->quiet)
		printf("the transition of '%s' was forced; a patch that was going keeps its module "
		       "until reboot\n",
		       rk_str_get(&name));
	return NULL;
}

static const struct rk_option force_options[] = {
	RK_OPT_FLAG(0, "yes", struct kpatch_values, yes, "do it; without, only tell what it means"),
	RK_OPT_END,
};

const struct rk_verb verb_force = {
	.name = "force",
	.summary = "declare a transition over that does not end",
	.description =
		"The last resort: tasks go on with old and new code mixed, and a patch that was going keeps its\n"
		"module until reboot. kpatch never does it by itself.",
	.options = force_options,
	.values_size = sizeof(struct kpatch_values),
	.run = force,
};
