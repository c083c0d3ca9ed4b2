/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One step runs as a child that init never waits for without a limit: a module whose init hangs leaves a task
 * that can't be killed. Meanwhile the child's words and the kernel's log are relayed in the order they come.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/livepatch/internal.h"
#include "tools/kpatch-test/guest/guest.h"

#define POLL_MS	     100
#define KILL_WAIT_MS 1000
#define LINE_MAX_LEN 2048
#define SETTLE_MS    20
/* beyond the transition's own limit: loading, relocating, waiting for references, collecting stacks */
#define TRANSITION_EXTRA_S 30

struct running {
	const struct guest *guest;
	const struct rk_vm_step *step;
	char index[16];
	pid_t pid;
	int pipe;
	struct rk_str line;   /* not yet complete */
	struct rk_str detail; /* what a failed verb said of itself */
};

static void take_line(struct running *run)
{
	char *fields[RK_VM_FIELDS_MAX];
	_cleanup_free_ char *line = NULL;
	struct rk_err *err = rk_str_take(&run->line, &line);
	size_t nr;

	rk_err_free(err);
	if (!line)
		return;
	if (run->step->verb == RK_VM_CHECK && !rk_has_prefix(line, RK_VM_MARK "detail\t")) {
		guest_say(run->guest->port, "out", run->index, line, NULL);
		return;
	}
	if (!rk_has_prefix(line, RK_VM_MARK))
		return;
	nr = rk_vm_record_split(line + strlen(RK_VM_MARK), fields, RK_VM_FIELDS_MAX);
	if (nr == 2 && rk_streq(fields[0], "detail"))
		rk_str_add(&run->detail, fields[1]);
	else if (nr == 2 && rk_streq(fields[0], "note"))
		guest_say(run->guest->port, "note", run->index, fields[1], NULL);
	else if (nr == 4 && rk_streq(fields[0], "task"))
		guest_say(run->guest->port, "task", run->index, fields[1], fields[2], fields[3],
			  NULL);
}

/* Reads what is there now; false at the end. */
static bool read_pipe(struct running *run)
{
	char buf[4096];
	ssize_t n;

	while ((n = read(run->pipe, buf, sizeof(buf))) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			if (buf[i] == '\n' ||
			    (run->step->verb == RK_VM_CHECK && run->line.len >= LINE_MAX_LEN))
				take_line(run);
			if (buf[i] != '\n' && buf[i] != '\0')
				rk_str_add_char(&run->line, buf[i]);
		}
	}
	return n < 0;
}

static pid_t session_of(const char *pid)
{
	_cleanup_str_ struct rk_str stat = RK_STR_INIT;
	_cleanup_free_ char *path = rk_asprintf("/proc/%s/stat", pid);
	bool found = false;
	int session = -1;

	struct rk_err *err = path ? rk_livepatch_read_small(path, 4096, &stat, &found) : NULL;
	rk_err_free(err);
	/* the name in parentheses may hold anything */
	const char *rest = found ? strrchr(rk_str_get(&stat), ')') : NULL;
	if (!rest || sscanf(rest, ") %*c %*d %*d %d", &session) != 1)
		return -1;
	return session;
}

static void read_task_file(const char *pid, const char *name, struct rk_str *ret)
{
	_cleanup_free_ char *path = rk_asprintf("/proc/%s/%s", pid, name);
	bool found;
	struct rk_err *err = path ? rk_livepatch_read_small(path, 16 * 1024, ret, &found) : NULL;

	rk_err_free(err);
}

/* Says where the step's processes are in the kernel. */
static void say_tasks(const struct running *run)
{
	_cleanup_closedir_ DIR *dir = opendir("/proc");
	struct dirent *ent;

	while (dir && (ent = readdir(dir))) {
		_cleanup_str_ struct rk_str comm = RK_STR_INIT;
		_cleanup_str_ struct rk_str stack = RK_STR_INIT;

		if (!isdigit((unsigned char)ent->d_name[0]) || session_of(ent->d_name) != run->pid)
			continue;
		read_task_file(ent->d_name, "comm", &comm);
		read_task_file(ent->d_name, "stack", &stack);
		guest_say(run->guest->port, "task", run->index, ent->d_name, rk_str_get(&comm),
			  rk_str_get(&stack), NULL);
	}
}

