/* SPDX-License-Identifier: GPL-2.0-or-later */
/* readykernel-repo init: a new repository, with a first root to be signed. */
#include <stdio.h>

#include "lib/base/utc.h"
#include "tools/readykernel-repo/readykernel-repo.h"
#include "tools/readykernel-repo/roles.h"

struct init_values {
	const char *product;
	struct rk_strings root, timestamp, release, licence;
	unsigned int root_threshold, release_threshold, days;
};

static const struct rk_option init_options[] = {
	RK_OPT_STR(0, "product", struct init_values, product, "NAME",
		   "what kernels it is for: debian-12"),
	RK_OPT_GROUP("who may sign (public keys, each again for more)"),
	RK_OPT_LIST(0, "root", struct init_values, root, "FILE", "the root: all the other keys"),
	RK_OPT_LIST(0, "release", struct init_values, release, "FILE", "releases, in all channels"),
	RK_OPT_LIST(0, "timestamp", struct init_values, timestamp, "FILE", "timestamps"),
	RK_OPT_LIST(0, "licence", struct init_values, licence, "FILE", "licences"),
	RK_OPT_UINT(0, "root-threshold", struct init_values, root_threshold, "N",
		    "how many must sign a root (2)"),
	RK_OPT_UINT(0, "release-threshold", struct init_values, release_threshold, "N",
		    "how many must sign a release of channel stable (2); the others need 1"),
	RK_OPT_UINT(0, "days", struct init_values, days, "N", "how long the root is valid (365)"),
	RK_OPT_END,
};

static struct rk_err *add_all(struct repo_roles *roles, struct rk_root *root,
			      enum rk_role_kind role, const char *option,
			      const struct rk_strings *paths, unsigned int threshold)
{
	if (!paths->nr)
		return rk_err(RK_ERR_INVALID, "no key may sign for '%s': missing option '--%s'",
			      rk_role_name(role), option);
	roles->v[role].threshold = threshold;
	for (size_t i = 0; i < paths->nr; i++)
		RK_TRY(repo_roles_add(roles, root, role, paths->v[i]));
	return NULL;
}

static struct rk_err *set_roles(const struct init_values *v, struct rk_root *root)
{
	_cleanup_repo_roles_ struct repo_roles roles = {};
	unsigned int stable = v->release_threshold ? v->release_threshold : 2;

	RK_TRY(add_all(&roles, root, RK_ROLE_ROOT, "root", &v->root,
		       v->root_threshold ? v->root_threshold : 2));
	RK_TRY(add_all(&roles, root, RK_ROLE_TIMESTAMP, "timestamp", &v->timestamp, 1));
	RK_TRY(add_all(&roles, root, RK_ROLE_LICENCE, "licence", &v->licence, 1));
	for (size_t i = 0; i < RK_CHANNELS; i++)
		RK_TRY(add_all(&roles, root, rk_role_of_channel((enum rk_channel)i), "release",
			       &v->release, i == RK_CHANNEL_STABLE ? stable : 1));
	return repo_roles_apply(&roles, root);
}

static struct rk_err *init(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	const struct init_values *v = cli->values;
	_cleanup_root_ struct rk_root *root = NULL;

	if (!v->product)
		return rk_err(RK_ERR_INVALID, "missing option '--product'");
	RK_TRY(rk_root_create(&root));
	root->version = 1;
	root->issued = repo_now();
	root->expires = root->issued + (v->days ? v->days : RK_ROOT_DAYS) * RK_DAY_SECONDS;
	RK_TRY(set_roles(v, root));
	RK_TRY(rk_repo_init(cli->operands[0], v->product, root));
	if (!cli->quiet)
		printf("%s is made; its root needs %u signatures: "
		       "readykernel-repo sign --repo %s --key FILE\n",
		       cli->operands[0], root->roles[RK_ROLE_ROOT].threshold, cli->operands[0]);
	return NULL;
}

const struct rk_verb verb_init = {
	.name = "init",
	.operands = "DIR",
	.summary = "make a repository",
	.description =
		"DIR becomes what a web server serves. The root, which says who may sign what, has to be signed before anything\n"
		"else: by its holders one after another, with 'readykernel-repo sign'.",
	.options = init_options,
	.values_size = sizeof(struct init_values),
	.min_operands = 1,
	.max_operands = 1,
	.run = init,
};
