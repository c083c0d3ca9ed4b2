/* SPDX-License-Identifier: GPL-2.0-or-later */
/* readykernel-repo block, withdraw, minimum: what the next timestamp tells every host about levels. */
#include <stdio.h>

#include "lib/base/str.h"
#include "tools/readykernel-repo/readykernel-repo.h"

struct notice_values {
	const char *repo, *reason, *to;
	struct rk_strings kernels;
	bool all_kernels, undo;
};

/* What a verb does: sets or removes the notice of a level in one of the lists, for each of the kernels. */
struct change {
	const struct notice_values *v;
	struct rk_repo_kernels kernels;
	uint64_t level, to;
};

static void change_deinit(struct change *change)
{
	rk_repo_kernels_deinit(&change->kernels);
}

static struct rk_err *need_level(const struct rk_repo *repo, const char *build_id, uint64_t level)
{
	_cleanup_release_ struct rk_release *release = NULL;

	return rk_repo_find_level(repo, build_id, level, &release);
}

/* A level that isn't there would be a typing error that looks like a success. What is to be taken back may be one. */
static struct rk_err *add_named(const struct rk_repo *repo, const char *text, struct change *change)
{
	struct rk_repo_kernel kernel = {};

	RK_TRY(rk_repo_find_kernel(repo, text, kernel.build_id));
	if (!change->v->undo)
		RK_TRY(need_level(repo, kernel.build_id, change->level));
	if (change->to)
		RK_TRY(need_level(repo, kernel.build_id, change->to));
	return rk_vec_push(&change->kernels, kernel) ? NULL : rk_err_nomem();
}

/* Those that have the level; to take something back, simply all. */
static struct rk_err *add_all(const struct rk_repo *repo, struct change *change)
{
	size_t kept = 0;

	RK_TRY(rk_repo_kernels(repo, &change->kernels));
	rk_vec_for_each(&change->kernels, kernel) {
		struct rk_err *err = NULL;

		if (!change->v->undo)
			err = need_level(repo, kernel->build_id, change->level);
		if (err && rk_err_code(err) == RK_ERR_NOT_FOUND) {
			rk_err_free(err);
			continue;
		}
		if (err)
			return err;
		if (change->to)
			RK_TRY(need_level(repo, kernel->build_id, change->to));
		change->kernels.v[kept++] = *kernel;
	}
	change->kernels.nr = kept;
	if (!kept)
		return rk_err(RK_ERR_NOT_FOUND, "no kernel has a level %llu",
			      (unsigned long long)change->level);
	return NULL;
}

static struct rk_err *read_change(const struct rk_cli *cli, struct rk_repo **ret_repo,
				  struct change *change)
{
	const struct notice_values *v = change->v;

	RK_TRY(repo_parse_level(cli->operands[0], &change->level));
	if (v->to)
		RK_TRY(repo_parse_level(v->to, &change->to));
	if (v->all_kernels && v->kernels.nr)
		return rk_err(RK_ERR_INVALID, "'--kernel' and '--all-kernels' exclude each other");
	RK_TRY(repo_open(v->repo, RK_REPO_WRITE, ret_repo));
	if (v->all_kernels)
		return add_all(*ret_repo, change);
	if (!v->kernels.nr)
		return add_named(*ret_repo, NULL, change);
	for (size_t i = 0; i < v->kernels.nr; i++)
		RK_TRY(add_named(*ret_repo, v->kernels.v[i], change));
	return NULL;
}

/* At most one for a level; of minimum at most one for a kernel. */
static void remove_notice(struct rk_notices *notices, const char *build_id, uint64_t level,
			  bool any_level, bool *ret_removed)
{
	size_t kept = 0;

	for (size_t i = 0; i < notices->nr; i++) {
		const struct rk_notice *notice = &notices->v[i];

		if (rk_streq(notice->build_id, build_id) && (any_level || notice->level == level))
			*ret_removed = true;
		else
			notices->v[kept++] = *notice;
	}
	notices->nr = kept;
}

static struct rk_err *change_list(const struct rk_cli *cli, struct rk_repo *repo,
				  struct rk_timestamp *all, struct rk_notices *notices,
				  struct change *change, enum rk_exit *ret_exit)
{
	bool undo = change->v->undo;
	size_t kept = 0;

