/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kpatch unload: disable, wait for the transition, remove the module; one patch or all. */
#include <stdio.h>

#include "lib/host/boot.h"
#include "lib/host/guard.h"
#include "tools/common/render.h"
#include "tools/kpatch/kpatch.h"

/* What isn't there is not to blame for what happens. */
static struct rk_err *note_unloaded(const struct rk_cli *cli, const char *name)
{
	_cleanup_place_ struct kpatch_place place = {};

	RK_TRY(kpatch_place_init(cli, &place));
	RK_TRY(rk_guard_unloaded(place.host, name));
	return rk_boot_unloaded(place.host, name);
}

static struct rk_err *unload_one(const struct rk_cli *cli, const char *name)
{
	const struct rk_livepatch_patience patience = kpatch_patience(cli);
	_cleanup_outcome_ struct rk_livepatch_outcome outcome = {};
	struct rk_err *err =
		rk_livepatch_unload(&rk_livepatch_roots, name, &patience, cli->reporter, &outcome);

	kpatch_show_blockers(stderr, &outcome.blockers);
	if (!err)
		kpatch_warn_guard(note_unloaded(cli, name));
	if (!err && !cli->quiet)
		printf("%s is %s\n", name,
		       outcome.state == RK_LIVEPATCH_DISABLED ? "disabled; its module stays"
							      : "unloaded");
	return err;
}

/* One that can't go doesn't keep the others. */
static struct rk_err *unload_all(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	_cleanup_livepatch_list_ struct rk_livepatch_list list = {};
	size_t failed = 0;

	RK_TRY(rk_livepatch_list(&rk_livepatch_roots, &list));
	rk_vec_for_each(&list.list, patch) {
		_cleanup_err_ struct rk_err *err = unload_one(cli, patch->name);

		if (err && rk_err_code(err) == RK_ERR_INTERRUPTED)
			return take_ptr(err);
		if (err)
			rk_render_error(stderr, err);
		failed += err != NULL;
	}
	if (failed)
		return rk_err(RK_ERR_TOOL, "%zu of %zu live patches are still loaded", failed,
			      list.list.nr);
	if (!list.list.nr) {
		if (!cli->quiet)
			printf("no live patch is loaded\n");
		*ret_exit = RK_EXIT_NOTHING;
	}
	return NULL;
}

static struct rk_err *unload(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	const struct kpatch_values *values = cli->values;
	_cleanup_free_ char *name = NULL;
	_cleanup_close_ int lock = -1;
	enum rk_livepatch_state state;

	if (values->all == (cli->nr_operands > 0))
		return rk_err(RK_ERR_INVALID, values->all ? "'--all' takes no operand"
							  : "missing operand: NAME, or '--all'");
	if (!values->all) {
		name = rk_livepatch_module_name(cli->operands[0]);
		if (!name)
			return rk_err_nomem();
		/* before the lock, which only root can take */
		RK_TRY(rk_livepatch_state(&rk_livepatch_roots, name, &state));
		if (state == RK_LIVEPATCH_ABSENT)
			return rk_err(RK_ERR_NOT_FOUND,
				      "no live patch '%s' is loaded; 'kpatch list' shows what is",
				      name);
	}
	RK_TRY(rk_livepatch_lock(&rk_livepatch_roots, &lock));
	return values->all ? unload_all(cli, ret_exit) : unload_one(cli, name);
}

static const struct rk_option options[] = {
	RK_OPT_FLAG(0, "all", struct kpatch_values, all,
		    "unload every live patch; one that can't go doesn't keep the others"),
	KPATCH_OPT_WAIT,
	RK_OPT_END,
};

const struct rk_verb verb_unload = {
	.name = "unload",
	.operands = "NAME",
	.summary = "disable a live patch, wait until no task runs it, remove its module",
	.description =
		"When the transition does not end in time, names the tasks that hold it up; the patch stays enabled.",
	.options = options,
	.values_size = sizeof(struct kpatch_values),
	.max_operands = 1,
	.run = unload,
};
