/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs we run: their output, their end, and that nothing of them is left when we end them. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "lib/base/fs.h"
#include "lib/base/process.h"
#include "tests/unit/tap.h"

#define SH(script) ((const char *const[]){"sh", "-c", script, NULL})

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void test_output(void)
{
	_cleanup_process_result_ struct rk_process_result res = {};
	const struct rk_process_spec spec = {.argv = SH("echo a; echo b >&2; echo c; exit 7")};

	no_err(rk_process_run(&spec, &res), "run");
	is_str(rk_str_get(&res.output), "a\nb\nc\n", "both streams, in order");
	is_int(res.status, 7, "status");
	ok(res.seconds > 0 && res.seconds < 60 && res.cpu_seconds >= 0 && res.peak_kib > 0,
	   "time and memory are measured");
}

static void test_setting(void)
{
	_cleanup_process_result_ struct rk_process_result res = {};
	const char *const env[] = {"ONLY=this", "PATH=/usr/bin:/bin", NULL};
	_cleanup_free_ char *input = rk_path_join(tap_tmpdir(), "in");
	const struct rk_process_spec spec = {.argv = SH("pwd; echo $ONLY$HOME; cat"),
					     .env = env,
					     .cwd = "/",
					     .stdin_path = input};

	no_err(rk_fs_write(input, "input", 5, 0600), "an input file");
	no_err(rk_process_run(&spec, &res), "run");
	is_str(rk_str_get(&res.output), "/\nthis\ninput", "directory, environment and input");

	rk_process_result_deinit(&res);
	const struct rk_process_spec no_input = {.argv = SH("cat; trap")};
	no_err(rk_process_run(&no_input, &res), "run");
	is_str(rk_str_get(&res.output), "", "input is empty, no signal is ignored");
}

static void test_output_file(void)
{
	_cleanup_process_result_ struct rk_process_result res = {};
	_cleanup_free_ char *path = rk_path_join(tap_tmpdir(), "out");
	_cleanup_free_ char *data = NULL;
	const struct rk_process_spec spec = {.argv = SH("echo x; echo y >&2"), .output_path = path};

	no_err(rk_fs_write(path, "old and longer", 14, 0600), "an old file");
	no_err(rk_process_run(&spec, &res), "run");
	is_str(rk_str_get(&res.output), "", "nothing is captured");
	no_err(rk_fs_read(path, 100, &data, NULL), "read");
	is_str(data, "x\ny\n", "the file has the output");
}

static void collect_line(void *ctx, const char *line)
{
	rk_str_addf(ctx, "[%s]", line);
}

static void test_lines(void)
{
	_cleanup_process_result_ struct rk_process_result res = {};
	_cleanup_str_ struct rk_str lines = RK_STR_INIT;
	const struct rk_process_spec spec = {.argv = SH("printf 'one\\n\\ntwo'; sleep 0.1; "
							"printf ' more\\nlast'"),
					     .on_line = collect_line,
					     .on_line_ctx = &lines};

	no_err(rk_process_run(&spec, &res), "run");
	is_str(rk_str_get(&lines), "[one][][two more][last]", "lines as they come");
}

static void test_huge_output(void)
{
	_cleanup_process_result_ struct rk_process_result res = {};
	const struct rk_process_spec spec = {
		.argv = SH("echo first; head -c 20000000 /dev/zero | tr '\\0' x; echo; echo last")};

	no_err(rk_process_run(&spec, &res), "run");
	ok(res.output.len <= RK_PROCESS_OUTPUT_MAX && res.output.len > RK_PROCESS_OUTPUT_MAX / 2,
	   "kept: %zu bytes", res.output.len);
	ok(rk_has_prefix(rk_str_get(&res.output), "first\nxxx"), "the beginning is kept");
	ok(rk_has_suffix(rk_str_get(&res.output), "xxx\nlast\n"), "the end is kept");
	ok(strstr(rk_str_get(&res.output), " bytes cut]\n"), "the cut is marked");
}

