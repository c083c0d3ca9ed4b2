/* SPDX-License-Identifier: GPL-2.0-or-later */
/* readykernel load, unload, rollback: the levels that are on this disk, without any network. */
#include <inttypes.h>
#include <stdio.h>

#include "lib/host/choose.h"
#include "tools/readykernel/client.h"

/* --- load --- */

struct load_values {
	struct readykernel_common common;
	bool force, no_wait;
};

struct rk_err *readykernel_parse_level(const char *text, uint64_t *ret)
{
	const char *end = text;
	uint64_t level;

	if (text[0] == '0' || !rk_scan_u64(&end, INT64_MAX, &level) || *end)
		return rk_err(RK_ERR_INVALID, "'%s' is no level; 'readykernel patches' lists them",
			      text);
	*ret = level;
	return NULL;
}

static struct rk_err *find_level(struct readykernel *rk, const char *text,
				 const struct rk_patch **ret)
{
	uint64_t level = 0;
	const struct rk_patch *patch;

	RK_TRY(readykernel_parse_level(text, &level));
	patch = rk_patches_find(rk->patches, level);
	if (!patch)
		return rk_err(RK_ERR_VERDICT,
			      "level %" PRIu64
			      " is not installed for kernel %s; 'readykernel patches' lists "
			      "what is, 'readykernel update %" PRIu64 "' fetches it",
			      level, rk->kernel->running.release, level);
	*ret = patch;
	return NULL;
}

/* The best that is installed; when there is none, the reasons are told and the error is what to do. */
static struct rk_err *choose(struct readykernel *rk, const struct rk_patch **ret)
{
	bool any_blocked = false;

	_cleanup_(rk_choice_deinit) struct rk_choice choice = {};
	struct rk_policy policy = readykernel_policy(rk);

	RK_TRY(rk_choose(rk->patches, rk->state, &policy, &choice));
	*ret = choice.patch;
	if (choice.patch)
		return NULL;
	for (size_t i = 0; i < choice.passed.nr; i++) {
		fprintf(stderr, "level %" PRIu64 ": %s\n", rk->patches->list.v[i].level,
			rk_passed_name(choice.passed.v[i]));
		any_blocked |= choice.passed.v[i] == RK_PASSED_BLOCKED_HERE;
	}
	const char *advice = "'readykernel update' fetches one";
	if (rk->state->freeze.kind == RK_FREEZE_LOST)
		advice = "which are blocked or frozen here was lost: 'readykernel freeze off' or "
			 "'freeze LEVEL' says which may be loaded";
	else if (any_blocked)
		advice = "'readykernel load --force LEVEL' tries one that is blocked here again";
	return rk_err(RK_ERR_VERDICT, "no level is installed for kernel %s that may be loaded; %s",
		      rk->kernel->running.release, advice);
}

static struct rk_err *load(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	const struct load_values *values = cli->values;
	_cleanup_readykernel_ struct readykernel rk = READYKERNEL_INIT;
	const struct rk_patch *patch = NULL;

	RK_TRY(readykernel_open(cli, values->common.root, READYKERNEL_CHANGE, &rk));
	if (cli->nr_operands)
		RK_TRY(find_level(&rk, cli->operands[0], &patch));
	else
		RK_TRY(choose(&rk, &patch));
	return readykernel_load_patch(&rk, patch, values->force, !values->no_wait, ret_exit);
}

static const struct rk_option load_options[] = {
	RK_OPT_FLAG('f', "force", struct load_values, force,
		    "also a level that is blocked on this host, because it went down with it"),
	RK_OPT_FLAG(0, "no-wait", struct load_values, no_wait,
		    "do not watch the loaded level for its quiet time; 'readykernel confirm' does"),
	READYKERNEL_OPT_ROOT(struct load_values, common.root),
	RK_OPT_END,
};

const struct rk_verb readykernel_load = {
	.name = "load",
	.operands = "[LEVEL]",
	.summary = "load an installed level, the best one unless it is named",
	.options = load_options,
	.values_size = sizeof(struct load_values),
	.max_operands = 1,
	.run = load,
};

/* --- unload --- */

struct unload_values {
	struct readykernel_common common;
	bool all;
};

