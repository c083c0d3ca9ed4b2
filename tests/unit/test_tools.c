/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of tools/common that compute text: sizes, the live line, help, where the cache is. */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/tap.h"
#include "tools/common/cli.h"
#include "tools/common/help.h"
#include "tools/common/progress.h"
#include "tools/common/render.h"

static void test_size(void)
{
	static const struct {
		uint64_t bytes;
		const char *want;
	} cases[] = {
		{0, "0 bytes"},		{999, "999 bytes"},
		{1000, "1.0 kB"},	{9949, "9.9 kB"},
		{9950, "10 kB"},	{999499, "999 kB"},
		{999500, "1.0 MB"},	{281462948, "281 MB"},
		{3500000000, "3.5 GB"}, {UINT64_MAX, "18446744 TB"},
	};
	char buf[RK_SIZE_TEXT];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		is_str(rk_render_size(cases[i].bytes, buf), cases[i].want, "size");
}

static void check_line(const struct rk_progress_state *state, size_t width, const char *want)
{
	_cleanup_str_ struct rk_str out = RK_STR_INIT;

	rk_progress_format(&out, state, width);
	is_str(rk_str_get(&out), want, "live line");
}

static void test_progress(void)
{
	struct rk_progress_state state = {.phase = "fetch", .text = "linux-image"};

	check_line(&state, 80, "fetch: linux-image");
	state.seconds = 3;
	check_line(&state, 80, "fetch: linux-image  3 s");
	state.done = 1500000;
	state.unit = "bytes";
	check_line(&state, 80, "fetch: linux-image  1.5 MB  3 s");
	state.total = 3000000;
	check_line(&state, 80, "fetch: linux-image  1.5 MB of 3.0 MB  3 s");
	check_line(&state, 48, "fetch: linux-image  1.5 MB of 3.0 MB  3 s");
	check_line(&state, 46, "fetch: linux-image  1.5 MB of 3.0 MB  3 s");
	check_line(&state, 20, "fetch: linux-image");
	check_line(&state, 5, "fetch");
	check_line(&state, 1, "f");
	state.unit = "units";
	state.done = 3;
	state.total = 40;
	check_line(&state, 35, "fetch: linux-image  3/40 units  3 s");
	state.seconds = 60;
	check_line(&state, 80, "fetch: linux-image  3/40 units  60 s, about 12 min left");
	state.done = 30;
	check_line(&state, 80, "fetch: linux-image  30/40 units  60 s, about 20 s left");
	state.done = 40;
	check_line(&state, 80, "fetch: linux-image  40/40 units  60 s");
	state.done = 3;
	state.seconds = 3;
	check_line(&state, 34, "fetch: linux-imag  3/40 units  3 s");
	check_line(&state, 29, "fetch: linux  3/40 units  3 s");
	check_line(&state, 28, "fetch: linux-image");

	state = (struct rk_progress_state){.phase = "p",
					   .text = "\303\244\303\266\303\274\033[2J\n"};
	check_line(&state, 80, "p: \303\244\303\266\303\274 [2J ");
	check_line(&state, 5, "p: \303\244\303\266");
}

static void test_cache_dir(void)
{
	char *dir = NULL;

	setenv("XDG_CACHE_HOME", "/cache", 1);
	no_err(rk_cli_cache_dir(&dir), "cache directory");
	is_str(dir, "/cache/readykernel", "of the environment");
	free(take_ptr(dir));
	setenv("XDG_CACHE_HOME", "relative", 1);
	setenv("HOME", "/home", 1);
	no_err(rk_cli_cache_dir(&dir), "cache directory");
	is_str(dir, "/home/.cache/readykernel", "a relative one is ignored");
	free(take_ptr(dir));
	unsetenv("XDG_CACHE_HOME");
	unsetenv("HOME");
	is_err(rk_cli_cache_dir(&dir), RK_ERR_INVALID,
	       "no cache directory: set XDG_CACHE_HOME or HOME, or use --cache", "no place");

	no_err(rk_cli_absolute_path("/a/b", &dir), "absolute path");
	is_str(dir, "/a/b", "stays");
	free(take_ptr(dir));
	if (chdir("/proc") < 0)
		bail_out("no /proc");
	no_err(rk_cli_absolute_path("a/b", &dir), "relative path");
	is_str(dir, "/proc/a/b", "is made absolute");
	free(dir);
}

static const struct rk_verb only_verb = {.name = "", .operands = "FILE", .summary = "one thing"};

static void test_help(void)
{
	static const struct rk_verb *const verbs[] = {&only_verb, NULL};
	static const struct rk_tool tool = {
		.name = "one", .summary = "do one thing", .verbs = verbs};
	_cleanup_str_ struct rk_str out = RK_STR_INIT;

	rk_help(&out, &tool, NULL);
	is_str(rk_str_get(&out),
	       "usage: one [options] FILE\n"
	       "\n"
	       "do one thing\n"
	       "\n"
	       "common options:\n"
	       "  -h, --help              show this help\n"
	       "      --quiet             no progress, only results\n"
	       "      --verbose           say more about each step\n"
	       "      --version           show the version\n",
	       "help of a tool without verbs");
}

int main(void)
{
	test_size();
	test_progress();
	test_help();
	test_cache_dir();
	return done_testing();
}
