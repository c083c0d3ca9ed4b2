/* SPDX-License-Identifier: GPL-2.0-or-later */
/* readykernel-repo licence: issue one, show one. */
#include <stdio.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/json.h"
#include "lib/base/str.h"
#include "lib/base/utc.h"
#include "lib/trust/licence.h"
#include "tools/common/render.h"
#include "tools/readykernel-repo/readykernel-repo.h"

struct issue_values {
	const char *key, *output, *id, *holder, *not_before, *not_after, *channel;
	struct rk_strings products, features;
	unsigned int hosts, days;
	bool trial;
};

static const struct rk_option issue_options[] = {
	RK_OPT_STR('k', "key", struct issue_values, key, "FILE", "a private key of role licence"),
	RK_OPT_STR('o', "output", struct issue_values, output, "FILE", "where it is written"),
	RK_OPT_STR(0, "id", struct issue_values, id, "ID", "what it is known by"),
	RK_OPT_STR(0, "holder", struct issue_values, holder, "TEXT", "whose it is"),
	RK_OPT_LIST(0, "product", struct issue_values, products, "NAME",
		    "what it is for (again for more; none: everything)"),
	RK_OPT_LIST(0, "feature", struct issue_values, features, "WORD",
		    "what else it opens (again for more)"),
	RK_OPT_CHOICE(0, "channel", struct issue_values, channel, "test|early|stable",
		      "the least tried channel that it opens (all)"),
	RK_OPT_UINT(0, "hosts", struct issue_values, hosts, "N", "how many hosts (any number)"),
	RK_OPT_STR(0, "not-before", struct issue_values, not_before, "DATE",
		   "its first day (today)"),
	RK_OPT_STR(0, "not-after", struct issue_values, not_after, "DATE",
		   "the first day that it isn't valid any more"),
	RK_OPT_UINT(0, "days", struct issue_values, days, "N",
		    "how long it is valid, instead (365; a trial: 30)"),
	RK_OPT_FLAG(0, "trial", struct issue_values, trial, "a trial: without days of grace"),
	RK_OPT_END,
};

static struct rk_err *check_options(const struct issue_values *v)
{
	const struct {
		const char *name, *value;
	} needed[] = {{"key", v->key}, {"output", v->output}, {"id", v->id}, {"holder", v->holder}};

	for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
		if (!needed[i].value)
			return rk_err(RK_ERR_INVALID, "missing option '--%s'", needed[i].name);
	if (v->days && v->not_after)
		return rk_err(RK_ERR_INVALID, "'--days' and '--not-after' say the same");
	return NULL;
}

static struct rk_err *fill(const struct issue_values *v, struct rk_licence *licence)
{
	unsigned int days = v->days ? v->days : v->trial ? 30 : 365;

	*licence = (struct rk_licence){
		.id = v->id,
		.holder = v->holder,
		.is_trial = v->trial,
		.hosts = v->hosts,
		.products = {v->products.v, v->products.nr, v->products.cap},
		.features = {v->features.v, v->features.nr, v->features.cap},
		.has_channel = v->channel != NULL,
	};
	if (v->channel)
		RK_TRY(rk_channel_parse(v->channel, &licence->channel));
	RK_TRY(repo_parse_time(v->not_before, &licence->not_before));
	RK_TRY(repo_parse_time(v->not_after, &licence->not_after));
	if (!v->not_before)
		licence->not_before = repo_now();
	if (!v->not_after)
		licence->not_after = licence->not_before + days * RK_DAY_SECONDS;
	return NULL;
}

static struct rk_err *issue(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	const struct issue_values *v = cli->values;
	_cleanup_private_key_ struct rk_private_key *key = NULL;
	_cleanup_licence_ struct rk_licence *checked = NULL;
	_cleanup_free_ char *payload = NULL;
	_cleanup_free_ char *bytes = NULL;
	struct rk_licence licence;
	size_t len;

	RK_TRY(check_options(v));
	RK_TRY(fill(v, &licence));
	RK_TRY(rk_private_key_read(v->key, &key));
	RK_TRY(rk_licence_write(&licence, &payload));
	/* what hosts would refuse isn't issued */
	RK_TRY(rk_licence_parse(v->output, payload, strlen(payload), &checked));
	struct rk_signed file = {
		.name = v->output, .payload = payload, .payload_len = strlen(payload)};
	RK_TRY(rk_signed_add(&file, rk_role_name(RK_ROLE_LICENCE), key));
	RK_TRY(rk_signed_write(&file, &bytes, &len));
	RK_TRY(rk_fs_write(v->output, bytes, len, 0644));
	if (!cli->quiet)
		printf("%s is issued to %s\n", v->id, v->holder);
	return NULL;
}

const struct rk_verb verb_licence_issue = {
	.name = "licence issue",
	.summary = "issue a licence",
	.options = issue_options,
	.values_size = sizeof(struct issue_values),
	.run = issue,
};

/* --- licence show --- */

struct show_values {
	const char *root;
};

static const struct rk_option show_options[] = {
	RK_OPT_STR(0, "root", struct show_values, root, "FILE",
		   "the root that says who may issue licences"),
	RK_OPT_END,
};

static json_t *licence_json(const struct rk_licence *l, const char *state)
{
	json_t *doc = rk_render_document("readykernel-repo-licence-show", 1);

	json_object_set_new(doc, "id", json_string(l->id));
	json_object_set_new(doc, "holder", json_string(l->holder));
	json_object_set_new(doc, "trial", json_boolean(l->is_trial));
	json_object_set_new(doc, "hosts", json_integer((json_int_t)l->hosts));
	json_object_set_new(doc, "products", rk_json_texts(l->products.v, l->products.nr));
	json_object_set_new(doc, "features", rk_json_texts(l->features.v, l->features.nr));
	json_object_set_new(doc, "not_before", rk_json_time(l->not_before));
	json_object_set_new(doc, "not_after", rk_json_time(l->not_after));
	json_object_set_new(doc, "channel",
			    rk_json_text(l->has_channel ? rk_channel_name(l->channel) : NULL));
	json_object_set_new(doc, "state", json_string(state));
	return doc;
}

static struct rk_err *show(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	const struct show_values *v = cli->values;
	const char *path = cli->operands[0];
	_cleanup_root_ struct rk_root *root = NULL;
	_cleanup_licence_ struct rk_licence *licence = NULL;
	_cleanup_free_ char *bytes = NULL;
	char text[RK_UTC_TEXT_SIZE];
	size_t len;

	if (!v->root)
		return rk_err(RK_ERR_INVALID, "missing option '--root'");
	RK_TRY(rk_root_read(v->root, &root));
	RK_TRY(rk_fs_read(path, RK_LICENCE_SIZE_MAX, &bytes, &len));
	RK_TRY(rk_licence_read(root, path, bytes, len, &licence));
	const char *state = rk_licence_state_name(rk_licence_state(licence, repo_now()));
	if (cli->json)
		return rk_render_json(licence_json(licence, state));
	printf("%s  %s  %s%s until %s\n", licence->id, licence->holder,
	       licence->is_trial ? "trial, " : "", state, rk_utc_format(licence->not_after, text));
	return NULL;
}

const struct rk_verb verb_licence_show = {
	.name = "licence show",
	.operands = "FILE",
	.summary = "check a licence and show what it says",
	.options = show_options,
	.values_size = sizeof(struct show_values),
	.min_operands = 1,
	.max_operands = 1,
	.has_json = true,
	.run = show,
};
