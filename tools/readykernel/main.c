/* SPDX-License-Identifier: GPL-2.0-or-later */
/* readykernel: keeps the kernel of this host patched, and says how it stands. */
#include "tools/common/cli.h"
#include "tools/readykernel/client.h"

int main(int argc, char **argv)
{
	static const struct rk_verb *const verbs[] = {
		&readykernel_info,
		&readykernel_status,
		&readykernel_uname,
		&readykernel_cvelist,
		&readykernel_patches,
		&readykernel_check_update,
		&readykernel_update,
		&readykernel_load,
		&readykernel_unload,
		&readykernel_rollback,
		&readykernel_freeze,
		&readykernel_autoupdate_enable,
		&readykernel_autoupdate_disable,
		&readykernel_autoload_enable,
		&readykernel_autoload_disable,
		&readykernel_bundle_install,
		&readykernel_licence_install,
		&readykernel_licence_status,
		&readykernel_licence_remove,
		&readykernel_doctor,
		&readykernel_mok_enroll,
		&readykernel_boot,
		&readykernel_confirm,
		&readykernel_shutdown,
		NULL,
	};
	static const struct rk_tool tool = {
		.name = "readykernel",
		.summary = "keep the running kernel patched, without a reboot",
		.verbs = verbs,
		.exit_of = readykernel_exit,
	};

	return rk_cli_main(&tool, argc, argv);
}