	rk_vec_for_each(&change->kernels, kernel) {
		const struct rk_notice notice = {kernel->build_id, change->level, change->to,
						 change->v->reason};
		bool had = false;

		remove_notice(notices, kernel->build_id, change->level,
			      !undo && notices == &all->minimum, &had);
		if (!undo && !rk_vec_push(notices, notice))
			return rk_err_nomem();
		if (!undo || had)
			change->kernels.v[kept++] = *kernel;
	}
	change->kernels.nr = kept;
	if (!kept) {
		if (!cli->quiet)
			printf("nothing was said of level %llu\n",
			       (unsigned long long)change->level);
		*ret_exit = RK_EXIT_NOTHING;
		return NULL;
	}
	RK_TRY(rk_repo_set_notices(repo, all));
	if (cli->quiet)
		return NULL;
	rk_vec_for_each(&change->kernels, kernel)
		printf("%s%s: level %llu of %.16s…\n", cli->verb->name, undo ? " --undo" : "",
		       (unsigned long long)change->level, kernel->build_id);
	printf("the next timestamp will say so: readykernel-repo sign --key FILE\n");
	return NULL;
}

static struct rk_err *need_reason(const struct notice_values *v)
{
	if (v->reason || v->undo)
		return NULL;
	return rk_err(RK_ERR_INVALID,
		      "missing option '--reason': every host shows it to its administrator");
}

#define COMMON_OPTIONS                                                                                                         \
	REPO_OPTION(struct notice_values),                                                                                     \
		RK_OPT_LIST(                                                                                                   \
			0, "kernel", struct notice_values, kernels, "KERNEL",                                                  \
			"a build-id, the beginning of one, or a release (again for more); not needed when there is only one"), \
		RK_OPT_FLAG(0, "all-kernels", struct notice_values, all_kernels,                                               \
			    "all kernels that have the level"),                                                                \
		RK_OPT_FLAG(0, "undo", struct notice_values, undo, "take it back")
#define REASON_OPTION                                                 \
	RK_OPT_STR(0, "reason", struct notice_values, reason, "TEXT", \
		   "what administrators are told")

static const struct rk_option block_options[] = {COMMON_OPTIONS, REASON_OPTION, RK_OPT_END};
static const struct rk_option withdraw_options[] = {
	COMMON_OPTIONS, REASON_OPTION,
	RK_OPT_STR(0, "to", struct notice_values, to, "LEVEL",
		   "the level that hosts go back to (none: the patch is unloaded)"),
	RK_OPT_END};
static const struct rk_option minimum_options[] = {COMMON_OPTIONS, RK_OPT_END};

static struct rk_err *run(const struct rk_cli *cli, size_t list, enum rk_exit *ret_exit)
{
	_cleanup_repo_ struct rk_repo *repo = NULL;
	_cleanup_timestamp_ struct rk_timestamp *all = NULL;
	_cleanup_(change_deinit) struct change change = {.v = cli->values};

	RK_TRY(read_change(cli, &repo, &change));
	if (change.to >= change.level)
		return rk_err(RK_ERR_INVALID, "'--to' must be a level below %llu",
			      (unsigned long long)change.level);
	RK_TRY(rk_repo_notices(repo, &all));
	return change_list(cli, repo, all, (struct rk_notices *)((char *)all + list), &change,
			   ret_exit);
}

static struct rk_err *block(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	RK_TRY(need_reason(cli->values));
	return run(cli, offsetof(struct rk_timestamp, blocked), ret_exit);
}

static struct rk_err *withdraw(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	RK_TRY(need_reason(cli->values));
	return run(cli, offsetof(struct rk_timestamp, withdrawn), ret_exit);
}

static struct rk_err *minimum(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	return run(cli, offsetof(struct rk_timestamp, minimum), ret_exit);
}

const struct rk_verb verb_block = {
	.name = "block",
	.operands = "LEVEL",
	.summary = "tell all hosts not to load a level",
	.options = block_options,
	.values_size = sizeof(struct notice_values),
	.min_operands = 1,
	.max_operands = 1,
	.run = block,
};

const struct rk_verb verb_withdraw = {
	.name = "withdraw",
	.operands = "LEVEL",
	.summary = "tell hosts that have a level to go back to a lower one",
	.options = withdraw_options,
	.values_size = sizeof(struct notice_values),
	.min_operands = 1,
	.max_operands = 1,
	.run = withdraw,
};

const struct rk_verb verb_minimum = {
	.name = "minimum",
	.operands = "LEVEL",
	.summary = "tell all hosts to load no level below this one",
	.options = minimum_options,
	.values_size = sizeof(struct notice_values),
	.min_operands = 1,
	.max_operands = 1,
	.run = minimum,
};
