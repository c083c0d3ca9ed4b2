/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A child is watched through three descriptors in one poll(): its pidfd (it ended), the pipe of its
 * output, and the pipe rk_interrupt() writes to. Nothing is missed between looking and sleeping.
 */
#include "lib/base/process.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "lib/base/fs.h"

#define PIPE_SIZE	(1u << 20) /* lets a second child run on while we wait for the first */
#define READ_SIZE	(64u << 10)
#define LINE_MAX_BYTES	(64u << 10) /* a longer line is handed over in pieces */
#define KILL_DELAY_MS	2000	    /* from SIGTERM to SIGKILL */
#define QUOTED_LINES	12	    /* of a failed program's output in the error message */
#define QUOTED_BYTES	4096
#define SIGNALED_STATUS 128

struct rk_process {
	pid_t pid;
	int pidfd;
	int output; /* our end of the pipe, or -1 */
	const struct rk_process_spec *spec;
	struct timespec started;
	struct rk_str head; /* the first half of RK_PROCESS_OUTPUT_MAX */
	struct rk_str tail; /* at least as much of what came last */
	uint64_t cut;	    /* bytes dropped between them */
	struct rk_str line;
};

static volatile sig_atomic_t interrupted;
static int interrupt_pipe[2] = {-1, -1};
static pthread_once_t interrupt_once = PTHREAD_ONCE_INIT;

static void make_interrupt_pipe(void)
{
	/* Without the pipe a wait ends at the next event instead of at once. */
	if (pipe2(interrupt_pipe, O_CLOEXEC | O_NONBLOCK) < 0)
		interrupt_pipe[0] = interrupt_pipe[1] = -1;
}

void rk_interrupt(void)
{
	int saved = errno;

	interrupted = 1;
	/* The byte is never read: every later wait is to end too. A full pipe is as good. */
	if (interrupt_pipe[1] >= 0 && write(interrupt_pipe[1], "", 1) < 0)
		errno = saved;
	errno = saved;
}

bool rk_is_interrupted(void)
{
	return interrupted;
}

void rk_process_result_deinit(struct rk_process_result *res)
{
	rk_str_deinit(&res->output);
}

static void process_destroy(struct rk_process *p)
{
	if (p->pidfd >= 0)
		close(p->pidfd);
	if (p->output >= 0)
		close(p->output);
	rk_str_deinit(&p->head);
	rk_str_deinit(&p->tail);
	rk_str_deinit(&p->line);
	free(p);
}

/* What the child couldn't do, told to the parent through a close-on-exec pipe. */
struct child_failure {
	enum {
		FAILED_SETUP,
		FAILED_CWD,
		FAILED_EXEC
	} stage;
	int sys_errno;
};

struct child_fds {
	int input;
	int output;
	int report;
};

