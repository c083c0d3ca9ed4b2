/* SPDX-License-Identifier: GPL-2.0-or-later */
/* readykernel-repo: makes, signs, checks and copies repositories of patches. */
#include "tools/readykernel-repo/readykernel-repo.h"

int main(int argc, char **argv)
{
	static const struct rk_verb *const verbs[] = {&verb_init,
						      &verb_key_new,
						      &verb_key_show,
						      &verb_key_rotate,
						      &verb_add,
						      &verb_promote,
						      &verb_block,
						      &verb_withdraw,
						      &verb_minimum,
						      &verb_sign,
						      &verb_list,
						      &verb_status,
						      &verb_verify,
						      &verb_mirror,
						      &verb_bundle,
						      &verb_licence_issue,
						      &verb_licence_show,
						      &verb_packages,
						      NULL};
	static const struct rk_tool tool = {
		.name = "readykernel-repo",
		.summary = "publish live patches in a signed repository",
		.verbs = verbs,
	};

	return rk_cli_main(&tool, argc, argv);
}
