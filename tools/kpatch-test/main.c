/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kpatch-test: tests one live patch module on its target's kernel in a virtual machine. */
#include "tools/common/cli.h"
#include "tools/kpatch-test/kpatch-test.h"

int main(int argc, char **argv)
{
	static const struct rk_verb *const verbs[] = {&verb_test, NULL};
	static const struct rk_tool tool = {
		.name = "kpatch-test",
		.summary = "test a live patch module in a virtual machine",
		.verbs = verbs,
	};

	return rk_cli_main(&tool, argc, argv);
}
