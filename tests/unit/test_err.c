/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Errors: codes, errno and messages survive wrapping. */
#include <errno.h>
#include <string.h>

#include "tests/unit/tap.h"

static void test_codes(void)
{
	for (int code = 0; code < RK_ERR_CODES; code++) {
		const char *name = rk_err_code_name(code);

		ok(name && *name && strcmp(name, "unknown") != 0, "code %d has a name", code);
		for (int other = 0; other < code; other++) {
			if (strcmp(name, rk_err_code_name(other)) == 0)
				ok(false, "codes %d and %d share the name %s", code, other, name);
		}
	}
	is_str(rk_err_code_name(RK_ERR_CODES), "unknown", "a code outside the table");
}

static void test_system_error(void)
{
	_cleanup_err_ struct rk_err *err = rk_err_sys(ENOENT, "cannot open '%s'", "a");

	is_int(rk_err_code(err), RK_ERR_SYS, "code of a system error");
	is_int(rk_err_errno(err), ENOENT, "errno of a system error");
	is_str(rk_err_message(err), "cannot open 'a': No such file or directory",
	       "message of a system error");

	err = rk_err_wrap(err, "target '%s'", "x");
	err = rk_err_wrap(err, "build");
	is_int(rk_err_errno(err), ENOENT, "errno survives wrapping");
	is_str(rk_err_message(err), "build: target 'x': cannot open 'a': No such file or directory",
	       "wrapped twice");
}

static struct rk_err *try_it(struct rk_err *err, bool *reached)
{
	RK_TRY(err);
	*reached = true;
	return NULL;
}

int main(void)
{
	bool reached = false;

	test_codes();
	test_system_error();
	is_err(rk_err(RK_ERR_LIMIT, "%d too many", 3), RK_ERR_LIMIT, "3 too many", "plain error");
	no_err(rk_err_wrap(NULL, "nothing"), "wrapping success is success");
	is_err(rk_err_wrap(rk_err_nomem(), "while reading"), RK_ERR_NOMEM, "out of memory",
	       "the out-of-memory error can be wrapped and freed");
	is_err(try_it(rk_err(RK_ERR_TOOL, "x"), &reached), RK_ERR_TOOL, "x", "RK_TRY returns");
	ok(!reached, "RK_TRY stops at the error");
	no_err(try_it(NULL, &reached), "RK_TRY passes success");
	ok(reached, "RK_TRY goes on");
	rk_err_free(NULL);
	return done_testing();
}
