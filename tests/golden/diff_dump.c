/* SPDX-License-Identifier: GPL-2.0-or-later */
/* diff-dump UNIT OBJECT ORIG PATCHED: prints the readable dump of one object pair, which the golden tests compare. */
#include <stdio.h>

#include "lib/diff/diff.h"

static struct rk_err *run(char **argv, char **ret)
{
	_cleanup_elf_ struct rk_elf *orig = NULL, *patched = NULL;
	struct rk_diff *diff = NULL;

	RK_TRY(rk_elf_open(argv[3], RK_ELF_LOAD_ALL, &orig));
	RK_TRY(rk_elf_open(argv[4], RK_ELF_LOAD_ALL, &patched));
	RK_TRY(rk_diff_create(argv[1], argv[2], orig, patched, &diff));
	struct rk_err *err = rk_diff_dump(diff, ret);
	rk_diff_free(diff);
	return err;
}

int main(int argc, char **argv)
{
	if (argc != 5) {
		fprintf(stderr, "usage: diff-dump UNIT OBJECT ORIG PATCHED\n");
		return 2;
	}
	_cleanup_free_ char *text = NULL;
	_cleanup_err_ struct rk_err *err = run(argv, &text);
	if (err) {
		fprintf(stderr, "%s\n", rk_err_message(err));
		return 1;
	}
	fputs(text, stdout);
	return 0;
}
