/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs at build time only: writes the manual page kpatch-fixes(7) to the file it is given. */
#include <stdio.h>

#include "lib/base/fs.h"
#include "tools/common/explain.h"

static struct rk_err *write_page(const char *path)
{
	_cleanup_str_ struct rk_str out = RK_STR_INIT;
	struct rk_entries entries = {};
	struct rk_err *err = rk_entries_read(&entries);

	if (!err)
		err = rk_explain_page(&out, &entries);
	if (!err)
		err = rk_fs_write(path, rk_str_get(&out), out.len, 0644);
	rk_entries_deinit(&entries);
	return err;
}

int main(int argc, char **argv)
{
	struct rk_err *err;

	if (argc != 2) {
		fputs("usage: fixes-page OUTPUT\n", stderr);
		return 2;
	}
	err = write_page(argv[1]);
	if (err)
		fprintf(stderr, "error: %s\n", rk_err_message(err));
	rk_err_free(err);
	return err != NULL;
}
