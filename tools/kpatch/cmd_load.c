/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kpatch load and replace: plan, check, insert, wait for the transition. A load that doesn't end is reversed: a patch is either there or
 * not when kpatch returns.
 */
#include <stdio.h>

#include "lib/base/fs.h"
#include "lib/host/guard.h"
#include "lib/host/kernel.h"
#include "tools/common/render.h"
#include "tools/kpatch/kpatch.h"

/* What a call of load works with, for each of its patches. */
struct loading {
	const struct rk_cli *cli;
	const struct kpatch_values *values;
	const struct kpatch_place *place;
	struct rk_running running;
	struct rk_guard *guard; /* of load --all; else NULL: by name it is a command to try it */
	bool replace;
};

static void show_outcome(const struct rk_cli *cli, const char *name,
			 const struct rk_livepatch_outcome *outcome, bool done)
{
	kpatch_show_blockers(stderr, &outcome->blockers);
	if (outcome->restored)
		fprintf(stderr, "what was loaded before is loaded again\n");
	if (!done || cli->quiet)
		return;
	if (cli->verbose)
		printf("%-8s insert %.3f s, transition %.3f s\n", "time", outcome->insert_s,
		       outcome->transition_s);
	printf("%s is loaded\n", name);
}

static struct rk_err *check(const struct loading *l, const char *path,
			    const struct rk_module_info *info, const struct rk_livepatch_plan *plan)
{
	_cleanup_checks_ struct rk_checks checks = {};

	RK_TRY(rk_livepatch_check(&l->place->roots, path, info, &l->running, plan, &checks));
	kpatch_show_checks(l->cli, &checks);
	return rk_checks_error(&checks);
}

/* Where nothing can be planned (no live patching), a file that isn't for this kernel is still refused for what it is. */
static struct rk_err *plan_and_check(const struct loading *l, const char *path,
				     const struct rk_module_info *info,
				     struct rk_livepatch_plan *plan)
{
	const struct rk_livepatch_plan none = {.way = RK_LIVEPATCH_NOTHING};
	struct rk_err *err =
		rk_livepatch_plan(&l->place->roots, &l->running, info, l->replace, plan);

	if (err) {
		struct rk_err *second = check(l, path, info, &none);

		rk_err_free(second ? err : NULL);
		return second ? second : err;
	}
	RK_TRY(check(l, path, info, plan));
	if (!l->cli->quiet)
		printf("%-8s %s\n", rk_livepatch_way_name(plan->way), plan->reason);
	return NULL;
}

/* Whether this host went down with it. */
static struct rk_err *check_guard(const struct loading *l, const struct rk_module_info *info)
{
	const char *build_id = l->running.build_id;

	if (!l->guard)
		return NULL;
	RK_TRY(rk_guard_check(l->guard, info->name, info->sha256));
	if (!build_id || !rk_livepatch_is_cumulative(info->manifest))
		return NULL;
	return rk_guard_check_level(l->place->host, build_id, info->manifest->level);
}

/* By command: it may be loaded at boot again, and what it took the place of is gone. */
static struct rk_err *note_loaded(const struct loading *l, const char *name,
				  const struct rk_livepatch_plan *plan)
{
	const struct rk_host *host = l->place->host;

	RK_TRY(rk_guard_retry(host, name));
	if (plan->way != RK_LIVEPATCH_REPLACE && plan->way != RK_LIVEPATCH_CHANGE)
		return NULL;
	rk_vec_for_each(&plan->enabled, it)
		RK_TRY(rk_guard_unloaded(host, it->name));
	return NULL;
}

/* Before and after the kernel gets it, for the boot that finds what came of it. */
static struct rk_err *apply(const struct loading *l, const char *path,
			    const struct rk_module_info *info, const struct rk_livepatch_plan *plan)
{
	const struct rk_livepatch_patience patience = kpatch_patience(l->cli);
	_cleanup_outcome_ struct rk_livepatch_outcome outcome = {};
	struct rk_err *err, *second;

	if (l->values->boot)
		RK_TRY(rk_guard_begin(l->place->host, l->guard, info->name, info->sha256));
	err = rk_livepatch_apply(&l->place->roots, path, info, plan, &patience, l->cli->reporter,
				 &outcome);
	show_outcome(l->cli, info->name, &outcome, !err);
	if (l->values->boot) {
		bool loaded = !err || outcome.state != RK_LIVEPATCH_ABSENT;

		second = rk_guard_end(l->guard, info->name, info->sha256, loaded);
	} else {
		second = err ? NULL : note_loaded(l, info->name, plan);
	}
	kpatch_warn_guard(second);
	return err;
}