/* True when the child ended before the deadline (seconds of guest_seconds()). */
static bool relay_until(struct running *run, int pidfd, double deadline)
{
	bool is_open = true;

	for (;;) {
		struct pollfd fds[] = {
			{.fd = pidfd, .events = POLLIN},
			{.fd = run->guest->kmsg, .events = POLLIN},
			{.fd = is_open ? run->pipe : -1, .events = POLLIN},
		};

		if (poll(fds, ARRAY_SIZE(fds), POLL_MS) < 0 && errno != EINTR)
			return false;
		if (fds[1].revents)
			guest_relay_log(run->guest);
		if (fds[2].revents)
			is_open = read_pipe(run);
		if (fds[0].revents) {
			if (is_open)
				read_pipe(run);
			return true;
		}
		if (guest_seconds() >= deadline)
			return false;
	}
}

static void say_end(struct running *run, const char *outcome, double seconds)
{
	_cleanup_free_ char *text = rk_asprintf("%.2f", seconds);

	if (run->line.len)
		take_line(run);
	guest_say(run->guest->port, "end", run->index, outcome, text ? text : "0",
		  rk_str_get(&run->detail), NULL);
}

/* A task stuck in the kernel doesn't die of this: then it is left behind. */
static void end_child(const struct running *run)
{
	kill(-run->pid, SIGKILL);
	for (int ms = 0; ms < KILL_WAIT_MS && waitpid(run->pid, NULL, WNOHANG) == 0; ms += POLL_MS)
		usleep(POLL_MS * 1000);
}

static enum guest_outcome finish(struct running *run, double started)
{
	int status = 0;

	waitpid(run->pid, &status, 0);
	/* what the step made the kernel say belongs to the step */
	usleep(SETTLE_MS * 1000);
	guest_relay_log(run->guest);
	if (WIFSIGNALED(status))
		rk_str_addf(&run->detail, "killed by signal %d (%s)", WTERMSIG(status),
			    strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status) && !run->detail.len)
		rk_str_addf(&run->detail, "exit status %d", WEXITSTATUS(status));
	say_end(run, status ? "failed" : "ok", guest_seconds() - started - SETTLE_MS / 1000.0);
	return status ? GUEST_FAILED : GUEST_OK;
}

static enum guest_outcome watch(struct running *run)
{
	bool has_transition = run->step->verb != RK_VM_INSMOD && run->step->verb != RK_VM_CHECK &&
			      run->step->verb != RK_VM_FUNCTIONS;
	/* a load redirects functions, and may take others out at the end of the transition */
	unsigned int limit = run->step->limit_s +
			     (has_transition ? TRANSITION_EXTRA_S + 2 * run->step->work_s : 0);
	double started = guest_seconds();
	_cleanup_close_ int pidfd = pidfd_open(run->pid, 0);

	if (relay_until(run, pidfd, started + limit))
		return finish(run, started);
	say_tasks(run);
	end_child(run);
	guest_relay_log(run->guest);
	rk_str_addf(&run->detail, "did not end within %u s", limit);
	say_end(run, "timeout", guest_seconds() - started);
	return GUEST_TIMEOUT;
}

_Noreturn static void be_child(const struct rk_vm_step *step, int out)
{
	int null = open("/dev/null", O_RDONLY);

	setsid();
	/* the kernel's complaints name the task: not everything is to be "init" */
	prctl(PR_SET_NAME, rk_vm_verb_name(step->verb));
	dup2(null, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	guest_do_step(step);
}

enum guest_outcome guest_run_step(const struct guest *guest, size_t index,
				  const struct rk_vm_step *step)
{
	struct running run = {.guest = guest, .step = step};
	enum guest_outcome outcome;
	int fds[2];

	snprintf(run.index, sizeof(run.index), "%zu", index);
	guest_say(guest->port, "begin", run.index, NULL);
	if (pipe2(fds, O_CLOEXEC)) {
		guest_say(guest->port, "end", run.index, "failed", "0", strerror(errno), NULL);
		return GUEST_FAILED;
	}
	run.pid = fork();
	if (!run.pid)
		be_child(step, fds[1]);
	close(fds[1]);
	run.pipe = fds[0];
	fcntl(run.pipe, F_SETFL, O_NONBLOCK);
	if (run.pid < 0) {
		guest_say(guest->port, "end", run.index, "failed", "0", strerror(errno), NULL);
		outcome = GUEST_FAILED;
	} else {
		outcome = watch(&run);
	}
	close(run.pipe);
	rk_str_deinit(&run.line);
	rk_str_deinit(&run.detail);
	return outcome;
}
