/* SPDX-License-Identifier: GPL-2.0-or-later */
/* readykernel autoupdate, autoload, freeze: what happens by itself, and up to where. */
#include <stdio.h>

#include "tools/readykernel/client.h"

/* --- keys of the configuration --- */

static struct rk_err *set(const struct rk_cli *cli, const char *key, const char *value)
{
	const struct readykernel_common *values = cli->values;
	_cleanup_host_ struct rk_host *host = NULL;

	RK_TRY(rk_host_create(values->root ? values->root : "", &host));
	RK_TRY(rk_settings_set(host->config_file, key, value));
	if (!cli->quiet)
		printf("%s = %s\n", key, value);
	return NULL;
}

static struct rk_err *autoupdate_enable(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	if (cli->nr_operands)
		RK_TRY(set(cli, "autoupdate_hour", cli->operands[0]));
	return set(cli, "autoupdate", "yes");
}

static struct rk_err *autoupdate_disable(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	return set(cli, "autoupdate", "no");
}

static struct rk_err *autoload_enable(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	return set(cli, "autoload", "yes");
}

static struct rk_err *autoload_disable(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	return set(cli, "autoload", "no");
}

const struct rk_verb readykernel_autoupdate_enable = {
	.name = "autoupdate enable",
	.operands = "[HOUR]",
	.summary = "let the timer update this host; HOUR: 0 to 23 of local time, or any",
	.options = readykernel_root_options,
	.values_size = sizeof(struct readykernel_common),
	.max_operands = 1,
	.run = autoupdate_enable,
};

const struct rk_verb readykernel_autoupdate_disable = {
	.name = "autoupdate disable",
	.summary = "update only by command",
	.options = readykernel_root_options,
	.values_size = sizeof(struct readykernel_common),
	.run = autoupdate_disable,
};

const struct rk_verb readykernel_autoload_enable = {
	.name = "autoload enable",
	.summary = "load levels at boot and after an update",
	.options = readykernel_root_options,
	.values_size = sizeof(struct readykernel_common),
	.run = autoload_enable,
};

const struct rk_verb readykernel_autoload_disable = {
	.name = "autoload disable",
	.summary = "load levels only by command",
	.options = readykernel_root_options,
	.values_size = sizeof(struct readykernel_common),
	.run = autoload_disable,
};

/* --- freeze --- */

static void show_excluded(const struct rk_status *status)
{
	if (!status->nr_cves_excluded)
		return;
	printf("not fixed because of it:");
	for (size_t i = 0; i < status->nr_cves_excluded; i++)
		printf(" %s", status->cves_excluded[i]);
	putchar('\n');
}

static struct rk_err *show_freeze(struct readykernel *rk)
{
	_cleanup_status_ struct rk_status *status = NULL;
	const char *text = rk_freeze_text(&rk->state->freeze, &rk->arena);

	if (!text)
		return rk_err_nomem();
	RK_TRY(readykernel_overview(rk, &status));
	if (rk->cli->quiet)
		return NULL;
	if (rk->state->freeze.kind == RK_FREEZE_NONE)
		printf("not frozen: the newest level is for this host\n");
	else
		printf("frozen: nothing newer than %s\n", text);
	show_excluded(status);
	return NULL;
}

static struct rk_err *freeze(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	const struct readykernel_common *values = cli->values;
	_cleanup_readykernel_ struct readykernel rk = READYKERNEL_INIT;
	const char *text = cli->operands[0];
	struct rk_freeze wanted = {};

	RK_TRY(rk_freeze_parse(rk_streq(text, "off") ? "none" : text, &wanted));
	RK_TRY(readykernel_open(cli, values->root, READYKERNEL_CHANGE, &rk));
	rk.state->freeze = wanted;
	RK_TRY(rk_host_state_write(rk.host, rk.state));
	RK_TRY(readykernel_publish(&rk));
	return show_freeze(&rk);
}

const struct rk_verb readykernel_freeze = {
	.name = "freeze",
	.operands = "LEVEL|DATE|off",
	.summary = "take no level newer than LEVEL, or released after DATE (2026-11-30)",
	.description =
		"What is loaded stays. Which CVEs are left unfixed because of it is shown, here and by 'info'.",
	.options = readykernel_root_options,
	.values_size = sizeof(struct readykernel_common),
	.min_operands = 1,
	.max_operands = 1,
	.run = freeze,
};