static void test_cannot_run(void)
{
	struct rk_process_result res = {.status = 42};
	const char *const absent[] = {"no-such-program-here", NULL};
	const char *const dir[] = {"/", NULL};

	is_err(rk_process_run(&(struct rk_process_spec){.argv = absent}, &res), RK_ERR_NOT_FOUND,
	       "cannot run 'no-such-program-here': no such program", "absent program");
	is_err(rk_process_run(&(struct rk_process_spec){.argv = dir}, &res), RK_ERR_SYS,
	       "cannot run '/': Permission denied", "not a program");
	is_err(rk_process_run(&(struct rk_process_spec){.argv = SH(":"), .cwd = "/nonexistent"},
			      &res),
	       RK_ERR_SYS, "cannot run 'sh' in '/nonexistent': No such file or directory",
	       "absent directory");
	is_err(rk_process_run(&(struct rk_process_spec){.argv = SH(":"),
							.stdin_path = "/nonexistent"},
			      &res),
	       RK_ERR_SYS, "cannot open '/nonexistent': No such file or directory", "absent input");
	is_err(rk_process_run(&(struct rk_process_spec){.argv = SH(":"),
							.output_path = "/nonexistent/x"},
			      &res),
	       RK_ERR_SYS, "cannot create '/nonexistent/x': No such file or directory",
	       "no place for the output");
	is_int(res.status, 42, "output is untouched on failure");
}

static void test_check(void)
{
	_cleanup_process_result_ struct rk_process_result res = {};

	no_err(rk_process_check(&(struct rk_process_spec){.argv = SH("echo fine")}, &res),
	       "success");
	is_str(rk_str_get(&res.output), "fine\n", "has the output");
	is_err(rk_process_check(&(struct rk_process_spec){.argv = SH("exit 3")}, &res), RK_ERR_TOOL,
	       "'sh' failed with status 3", "failed without output");
	is_err(rk_process_check(&(struct rk_process_spec){.argv = SH("seq 100; echo oops; exit 3")},
				&res),
	       RK_ERR_TOOL,
	       "'sh' failed with status 3:\n90\n91\n92\n93\n94\n95\n96\n97\n98\n99\n100\noops",
	       "failed with output: its last lines");
	is_err(rk_process_check(&(struct rk_process_spec){.argv = SH("kill -9 $$")}, &res),
	       RK_ERR_TOOL, "'sh' was killed by signal 9", "killed");
}

/* Waits up to two seconds for pid to be gone. */
static bool is_gone(pid_t pid)
{
	for (int i = 0; i < 200; i++) {
		if (kill(pid, 0) < 0 && errno == ESRCH)
			return true;
		usleep(10000);
	}
	return false;
}

static pid_t read_pid(const char *path)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_err_ struct rk_err *err = NULL;

	for (int i = 0; i < 200 && (!text || !*text); i++) {
		rk_err_free(err);
		free(take_ptr(text));
		err = rk_fs_read(path, 100, &text, NULL);
		usleep(10000);
	}
	return text ? (pid_t)strtol(text, NULL, 10) : -1;
}

static void test_timeout(void)
{
	_cleanup_free_ char *dir = strdup(tap_tmpdir());
	_cleanup_free_ char *pid_path = rk_path_join(dir, "pid");
	struct rk_process_result res;
	/* The grandchild ignores SIGTERM, the child ends by it. */
	const struct rk_process_spec spec = {
		.argv = SH("(trap '' TERM; sh -c 'echo $PPID' >pid; exec sleep 60) & wait"),
		.cwd = dir,
		.timeout_ms = 300,
	};
	double start = now();

	is_err(rk_process_run(&spec, &res), RK_ERR_TIMEOUT, "'sh' took longer than 0.3 s",
	       "timeout");
	ok(now() - start < 30, "ended in time");
	pid_t grandchild = read_pid(pid_path);
	ok(grandchild > 0 && is_gone(grandchild), "what it started is gone too");

	const struct rk_process_spec stubborn = {.argv = SH("trap '' TERM; sleep 60 & wait; wait"),
						 .timeout_ms = 100};
	start = now();
	is_err(rk_process_run(&stubborn, &res), RK_ERR_TIMEOUT, "'sh' took longer than 0.1 s",
	       "timeout of one that ignores SIGTERM");
	ok(now() - start < 30, "killed in time");
}

static void add_time(void *ctx, const char *line)
{
	(void)line;
	*(unsigned int *)ctx = 60000;
}

