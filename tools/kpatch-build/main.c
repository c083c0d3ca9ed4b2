/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kpatch-build: the tool of the engineer who prepares fixes. */
#include "tools/common/cli.h"
#include "tools/kpatch-build/cmds.h"

int main(int argc, char **argv)
{
	static const struct rk_verb *const verbs[] = {
		&verb_build,
		&verb_target_list,
		&verb_target_show,
		&verb_target_fetch,
		&verb_target_verify,
		&verb_target_remove,
		NULL,
	};
	static const struct rk_tool tool = {
		.name = "kpatch-build",
		.summary = "build live patch modules",
		.verbs = verbs,
	};

	return rk_cli_main(&tool, argc, argv);
}
