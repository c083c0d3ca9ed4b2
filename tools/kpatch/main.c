/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kpatch: live patches of the kernel that runs here. */
#include "tools/common/cli.h"
#include "tools/kpatch/kpatch.h"

int main(int argc, char **argv)
{
	static const struct rk_verb *const verbs[] = {
		&verb_load,   &verb_unload, &verb_replace,  &verb_list,
		&verb_info,   &verb_status, &verb_install,  &verb_uninstall,
		&verb_signal, &verb_force,  &verb_shutdown, NULL,
	};
	static const struct rk_tool tool = {
		.name = "kpatch",
		.summary = "load, unload, install and show live patches",
		.verbs = verbs,
	};

	return rk_cli_main(&tool, argc, argv);
}
