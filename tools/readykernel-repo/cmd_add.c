/* SPDX-License-Identifier: GPL-2.0-or-later */
/* readykernel-repo add, promote: how a level comes into a channel. */
#include <stdio.h>

#include "tools/common/render.h"
#include "tools/readykernel-repo/readykernel-repo.h"

struct add_values {
	const char *repo, *evidence, *without_evidence, *channel, *product, *arch, *covered_until;
};

static const struct rk_option add_options[] = {
	REPO_OPTION(struct add_values),
	RK_OPT_STR(0, "evidence", struct add_values, evidence, "FILE",
		   "evidence.json that kpatch-test wrote for exactly this module"),
	RK_OPT_STR(0, "without-evidence", struct add_values, without_evidence, "REASON",
		   "publish it untested; REASON is written into the release"),
	RK_OPT_CHOICE(0, "channel", struct add_values, channel, "test|early|stable",
		      "the channel it comes into (test)"),
	RK_OPT_STR(0, "product", struct add_values, product, "NAME",
		   "what the kernel belongs to (the repository's product)"),
	RK_OPT_STR(0, "arch", struct add_values, arch, "ARCH", "the kernel's uname -m (x86_64)"),
	RK_OPT_STR(0, "covered-until", struct add_values, covered_until, "DATE",
		   "until when this kernel gets patches"),
	RK_OPT_END,
};

static struct rk_err *add(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	const struct add_values *v = cli->values;
	_cleanup_repo_ struct rk_repo *repo = NULL;
	struct rk_repo_addition addition = {
		.evidence = v->evidence,
		.without_evidence = v->without_evidence,
		.module = cli->operands[0],
		.product = v->product,
		.arch = v->arch,
		.channel = RK_CHANNEL_TEST,
		.now = repo_now(),
	};
	struct rk_repo_added added;

	if (v->channel)
		RK_TRY(rk_channel_parse(v->channel, &addition.channel));
	RK_TRY(repo_parse_time(v->covered_until, &addition.covered_until));
	RK_TRY(repo_open(v->repo, RK_REPO_WRITE, &repo));
	RK_TRY(rk_repo_add(repo, &addition, &added));
	if (!cli->quiet)
		printf("level %llu of %.16s… (%llu fixes, %llu CVEs more) is in the draft of %s\n",
		       (unsigned long long)added.level, added.build_id,
		       (unsigned long long)added.fixes, (unsigned long long)added.cves_added,
		       rk_channel_name(addition.channel));
	return NULL;
}

const struct rk_verb verb_add = {
	.name = "add",
	.operands = "MODULE",
	.summary = "take a patch module and its evidence into the repository",
	.description =
		"Refused unless the module's manifest names its kernel, and the evidence says that exactly this file passed its test\n"
		"on exactly that kernel. Hosts see it when the release is signed and a timestamp speaks of it.",
	.options = add_options,
	.values_size = sizeof(struct add_values),
	.min_operands = 1,
	.max_operands = 1,
	.run = add,
};

struct promote_values {
	const char *repo, *kernel;
};

static const struct rk_option promote_options[] = {
	REPO_OPTION(struct promote_values),
	KERNEL_OPTION(struct promote_values),
	RK_OPT_END,
};

/* What is blocked in one channel is blocked in all. */
static struct rk_err *warn_of_notice(const struct rk_repo *repo, const char *build_id,
				     uint64_t level)
{
	_cleanup_timestamp_ struct rk_timestamp *notices = NULL;
	enum rk_level_state state;

	RK_TRY(rk_repo_notices(repo, &notices));
	state = rk_timestamp_level_state(notices, build_id, level, NULL);
	if (state != RK_LEVEL_GOOD)
		rk_render_warning(stderr, "level %llu is %s; no host will load it",
				  (unsigned long long)level, rk_level_state_name(state));
	return NULL;
}

static struct rk_err *promote(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	const struct promote_values *v = cli->values;
	_cleanup_repo_ struct rk_repo *repo = NULL;
	char build_id[RK_BUILD_ID_LEN_MAX + 1];
	enum rk_channel channel;
	uint64_t level;
	bool added;

	RK_TRY(repo_parse_level(cli->operands[0], &level));
	RK_TRY(rk_channel_parse(cli->operands[1], &channel));
	RK_TRY(repo_open(v->repo, RK_REPO_WRITE, &repo));
	RK_TRY(rk_repo_find_kernel(repo, v->kernel, build_id));
	RK_TRY(rk_repo_promote(repo, build_id, level, channel, repo_now(), &added));
	if (!added)
		*ret_exit = RK_EXIT_NOTHING;
	if (!cli->quiet)
		printf("level %llu of %.16s… is in %s%s\n", (unsigned long long)level, build_id,
		       added ? "the draft of " : "", rk_channel_name(channel));
	return warn_of_notice(repo, build_id, level);
}

const struct rk_verb verb_promote = {
	.name = "promote",
	.operands = "LEVEL CHANNEL",
	.summary = "take a level of a kernel into another channel, too",
	.options = promote_options,
	.values_size = sizeof(struct promote_values),
	.min_operands = 2,
	.max_operands = 2,
	.run = promote,
};