/* Runs between fork() and exec(): async-signal-safe calls only. */
static _Noreturn void child_main(const struct rk_process_spec *spec, struct child_fds fds,
				 pid_t parent)
{
	struct child_failure failure = {.stage = FAILED_SETUP};
	sigset_t none;

	setpgid(0, 0);
	/* A killed tool takes its compiler or virtual machine with it. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(SIGNALED_STATUS + SIGTERM);
	for (int sig = 1; sig < NSIG; sig++) {
		if (sig != SIGKILL && sig != SIGSTOP)
			signal(sig, SIG_DFL);
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);

	if (dup2(fds.input, STDIN_FILENO) >= 0 && dup2(fds.output, STDOUT_FILENO) >= 0 &&
	    dup2(fds.output, STDERR_FILENO) >= 0) {
		failure.stage = FAILED_CWD;
		if (!spec->cwd || chdir(spec->cwd) == 0) {
			failure.stage = FAILED_EXEC;
			execvpe(spec->argv[0], (char *const *)spec->argv,
				spec->env ? (char *const *)spec->env : environ);
		}
	}
	failure.sys_errno = errno;
	if (write(fds.report, &failure, sizeof(failure)) < 0)
		_exit(126);
	_exit(127);
}

static struct rk_err *child_error(const struct rk_process_spec *spec, struct child_failure failure)
{
	if (failure.stage == FAILED_CWD)
		return rk_err_sys(failure.sys_errno, "cannot run '%s' in '%s'", spec->argv[0],
				  spec->cwd);
	if (failure.stage == FAILED_EXEC && failure.sys_errno == ENOENT)
		return rk_err(RK_ERR_NOT_FOUND, "cannot run '%s': no such program", spec->argv[0]);
	return rk_err_sys(failure.sys_errno, "cannot run '%s'", spec->argv[0]);
}

/* Where the child's output goes: spec's file, or a pipe whose other end is *ret_ours. */
static struct rk_err *open_output(const struct rk_process_spec *spec, int *ret_child, int *ret_ours)
{
	int fds[2];

	if (spec->output_path) {
		*ret_child =
			open(spec->output_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
		return *ret_child < 0 ? rk_err_sys(errno, "cannot create '%s'", spec->output_path)
				      : NULL;
	}
	if (pipe2(fds, O_CLOEXEC) < 0)
		return rk_err_sys(errno, "cannot create a pipe");
	fcntl(fds[0], F_SETPIPE_SZ, PIPE_SIZE); /* may be refused by the user's limit: no harm */
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	*ret_ours = fds[0];
	*ret_child = fds[1];
	return NULL;
}

static struct rk_err *fork_child(struct rk_process *p, struct child_fds fds)
{
	pid_t parent = getpid();
	sigset_t all, before;

	/* Our handlers must not run in the child before it has reset them. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	p->pid = fork();
	int saved = errno;
	if (p->pid == 0)
		child_main(p->spec, fds, parent);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (p->pid < 0)
		return rk_err_sys(saved, "cannot run '%s'", p->spec->argv[0]);

	setpgid(p->pid, p->pid); /* in both: whoever comes first; an error means the child was */
	p->pidfd = pidfd_open(p->pid, 0);
	if (p->pidfd < 0) {
		saved = errno;
		kill(p->pid, SIGKILL);
		waitpid(p->pid, NULL, 0);
		return rk_err_sys(saved, "cannot watch '%s'", p->spec->argv[0]);
	}
	return NULL;
}

/* Waits until the child runs its program: the pipe closes, or tells why it couldn't. */
static struct rk_err *await_exec(struct rk_process *p, int report)
{
	struct child_failure failure;
	ssize_t n;

	do
		n = read(report, &failure, sizeof(failure));
	while (n < 0 && errno == EINTR);
	if (n != sizeof(failure))
		return NULL;
	waitpid(p->pid, NULL, 0);
	return child_error(p->spec, failure);
}

struct rk_err *rk_process_start(const struct rk_process_spec *spec, struct rk_process **ret)
{
	_cleanup_close_ int input = -1, output = -1, report = -1, child_report = -1;
	int report_fds[2];

	pthread_once(&interrupt_once, make_interrupt_pipe);
	if (interrupted)
		return rk_err(RK_ERR_INTERRUPTED, "interrupted before running '%s'", spec->argv[0]);

	const char *input_path = spec->stdin_path ? spec->stdin_path : "/dev/null";
	input = open(input_path, O_RDONLY | O_CLOEXEC);
	if (input < 0)
		return rk_err_sys(errno, "cannot open '%s'", input_path);
	if (pipe2(report_fds, O_CLOEXEC) < 0)
		return rk_err_sys(errno, "cannot create a pipe");
	report = report_fds[0];
	child_report = report_fds[1];

	struct rk_process *p = calloc(1, sizeof(*p));
	if (!p)
		return rk_err_nomem();
	p->pidfd = p->output = -1;
	p->spec = spec;
	clock_gettime(CLOCK_MONOTONIC, &p->started);

	struct rk_err *err = open_output(spec, &output, &p->output);
	if (!err)
		err = fork_child(p, (struct child_fds){input, output, child_report});
	if (!err) {
		close(take_fd(child_report));
		err = await_exec(p, report);
	}
	if (err) {
		process_destroy(p);
		return err;
	}
	*ret = p;
	return NULL;
}

static void keep_output(struct rk_process *p, const char *data, size_t len)
{
	const size_t half = RK_PROCESS_OUTPUT_MAX / 2;
	size_t to_head = half - p->head.len < len ? half - p->head.len : len;

	rk_str_add_bytes(&p->head, data, to_head);
	rk_str_add_bytes(&p->tail, data + to_head, len - to_head);
	if (p->tail.len > 2 * half) {
		size_t drop = p->tail.len - half;

		memmove(p->tail.s, p->tail.s + drop, half + 1);
		p->tail.len = half;
		p->cut += drop;
	}
}

static void emit_line(struct rk_process *p)
{
	p->spec->on_line(p->spec->on_line_ctx, rk_str_get(&p->line));
	rk_str_clear(&p->line);
}

static void split_lines(struct rk_process *p, const char *data, size_t len)
{
	while (len > 0) {
		const char *newline = memchr(data, '\n', len);
		size_t part = newline ? (size_t)(newline - data) : len;

		rk_str_add_bytes(&p->line, data, part);
		if (newline || p->line.len >= LINE_MAX_BYTES)
			emit_line(p);
		part += newline ? 1 : 0;
		data += part;
		len -= part;
	}
}

/* Takes what is in the pipe now; at the end of the output closes it. */
static struct rk_err *drain(struct rk_process *p)
{
	char buf[READ_SIZE];

	while (p->output >= 0) {
		ssize_t n = read(p->output, buf, sizeof(buf));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return NULL;
		if (n < 0)
			return rk_err_sys(errno, "cannot read the output of '%s'",
					  p->spec->argv[0]);
		if (n == 0) {
			close(take_fd(p->output));
			return NULL;
		}
		keep_output(p, buf, (size_t)n);
		if (p->spec->on_line)
			split_lines(p, buf, (size_t)n);
	}
	return NULL;
}

/* Joins head and tail into *ret; says how much is missing between them. */
static struct rk_err *finish_output(struct rk_process *p, struct rk_str *ret)
{
	if (p->spec->on_line && p->line.len > 0)
		emit_line(p);
	if (p->tail.len > 0) {
		char note[64];
		size_t room = RK_PROCESS_OUTPUT_MAX - p->head.len - sizeof(note);
		size_t drop = p->tail.len > room ? p->tail.len - room : 0;

		if (p->cut + drop > 0) {
			snprintf(note, sizeof(note), "\n[%llu bytes cut]\n",
				 (unsigned long long)(p->cut + drop));
			rk_str_add(&p->head, note);
		}
		rk_str_add_bytes(&p->head, p->tail.s + drop, p->tail.len - drop);
	}
	RK_TRY(rk_str_check(&p->tail));
	RK_TRY(rk_str_check(&p->line));
	RK_TRY(rk_str_check(&p->head));
	*ret = p->head;
	p->head = (struct rk_str)RK_STR_INIT;
	return NULL;
}

static double seconds_since(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - start->tv_sec) + (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

/* Milliseconds left of the limit as poll() wants them. */
static int poll_timeout(const struct rk_process *p)
{
	const struct rk_process_spec *spec = p->spec;

	if (!spec->timeout_ms)
		return -1;
	double left = (double)spec->timeout_ms + (spec->more_ms ? *spec->more_ms : 0) -
		      seconds_since(&p->started) * 1000;
	if (left <= 0)
		return 0;
	return left > INT32_MAX - 1 ? INT32_MAX : (int)left + 1;
}

enum watch_end {
	WATCH_EXITED,
	WATCH_TIMEOUT,
	WATCH_INTERRUPTED
};

/* Collects output until the child ends, its time is over or the user interrupts. */
static struct rk_err *watch(struct rk_process *p, enum watch_end *ret)
{
	for (;;) {
		struct pollfd fds[] = {
			{.fd = p->pidfd, .events = POLLIN},
			{.fd = p->output, .events = POLLIN},
			{.fd = interrupt_pipe[0], .events = POLLIN},
		};
		int timeout = poll_timeout(p);
		int n = interrupted ? 0 : poll(fds, ARRAY_SIZE(fds), timeout);

		if (n < 0 && errno != EINTR)
			return rk_err_sys(errno, "cannot wait for '%s'", p->spec->argv[0]);
		if (interrupted) {
			*ret = WATCH_INTERRUPTED;
			return NULL;
		}
		if (n < 0)
			continue;
		RK_TRY(drain(p));
		if (fds[0].revents) {
			*ret = WATCH_EXITED;
			return drain(p); /* what came between the last look and the end */
		}
		if (timeout == 0 || (n == 0 && poll_timeout(p) == 0)) {
			*ret = WATCH_TIMEOUT;
			return NULL;
		}
	}
}

/* Ends the whole group: politely first, so that a compiler removes its temporary files. */
static void end_group(const struct rk_process *p)
{
	struct pollfd fd = {.fd = p->pidfd, .events = POLLIN};
	struct timespec start;

	clock_gettime(CLOCK_MONOTONIC, &start);
	kill(-p->pid, SIGTERM);
	kill(-p->pid, SIGCONT); /* a stopped process gets SIGTERM only when it goes on */
	for (;;) {
		int left = KILL_DELAY_MS - (int)(seconds_since(&start) * 1000);

		if (left <= 0 || poll(&fd, 1, left) > 0)
			break;
	}
	/* The leader isn't reaped yet, so the group's number can't be anybody else's. */
	kill(-p->pid, SIGKILL);
}

static struct rk_err *reap(const struct rk_process *p, struct rk_process_result *res)
{
	struct rusage usage;
	int status;
	pid_t pid;

	do
		pid = wait4(p->pid, &status, 0, &usage);
	while (pid < 0 && errno == EINTR);
	if (pid < 0)
		return rk_err_sys(errno, "cannot wait for '%s'", p->spec->argv[0]);
	res->status =
		WIFSIGNALED(status) ? SIGNALED_STATUS + WTERMSIG(status) : WEXITSTATUS(status);
	res->seconds = seconds_since(&p->started);
	res->cpu_seconds = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
			   (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
	res->peak_kib = usage.ru_maxrss;
	return NULL;
}

static struct rk_err *wait_for(struct rk_process *p, struct rk_process_result *ret)
{
	_cleanup_process_result_ struct rk_process_result res = {};
	enum watch_end end = WATCH_EXITED;
	struct rk_err *err = watch(p, &end);

	if (err || end != WATCH_EXITED)
		end_group(p);

	struct rk_err *reap_err = reap(p, &res);
	if (err || reap_err) {
		rk_err_free(err ? reap_err : NULL);
		return err ? err : reap_err;
	}
	if (end == WATCH_INTERRUPTED)
		return rk_err(RK_ERR_INTERRUPTED, "interrupted while '%s' ran", p->spec->argv[0]);
	if (end == WATCH_TIMEOUT)
		return rk_err(RK_ERR_TIMEOUT, "'%s' took longer than %g s", p->spec->argv[0],
			      p->spec->timeout_ms / 1000.0);
	RK_TRY(finish_output(p, &res.output));
	*ret = res;
	res.output = (struct rk_str)RK_STR_INIT;
	return NULL;
}

struct rk_err *rk_process_wait(struct rk_process *process, struct rk_process_result *ret)
{
	struct rk_err *err = wait_for(process, ret);

	process_destroy(process);
	return err;
}

struct rk_err *rk_process_run(const struct rk_process_spec *spec, struct rk_process_result *ret)
{
	struct rk_process *process;

	RK_TRY(rk_process_start(spec, &process));
	return rk_process_wait(process, ret);
}

/* The last lines of output, as much as an error message can bear, without the final newline. */
static const char *last_lines(struct rk_str *output)
{
	while (output->len > 0 && output->s[output->len - 1] == '\n')
		output->s[--output->len] = '\0';

	const char *s = rk_str_get(output);
	const char *p = s + output->len;
	for (int lines = 0; p > s && (size_t)(s + output->len - p) < QUOTED_BYTES; p--) {
		if (p[-1] == '\n' && ++lines == QUOTED_LINES)
			break;
	}
	return p;
}

struct rk_err *rk_process_check(const struct rk_process_spec *spec, struct rk_process_result *ret)
{
	_cleanup_process_result_ struct rk_process_result res = {};

	RK_TRY(rk_process_run(spec, &res));
	if (res.status != 0) {
		const char *quoted = last_lines(&res.output);

		if (res.status > SIGNALED_STATUS)
			return rk_err(RK_ERR_TOOL, "'%s' was killed by signal %d%s%s",
				      spec->argv[0], res.status - SIGNALED_STATUS,
				      *quoted ? ":\n" : "", quoted);
		return rk_err(RK_ERR_TOOL, "'%s' failed with status %d%s%s", spec->argv[0],
			      res.status, *quoted ? ":\n" : "", quoted);
	}
	*ret = res;
	res.output = (struct rk_str)RK_STR_INIT;
	return NULL;
}