static void test_more_time(void)
{
	unsigned int more = 0;
	_cleanup_process_result_ struct rk_process_result res = {};
	const struct rk_process_spec spec = {
		.argv = SH("echo more; sleep 1; exit 3"),
		.timeout_ms = 500,
		.more_ms = &more,
		.on_line = add_time,
		.on_line_ctx = &more,
	};

	no_err(rk_process_run(&spec, &res), "a limit that grew while the child ran");
	is_int(res.status, 3, "it came to its end");
}

static void test_left_behind(void)
{
	_cleanup_process_result_ struct rk_process_result res = {};
	double start = now();

	/* The sleeper holds the pipe open; the child is done all the same. */
	no_err(rk_process_run(&(struct rk_process_spec){.argv = SH("echo x; sleep 60 &")}, &res),
	       "a child that leaves one behind");
	ok(now() - start < 30, "isn't waited for");
	is_str(rk_str_get(&res.output), "x\n", "its output is there");
}

/* Each goes on only when the other has begun. */
static void test_two_at_once(void)
{
	struct rk_process_result a = {}, b = {};
	struct rk_process *pa = NULL, *pb = NULL;
	const struct rk_process_spec sa = {
		.argv = SH("touch a; until [ -e b ]; do sleep 0.02; done; echo a"),
		.cwd = tap_tmpdir(),
		.timeout_ms = 60000,
	};
	const struct rk_process_spec sb = {
		.argv = SH("touch b; until [ -e a ]; do sleep 0.02; done; echo b"),
		.cwd = tap_tmpdir(),
		.timeout_ms = 60000,
	};

	no_err(rk_process_start(&sa, &pa), "start one");
	no_err(rk_process_start(&sb, &pb), "start another");
	no_err(rk_process_wait(pb, &b), "wait for the other");
	no_err(rk_process_wait(pa, &a), "wait for the first");
	is_str(rk_str_get(&a.output), "a\n", "output of one");
	is_str(rk_str_get(&b.output), "b\n", "output of the other");
	rk_process_result_deinit(&a);
	rk_process_result_deinit(&b);
}

static void on_alarm(int sig)
{
	rk_interrupt();
}

/* In a child, because an interrupt is for good. Its status: 0, or which step went wrong. */
static int interrupted_child(void)
{
	struct rk_process_result res;
	double start = now();

	signal(SIGALRM, on_alarm);
	ualarm(200000, 0);
	struct rk_err *err =
		rk_process_run(&(struct rk_process_spec){.argv = SH("sleep 60")}, &res);
	if (!err || rk_err_code(err) != RK_ERR_INTERRUPTED)
		return 1;
	if (strcmp(rk_err_message(err), "interrupted while 'sh' ran") != 0)
		return 2;
	rk_err_free(err);
	if (now() - start > 30)
		return 3;
	err = rk_process_run(&(struct rk_process_spec){.argv = SH(":")}, &res);
	if (!err || rk_err_code(err) != RK_ERR_INTERRUPTED)
		return 4;
	rk_err_free(err);
	return rk_is_interrupted() ? 0 : 5;
}

static void test_interrupt(void)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(interrupted_child());
	waitpid(pid, &status, 0);
	is_int(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0, "an interrupt ends every wait");
}

/* The tool is killed the hard way: what it ran must not go on. */
static void test_killed_parent(void)
{
	_cleanup_free_ char *pid_path = rk_path_join(tap_tmpdir(), "orphan");
	pid_t pid = fork();

	if (pid == 0) {
		struct rk_process_result res;
		const struct rk_process_spec spec = {.argv = SH("echo $$ >orphan; exec sleep 60"),
						     .cwd = tap_tmpdir()};
		struct rk_err *err = rk_process_run(&spec, &res);

		_exit(err ? 1 : 0);
	}
	pid_t orphan = read_pid(pid_path);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	ok(orphan > 0 && is_gone(orphan), "a child doesn't outlive us");
}

int main(void)
{
	/* A directory in PATH that we may not read makes an absent program "Permission denied". */
	setenv("PATH", "/usr/bin:/bin", 1);
	test_output();
	test_setting();
	test_output_file();
	test_lines();
	test_huge_output();
	test_cannot_run();
	test_check();
	test_timeout();
	test_more_time();
	test_left_behind();
	test_two_at_once();
	test_interrupt();
	test_killed_parent();
	return done_testing();
}