static struct rk_err *load_file(const struct loading *l, const char *path, enum rk_exit *ret_exit)
{
	_cleanup_module_info_ struct rk_module_info *info = NULL;
	_cleanup_plan_ struct rk_livepatch_plan plan = {};

	RK_TRY(rk_module_info_read(path, &info));
	RK_TRY(check_guard(l, info));
	RK_TRY(plan_and_check(l, path, info, &plan));
	if (plan.way == RK_LIVEPATCH_NOTHING) {
		fprintf(stderr, "'%s' is already loaded\n", info->name);
		*ret_exit = RK_EXIT_NOTHING;
		return NULL;
	}
	if (l->values->check_only)
		return NULL;
	rk_cli_flush(l->cli);
	return apply(l, path, info, &plan);
}

/* --- all that is installed --- */

/* One that fails doesn't keep the others from being loaded. */
static void tell_failed(const char *name, struct rk_err *err, size_t *failed)
{
	_cleanup_err_ struct rk_err *mine =
		rk_err(rk_err_code(err), "%s: %s", name, rk_err_message(err));

	rk_render_error(stderr, mine);
	rk_err_free(err);
	(*failed)++;
}

static struct rk_err *load_installed(const struct loading *l, const struct rk_installed *it,
				     enum rk_exit *ret_exit)
{
	if (it->error)
		return rk_err(rk_err_code(it->error), "%s", rk_err_message(it->error));
	if (!l->cli->quiet)
		printf("%s:\n", it->name);
	return load_file(l, it->path, ret_exit);
}

static struct rk_err *load_list(const struct loading *l, const struct rk_installed_list *list,
				const struct rk_installed *const *order, enum rk_exit *ret_exit)
{
	size_t failed = 0, loaded = 0;
	bool has_cumulative = false;

	for (size_t i = 0; i < list->list.nr; i++) {
		bool cumulative = order[i]->is_cumulative;
		enum rk_exit exit = RK_EXIT_DONE;
		struct rk_err *err;

		/* one is enough: it has all that the lesser ones have */
		if (cumulative && has_cumulative)
			continue;
		err = load_installed(l, order[i], &exit);
		if (err && rk_err_code(err) == RK_ERR_INTERRUPTED)
			return err;
		if (err)
			tell_failed(order[i]->name, err, &failed);
		else
			loaded += exit == RK_EXIT_DONE;
		has_cumulative |= cumulative && !err;
	}
	if (failed)
		return rk_err(RK_ERR_TOOL, "%zu of the installed patches could not be loaded",
			      failed);
	if (!loaded)
		*ret_exit = RK_EXIT_NOTHING;
	return NULL;
}

static struct rk_err *load_all(const struct loading *l, enum rk_exit *ret_exit)
{
	_cleanup_installed_ struct rk_installed_list list = {};
	_cleanup_free_ const struct rk_installed **order = NULL;

	RK_TRY(rk_installed_list(&l->place->roots, l->running.release, &list));
	RK_TRY(rk_installed_order(&list, &order));
	if (!list.list.nr && !l->cli->quiet)
		printf("no patch is installed for kernel %s\n", l->running.release);
	return load_list(l, &list, order, ret_exit);
}

/* --- the verbs --- */

/* The administrator's ways out when a patch keeps the machine from coming up: one for all live patches, and readykernel's. */
static struct rk_err *is_off_at_boot(const struct kpatch_place *place, bool *ret)
{
	enum rk_switch off = RK_SWITCH_ON;

	RK_TRY(rk_switch_read(place->roots.proc, place->host->disable_file, &off));
	*ret = off != RK_SWITCH_ON;
	if (off == RK_SWITCH_DISABLED)
		fprintf(stderr, "nothing is loaded: '%s' is there\n", place->host->disable_file);
	else if (*ret)
		fprintf(stderr, "nothing is loaded: '%s%s' is on the kernel's command line\n",
			off == RK_SWITCH_NO_KPATCH ? "" : "readykernel=", rk_switch_name(off));
	return NULL;
}

static struct rk_err *check_usage(const struct rk_cli *cli, const struct kpatch_place *place)
{
	const struct kpatch_values *values = cli->values;

