/* SPDX-License-Identifier: GPL-2.0-or-later */
/* readykernel-repo sign: adds signatures to what waits for them; complete drafts are published, and with the timestamp's key hosts are told. */
#include <stdio.h>

#include "lib/base/utc.h"
#include "tools/common/render.h"
#include "tools/readykernel-repo/readykernel-repo.h"

struct sign_values {
	const char *repo, *days;
	struct rk_strings keys;
};

static const struct rk_option sign_options[] = {
	REPO_OPTION(struct sign_values),
	RK_OPT_LIST('k', "key", struct sign_values, keys, "FILE", "a private key (again for more)"),
	RK_OPT_STR(0, "days", struct sign_values, days, "N",
		   "how long the timestamp is valid, 1 to 30 (7)"),
	RK_OPT_END,
};

static void show(const struct rk_repo_signed *done, bool *ret_any)
{
	rk_vec_for_each(&done->drafts, draft) {
		if (draft->is_published)
			printf("%s is published\n", draft->name);
		else
			printf("%s has %u of %u signatures\n", draft->name, draft->have,
			       draft->need);
		*ret_any |= draft->was_signed;
	}
	if (done->timestamp)
		printf("timestamp %llu is published\n", (unsigned long long)done->timestamp);
	*ret_any |= done->timestamp != 0;
}

static void warn_of_root(const struct rk_repo *repo, int64_t now)
{
	const struct rk_root *root = rk_repo_root(repo);
	char text[RK_UTC_TEXT_SIZE];

	if (root && now >= root->expires)
		rk_render_warning(stderr,
				  "root %llu expired on %s, and hosts take nothing more; make the "
				  "next: readykernel-repo key rotate",
				  (unsigned long long)root->version,
				  rk_utc_format(root->expires, text));
}

static struct rk_err *sign(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	const struct sign_values *v = cli->values;
	_cleanup_repo_ struct rk_repo *repo = NULL;
	_cleanup_repo_keys_ struct repo_keys keys = {};
	_cleanup_repo_signed_ struct rk_repo_signed done = {};
	unsigned int days;
	bool any = false;

	RK_TRY(repo_parse_days(v->days, RK_TIMESTAMP_DAYS, RK_TIMESTAMP_DAYS_MAX, &days));
	RK_TRY(repo_read_keys(&v->keys, &keys));
	RK_TRY(repo_open(v->repo, RK_REPO_WRITE, &repo));
	const struct rk_repo_signing signing = {
		.keys = (const struct rk_private_key *const *)keys.v,
		.nr_keys = keys.nr,
		.timestamp_days = days,
		.now = repo_now(),
	};
	RK_TRY(rk_repo_sign(repo, &signing, &done));
	show(&done, &any);
	warn_of_root(repo, signing.now);
	if (!any) {
		printf("nothing is to be signed with %s\n",
		       keys.nr == 1 ? "this key" : "these keys");
		*ret_exit = RK_EXIT_NOTHING;
	}
	return NULL;
}

const struct rk_verb verb_sign = {
	.name = "sign",
	.summary = "sign what waits for it: a root, releases, and the timestamp",
	.description =
		"Each key signs what its role lets it sign. A root or release with enough signatures is published; with a key of\n"
		"role timestamp, hosts are told of all that is published. The timestamp has to be signed again before it expires.",
	.options = sign_options,
	.values_size = sizeof(struct sign_values),
	.run = sign,
};
