/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * readykernel mok enroll: with Secure Boot the kernel only takes modules whose signer it knows. mokutil(1) hands the certificate
 * to the boot loader, which asks a person at the console before it believes it: what that person will see is told here.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>

#include "lib/base/fs.h"
#include "lib/host/certificate.h"
#include "tools/readykernel/client.h"

/* It asks for a password on the terminal: it needs ours as it is. */
static struct rk_err *run_mokutil(const char *certificate, int *ret_status)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return rk_err_sys(errno, "cannot start 'mokutil'");
	if (pid == 0) {
		execlp("mokutil", "mokutil", "--import", certificate, NULL);
		_exit(127);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return rk_err_sys(errno, "cannot wait for 'mokutil'");
	*ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return NULL;
}

static const char explanation[] =
	"'%s' will be given to the boot loader (shim), which asks before it trusts it:\n"
	"  1. mokutil asks now for a password; it is needed once, at the next boot\n"
	"  2. reboot, and stay at the console: shim shows 'Perform MOK management'\n"
	"  3. choose 'Enroll MOK', 'Continue', 'Yes', give the password, then 'Reboot'\n"
	"afterwards 'readykernel doctor' finds its key in the kernel's keyrings\n";

static struct rk_err *enroll(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	const struct readykernel_common *values = cli->values;
	_cleanup_host_ struct rk_host *host = NULL;
	_cleanup_free_ char *usual = NULL, *efi = NULL;
	char id[RK_CERTIFICATE_ID_SIZE];
	int status = 0;

	RK_TRY(rk_host_create(values->root ? values->root : "", &host));
	usual = rk_asprintf("%s" RK_CERTIFICATE_FILE, host->root);
	efi = rk_asprintf("%s/firmware/efi", host->sys);
	if (!usual || !efi)
		return rk_err_nomem();
	const char *certificate = cli->nr_operands ? cli->operands[0] : usual;
	if (!rk_fs_exists(certificate))
		return rk_err(
			RK_ERR_INVALID,
			"there is no certificate '%s'; name the one that your modules are signed with",
			certificate);
	RK_TRY(rk_certificate_key_id(certificate, id));
	if (!rk_fs_exists(efi))
		return rk_err(RK_ERR_VERDICT,
			      "this host was not booted by UEFI: there is no Secure Boot, and the "
			      "kernel takes modules without an enrolled key");
	if (!cli->quiet)
		printf(explanation, certificate);
	rk_cli_flush(cli);
	RK_TRY(run_mokutil(certificate, &status));
	if (status == 127)
		return rk_err(RK_ERR_TOOL,
			      "cannot run 'mokutil'; install the package of that name");
	if (status)
		return rk_err(RK_ERR_TOOL, "mokutil ended with status %d; nothing was enrolled",
			      status);
	if (!cli->quiet)
		printf("now reboot and confirm at the console\n");
	return NULL;
}

const struct rk_verb readykernel_mok_enroll = {
	.name = "mok enroll",
	.operands = "[CERTIFICATE]",
	.summary = "let Secure Boot trust the key that modules are signed with (mokutil)",
	.description = "The certificate is " RK_CERTIFICATE_FILE " unless another is named.",
	.options = readykernel_root_options,
	.values_size = sizeof(struct readykernel_common),
	.max_operands = 1,
	.run = enroll,
};