static struct rk_err *unload(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	const struct unload_values *values = cli->values;
	_cleanup_readykernel_ struct readykernel rk = READYKERNEL_INIT;

	RK_TRY(readykernel_open(cli, values->common.root, READYKERNEL_UNLOAD, &rk));
	return readykernel_unload_patch(&rk, values->all, ret_exit);
}

static const struct rk_option unload_options[] = {
	RK_OPT_FLAG(0, "all", struct unload_values, all, "live patches of others, too"),
	READYKERNEL_OPT_ROOT(struct unload_values, common.root),
	RK_OPT_END,
};

const struct rk_verb readykernel_unload = {
	.name = "unload",
	.summary =
		"take the loaded level out of the kernel; the next boot or update loads one again",
	.options = unload_options,
	.values_size = sizeof(struct unload_values),
	.run = unload,
};

/* --- rollback --- */

/* The newest level below that was good here and that nobody blocked since. */
static const struct rk_patch *last_good(struct readykernel *rk, const struct rk_patch *loaded)
{
	struct rk_policy policy = readykernel_policy(rk);
	const char *build_id = loaded->build_id;
	const struct rk_patch *best = NULL;

	rk_vec_for_each(&rk->patches->list, patch) {
		enum rk_verdict verdict = rk_host_state_verdict(rk->state, build_id, patch->level);
		enum rk_passed passed = policy.judge(policy.ctx, build_id, patch->level);

		if (patch->level < loaded->level && verdict == RK_VERDICT_GOOD &&
		    passed != RK_PASSED_BLOCKED_BY_VENDOR && passed != RK_PASSED_WITHDRAWN)
			best = patch;
	}
	return best;
}

static struct rk_err *block(struct readykernel *rk, const struct rk_patch *left)
{
	RK_TRY(rk_host_state_block(rk->state, left->build_id, left->level, RK_CODE_ROLLED_BACK,
				   "this host was rolled back from it", rk_host_time(rk->host)));
	return rk_host_state_write(rk->host, rk->state);
}

static struct rk_err *rollback(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	const struct load_values *values = cli->values;
	_cleanup_readykernel_ struct readykernel rk = READYKERNEL_INIT;
	const struct rk_patch *loaded = NULL, *to;
	enum rk_livepatch_state state;

	RK_TRY(readykernel_open(cli, values->common.root, READYKERNEL_CHANGE, &rk));
	RK_TRY(rk_apply_loaded(rk.host, rk.patches, &rk.arena, &loaded, &state, NULL));
	if (!loaded)
		return rk_err(RK_ERR_VERDICT, "no level is loaded that could be rolled back");
	to = last_good(&rk, loaded);
	if (cli->nr_operands)
		RK_TRY(find_level(&rk, cli->operands[0], &to));
	if (!to)
		return rk_err(
			RK_ERR_VERDICT,
			"no older level was good on this host; 'readykernel unload' takes level "
			"%" PRIu64 " out",
			loaded->level);
	if (to->level >= loaded->level)
		return rk_err(RK_ERR_INVALID,
			      "level %" PRIu64 " is not older than level %" PRIu64
			      ", which is loaded",
			      to->level, loaded->level);
	/* not left for one that can't come: with both blocked the next boot would have nothing */
	RK_TRY(readykernel_check_patch(&rk, to));
	/* whatever happens from here on, it must not come back by itself */
	RK_TRY(block(&rk, loaded));
	return readykernel_load_patch(&rk, to, false, !values->no_wait, ret_exit);
}

static const struct rk_option rollback_options[] = {
	RK_OPT_FLAG(0, "no-wait", struct load_values, no_wait,
		    "do not watch the loaded level for its quiet time; 'readykernel confirm' does"),
	READYKERNEL_OPT_ROOT(struct load_values, common.root),
	RK_OPT_END,
};

const struct rk_verb readykernel_rollback = {
	.name = "rollback",
	.operands = "[LEVEL]",
	.summary = "go back to the last level that was good, and block the one that is left",
	.description =
		"The blocked level is not loaded again until 'load --force'; a newer one is.",
	.options = rollback_options,
	.values_size = sizeof(struct load_values),
	.max_operands = 1,
	.run = rollback,
};
