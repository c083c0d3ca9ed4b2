/* SPDX-License-Identifier: GPL-2.0-or-later */
/* readykernel licence: a signed file that says until when new levels may be fetched; it never takes any away. */
#include <errno.h>
#include <stdio.h>

#include "lib/base/fs.h"
#include "lib/base/json.h"
#include "lib/base/utc.h"
#include "tools/common/render.h"
#include "tools/readykernel/client.h"

static struct rk_err *install(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	const struct readykernel_common *values = cli->values;
	_cleanup_readykernel_ struct readykernel rk = READYKERNEL_INIT;
	_cleanup_licence_ struct rk_licence *licence = NULL;
	_cleanup_free_ char *bytes = NULL;
	const char *path;
	size_t len;
	char end[RK_UTC_TEXT_SIZE];

	RK_TRY(readykernel_open(cli, values->root, READYKERNEL_CHANGE, &rk));
	RK_TRY(readykernel_need_trust(&rk));
	RK_TRY(rk_fs_read(cli->operands[0], RK_LICENCE_SIZE_MAX, &bytes, &len));
	RK_TRY(rk_licence_read(rk_trust_root(rk.trust), cli->operands[0], bytes, len, &licence));
	path = readykernel_licence_file(&rk);
	if (!path)
		return rk_err_nomem();
	RK_TRY(rk_fs_write(path, bytes, len, 0644));
	if (!cli->quiet)
		printf("licence '%s' of %s is installed; it is valid until %s\n", licence->id,
		       licence->holder, rk_utc_format(licence->not_after, end));
	return NULL;
}

const struct rk_verb readykernel_licence_install = {
	.name = "licence install",
	.operands = "FILE",
	.summary = "check a licence and keep it",
	.options = readykernel_root_options,
	.values_size = sizeof(struct readykernel_common),
	.min_operands = 1,
	.max_operands = 1,
	.run = install,
};

static json_t *licence_json(const struct readykernel *rk)
{
	json_t *doc = rk_render_document("readykernel-licence", 1);
	const struct rk_licence *l = rk->licence;

	json_object_set_new(doc, "state",
			    json_string(rk_licence_state_name(readykernel_licence_state(rk))));
	json_object_set_new(doc, "id", rk_json_text(l ? l->id : NULL));
	json_object_set_new(doc, "holder", rk_json_text(l ? l->holder : NULL));
	json_object_set_new(doc, "trial", json_boolean(l && l->is_trial));
	json_object_set_new(doc, "not_before", rk_json_time_or_null(l ? l->not_before : 0));
	json_object_set_new(doc, "not_after", rk_json_time_or_null(l ? l->not_after : 0));
	return doc;
}

static void show(const struct readykernel *rk)
{
	enum rk_licence_state state = readykernel_licence_state(rk);
	char end[RK_UTC_TEXT_SIZE];

	if (!rk->licence) {
		printf("no licence is installed\n");
		return;
	}
	printf("licence '%s' of %s%s: %s, valid until %s\n", rk->licence->id, rk->licence->holder,
	       rk->licence->is_trial ? " (trial)" : "", rk_licence_state_name(state),
	       rk_utc_format(rk->licence->not_after, end));
	if (state == RK_LICENCE_GRACE)
		printf("it has ended; new levels are still fetched until %s\n",
		       rk_utc_format(rk->licence->not_after +
					     RK_LICENCE_GRACE_DAYS * RK_DAY_SECONDS,
				     end));
}

static struct rk_err *status(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	const struct readykernel_common *values = cli->values;
	_cleanup_readykernel_ struct readykernel rk = READYKERNEL_INIT;
	enum rk_licence_state state;
	const char *path;

	RK_TRY(readykernel_open(cli, values->root, READYKERNEL_READ, &rk));
	path = readykernel_licence_file(&rk);
	if (!path)
		return rk_err_nomem();
	if (rk_fs_exists(path)) /* without trust nobody knows what it says */
		RK_TRY(readykernel_need_trust(&rk));
	if (rk.licence_problem)
		return take_ptr(rk.licence_problem);
	state = readykernel_licence_state(&rk);
	if (state == RK_LICENCE_EXPIRED || state == RK_LICENCE_FUTURE)
		*ret_exit = RK_EXIT_VERDICT;
	if (cli->json)
		return rk_render_json(licence_json(&rk));
	show(&rk);
	return NULL;
}

const struct rk_verb readykernel_licence_status = {
	.name = "licence status",
	.summary = "show the licence; exit status 3 when nothing may be fetched with it",
	.options = readykernel_root_options,
	.values_size = sizeof(struct readykernel_common),
	.has_json = true,
	.run = status,
};

static struct rk_err *remove_licence(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	const struct readykernel_common *values = cli->values;
	_cleanup_readykernel_ struct readykernel rk = READYKERNEL_INIT;
	const char *path;

	RK_TRY(readykernel_open(cli, values->root, READYKERNEL_CHANGE, &rk));
	path = readykernel_licence_file(&rk);
	if (!path)
		return rk_err_nomem();
	if (unlink(path) == 0)
		return NULL;
	if (errno != ENOENT)
		return rk_err_sys(errno, "cannot remove '%s'", path);
	*ret_exit = RK_EXIT_NOTHING;
	return NULL;
}

const struct rk_verb readykernel_licence_remove = {
	.name = "licence remove",
	.summary = "forget the licence; what is loaded stays",
	.options = readykernel_root_options,
	.values_size = sizeof(struct readykernel_common),
	.run = remove_licence,
};
