/* SPDX-License-Identifier: GPL-2.0-or-later */
/* readykernel boot, confirm, shutdown: what the units of the package call. */
#include <stdio.h>

#include "lib/host/boot.h"
#include "tools/readykernel/client.h"

static struct rk_err *boot(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	const struct readykernel_common *values = cli->values;
	_cleanup_readykernel_ struct readykernel rk = READYKERNEL_INIT;

	RK_TRY(readykernel_open(cli, values->root, READYKERNEL_CHANGE_WAIT, &rk));
	return readykernel_boot_patch(&rk, ret_exit);
}

const struct rk_verb readykernel_boot = {
	.name = "boot",
	.summary = "for the unit at boot: judge how the last boot ended, load the best level",
	.description = "Never asks the network. A level that the host went down with is blocked.",
	.options = readykernel_root_options,
	.values_size = sizeof(struct readykernel_common),
	.run = boot,
};

static struct rk_err *confirm(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	const struct readykernel_common *values = cli->values;
	_cleanup_readykernel_ struct readykernel rk = READYKERNEL_INIT;

	RK_TRY(readykernel_open(cli, values->root, READYKERNEL_CHANGE_WAIT, &rk));
	return readykernel_watch(&rk, ret_exit);
}

const struct rk_verb readykernel_confirm = {
	.name = "confirm",
	.summary = "watch the loaded level until its quiet time is over, then mark it good",
	.options = readykernel_root_options,
	.values_size = sizeof(struct readykernel_common),
	.run = confirm,
};

static struct rk_err *stopped(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	const struct readykernel_common *values = cli->values;
	_cleanup_readykernel_ struct readykernel rk = READYKERNEL_INIT;

	RK_TRY(readykernel_open(cli, values->root, READYKERNEL_SHUTDOWN, &rk));
	return rk_boot_stopped(rk.host, rk.kernel, rk.state);
}

const struct rk_verb readykernel_shutdown = {
	.name = "shutdown",
	.summary = "for the unit at shutdown: the host goes down in order, no level is to blame",
	.options = readykernel_root_options,
	.values_size = sizeof(struct readykernel_common),
	.run = stopped,
};