	if (values->all == (cli->nr_operands > 0))
		return rk_err(RK_ERR_INVALID, values->all
						      ? "'--all' takes no operand"
						      : "missing operand: FILE|NAME, or '--all'");
	if (values->boot && !values->all)
		return rk_err(RK_ERR_INVALID, "'--boot' goes with '--all'");
	if (!place->is_host && !values->check_only)
		return rk_err(RK_ERR_INVALID,
			      "'--root' goes with '--check': only this kernel can be patched");
	return NULL;
}

static struct rk_err *run(struct loading *l, enum rk_exit *ret_exit)
{
	_cleanup_close_ int lock = -1;
	_cleanup_free_ char *path = NULL;
	bool off = false;

	if (l->values->boot)
		RK_TRY(is_off_at_boot(l->place, &off));
	if (off) {
		*ret_exit = RK_EXIT_NOTHING;
		return NULL;
	}
	if (!l->values->all)
		RK_TRY(kpatch_find_file(l->place, l->running.release, l->cli->operands[0], &path));
	if (!l->values->check_only)
		RK_TRY(rk_livepatch_lock(&l->place->roots, &lock));
	if (l->values->all)
		RK_TRY(rk_guard_open(l->place->host, l->values->boot && !l->values->check_only,
				     &l->guard));
	return l->values->all ? load_all(l, ret_exit) : load_file(l, path, ret_exit);
}

static struct rk_err *begin(const struct rk_cli *cli, bool replace, enum rk_exit *ret_exit)
{
	_cleanup_place_ struct kpatch_place place = {};
	struct loading l = {.cli = cli, .values = cli->values, .place = &place, .replace = replace};
	struct rk_err *err;

	RK_TRY(kpatch_place_init(cli, &place));
	RK_TRY(check_usage(cli, &place));
	RK_TRY(rk_running_read(&place.roots, &l.running));
	err = run(&l, ret_exit);
	rk_guard_free(l.guard);
	rk_running_deinit(&l.running);
	return err;
}

static struct rk_err *load(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	return begin(cli, false, ret_exit);
}

static struct rk_err *replace(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	return begin(cli, true, ret_exit);
}

static const struct rk_option load_options[] = {
	RK_OPT_FLAG(
		0, "all", struct kpatch_values, all,
		"load what is installed for this kernel: the greatest cumulative patch, then the "
		"others; one that fails doesn't stop the rest"),
	RK_OPT_FLAG(
		0, "boot", struct kpatch_values, boot,
		"with --all: load nothing when the kernel's command line or /etc/readykernel/disable forbids it"),
	RK_OPT_FLAG(0, "check", struct kpatch_values, check_only, "only make the checks"),
	KPATCH_OPT_WAIT,
	KPATCH_OPT_ROOT,
	RK_OPT_END,
};

const struct rk_verb verb_load = {
	.name = "load",
	.operands = "FILE|NAME",
	.summary = "load a live patch and wait until every task runs it",
	.description =
		"Checks first: is the patch for this kernel and its modules, does the kernel take it, who else uses\n"
		"the functions it replaces, which tasks are in them. Errors stop, warnings are told. When the\n"
		"transition does not end in time, names the tasks that hold it up and takes the patch back.",
	.options = load_options,
	.values_size = sizeof(struct kpatch_values),
	.max_operands = 1,
	.run = load,
};

/* --- the end of a boot --- */

static struct rk_err *stopped(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	_cleanup_place_ struct kpatch_place place = {};

	(void)ret_exit;
	RK_TRY(kpatch_place_init(cli, &place));
	return rk_guard_stopped(place.host);
}

static const struct rk_option shutdown_options[] = {KPATCH_OPT_ROOT, RK_OPT_END};

const struct rk_verb verb_shutdown = {
	.name = "shutdown",
	.summary = "for the unit at shutdown: the host goes down in order, no patch is to blame",
	.options = shutdown_options,
	.values_size = sizeof(struct kpatch_values),
	.run = stopped,
};

static const struct rk_option replace_options[] = {
	RK_OPT_FLAG(0, "check", struct kpatch_values, check_only, "only make the checks"),
	KPATCH_OPT_WAIT,
	KPATCH_OPT_ROOT,
	RK_OPT_END,
};

const struct rk_verb verb_replace = {
	.name = "replace",
	.operands = "FILE|NAME",
	.summary = "load a live patch in the place of all that are loaded",
	.description =
		"A cumulative patch of a greater level takes the place of lesser ones atomically. Otherwise what is\n"
		"loaded is disabled first, and loaded again when the new patch fails.",
	.options = replace_options,
	.values_size = sizeof(struct kpatch_values),
	.min_operands = 1,
	.max_operands = 1,
	.run = replace,
};
