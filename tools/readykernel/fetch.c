/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The border between root and the process that fetches: root gives it a user, a directory, a request and two pipes, nothing else.
 * What comes back over the pipe is shown, never acted on.
 */
#include "tools/readykernel/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/process.h"
#include "tools/readykernel/listen.h"

#define POLL_MS 200
#define END_S	5 /* between being asked to end and being ended */

/* --- who it runs as --- */

struct user {
	bool change; /* we are root */
	uid_t uid;
	gid_t gid;
};

/* Of <root>/etc/passwd when the host is a directory. */
static struct passwd *look_up(const struct rk_host *host, char **ret_path)
{
	struct passwd *found = NULL;

	if (!*host->root) {
		*ret_path = strdup("/etc/passwd");
		return getpwnam(READYKERNEL_USER);
	}
	*ret_path = rk_path_join(host->root, "etc/passwd");
	_cleanup_fclose_ FILE *file = *ret_path ? fopen(*ret_path, "re") : NULL;
	while (file && (found = fgetpwent(file)) && !rk_streq(found->pw_name, READYKERNEL_USER))
		;
	return found;
}

static struct rk_err *find_user(const struct rk_host *host, struct user *ret)
{
	_cleanup_free_ char *path = NULL;
	struct passwd *found;

	if (geteuid() != 0) { /* nothing to give up */
		*ret = (struct user){false, geteuid(), getegid()};
		return NULL;
	}
	found = look_up(host, &path);
	if (!found)
		return rk_err(RK_ERR_TOOL,
			      "there is no user '" READYKERNEL_USER
			      "' in '%s', as whom to fetch; the package makes it",
			      path ? path : "/etc/passwd");
	if (found->pw_uid == 0 || found->pw_gid == 0)
		return rk_err(RK_ERR_INVALID,
			      "user '" READYKERNEL_USER "' is root; nothing is fetched as root");
	*ret = (struct user){true, found->pw_uid, found->pw_gid};
	return NULL;
}

/* --- its directory --- */

struct rk_err *readykernel_incoming(const struct rk_host *host)
{
	const char *dir = host->incoming_dir;
	struct user user;

	RK_TRY(find_user(host, &user));
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return rk_err_sys(errno, "cannot create '%s'", dir);
	/* in a directory that only root can write to; a link isn't followed all the same */
	_cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return rk_err_sys(errno, "cannot open '%s'", dir);
	if (user.change && fchown(fd, user.uid, user.gid) < 0)
		return rk_err_sys(errno, "cannot give '%s' to user '" READYKERNEL_USER "'", dir);
	if (fchmod(fd, 0700) < 0)
		return rk_err_sys(errno, "cannot set the mode of '%s'", dir);
	return NULL;
}

/* --- starting it --- */

struct child {
	pid_t pid;
	int out; /* what it says */
};

/* The program stands beside this one where it is built, in libexec where it is installed. */
static struct rk_err *open_program(int *ret)
{
	char self[4096];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	int fd = -1;

	if (len > 0) {
		self[len] = '\0';
		*strrchr(self, '/') = '\0';
		_cleanup_free_ char *beside = rk_path_join(self, "readykernel-fetch");

		fd = beside ? open(beside, O_PATH | O_CLOEXEC) : -1;
	}
	if (fd < 0)
		fd = open(READYKERNEL_LIBEXEC "/readykernel-fetch", O_PATH | O_CLOEXEC);
	if (fd < 0)
		return rk_err_sys(errno, "cannot open '" READYKERNEL_LIBEXEC "/readykernel-fetch'");
	*ret = fd;
	return NULL;
}

/* In the child, with nothing but system calls. Never returns; the status tells the step that failed. */
static void become(const struct user *user, int dir, int program, int in, int out, int input)
{
	static const char *const argv[] = {"readykernel-fetch", NULL};
	static const char *const env[] = {"LC_ALL=C.UTF-8", "PATH=/nonexistent", NULL};

	setpgid(0, 0); /* the terminal's interrupt is for the parent */
	if (fchdir(dir) < 0)
		_exit(100);
	if (user->change &&
	    (setgroups(0, NULL) < 0 || setresgid(user->gid, user->gid, user->gid) < 0 ||
	     setresuid(user->uid, user->uid, user->uid) < 0))
		_exit(101);
	/* that it can't be taken back is worth asking the kernel */
	if (user->change && (setuid(0) == 0 || geteuid() != user->uid || getegid() != user->gid))
		_exit(102);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		_exit(103);
	/* everything else we have open is close-on-exec */
	if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
	    dup2(out, STDERR_FILENO) < 0)
		_exit(104);
	if (input >= 0 && dup2(input, READYKERNEL_INPUT_FD) < 0)
		_exit(104);
	execveat(program, "", (char *const *)argv, (char *const *)env, AT_EMPTY_PATH);
	_exit(105);
}

/* Descriptors that are dup2'ed to 0 … 3 must not be one of them. */
static struct rk_err *move_up(int *fd)
{
	int moved = fcntl(*fd, F_DUPFD_CLOEXEC, READYKERNEL_INPUT_FD + 1);

	if (moved < 0)
		return rk_err_sys(errno, "cannot duplicate a descriptor");
	close(*fd);
	*fd = moved;
	return NULL;
}

struct pipe_pair {
	int read, write;
};

static void pipe_close(struct pipe_pair *p)
{
	rk_cleanup_close(&p->read);
	rk_cleanup_close(&p->write);
}

static struct rk_err *pipe_open(struct pipe_pair *ret)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return rk_err_sys(errno, "cannot make a pipe");
	*ret = (struct pipe_pair){fds[0], fds[1]};
	RK_TRY(move_up(&ret->read));
	return move_up(&ret->write);
}

static struct rk_err *write_request(struct pipe_pair *in, const struct readykernel_request *request)
{
	_cleanup_free_ char *text = NULL;

	RK_TRY(readykernel_request_write(request, &text));
	/* far less than a pipe holds, so nobody needs to read yet */
	if (strlen(text) >= 32768)
		return rk_err(RK_ERR_LIMIT,
			      "the request is too long: see the configuration's URLs");
	if (write(in->write, text, strlen(text)) != (ssize_t)strlen(text))
		return rk_err_sys(errno, "cannot write to a pipe");
	close(take_fd(in->write));
	return NULL;
}

static struct rk_err *start(const struct rk_host *host, const struct readykernel_job *job,
			    struct child *ret)
{
	_cleanup_(pipe_close) struct pipe_pair in = {-1, -1}, out = {-1, -1};
	_cleanup_close_ int program = -1, dir = -1, file = -1;
	struct user user;

	RK_TRY(find_user(host, &user));
	RK_TRY(open_program(&program));
	RK_TRY(move_up(&program));
	dir = open(host->incoming_dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return rk_err_sys(errno, "cannot open '%s'", host->incoming_dir);
	if (job->input >= 0) {
		file = fcntl(job->input, F_DUPFD_CLOEXEC, READYKERNEL_INPUT_FD + 1);
		if (file < 0)
			return rk_err_sys(errno, "cannot duplicate a descriptor");
	}
	RK_TRY(move_up(&dir));
	RK_TRY(pipe_open(&in));
	RK_TRY(pipe_open(&out));
	RK_TRY(write_request(&in, job->request));
	pid_t pid = fork();
	if (pid < 0)
		return rk_err_sys(errno, "cannot start readykernel-fetch");
	if (pid == 0)
		become(&user, dir, program, in.read, out.write, file);
	*ret = (struct child){pid, take_fd(out.read)};
	return NULL;
}

/* --- until its end --- */

/* It has an exit status for waitpid(2), and till then its number is nobody else's. */
static bool has_ended(const struct child *child)
{
	siginfo_t info = {};

	if (waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
		return errno != EINTR;
	return info.si_pid == child->pid;
}

/* Listens until the other side closes the pipe, or is gone and has left it open to others. */
static struct rk_err *listen_to(const struct child *child, struct readykernel_listener *l,
				double end)
{
	char buf[4096];

	for (;;) {
		struct pollfd p = {.fd = child->out, .events = POLLIN};
		bool ended = has_ended(child);
		int n = poll(&p, 1, POLL_MS);

		if (rk_is_interrupted())
			return rk_err(RK_ERR_INTERRUPTED, "interrupted");
		if (rk_clock_seconds() > end)
			return rk_err(RK_ERR_TIMEOUT, "fetching took too long and was given up");
		if (n < 0 && errno != EINTR)
			return rk_err_sys(errno, "cannot wait for readykernel-fetch");
		if (n == 0 && ended)
			return NULL;
		if (n <= 0)
			continue;
		ssize_t got = read(child->out, buf, sizeof(buf));
		if (got < 0 && errno != EINTR)
			return rk_err_sys(errno, "cannot read from readykernel-fetch");
		if (got == 0)
			return NULL;
		if (got > 0)
			readykernel_hear(l, buf, (size_t)got);
	}
}

/* Its end, at the latest after END_S seconds, and that of whatever it may have started. */
static int reap(const struct child *child, bool ask)
{
	double end = rk_clock_seconds() + END_S;
	int status = 0;

	if (ask)
		kill(child->pid, SIGTERM);
	while (!has_ended(child)) {
		if (rk_clock_seconds() > end)
			kill(child->pid, SIGKILL);
		poll(NULL, 0, 10);
	}
	kill(-child->pid, SIGKILL);
	waitpid(child->pid, &status, 0);
	return status;
}

static struct rk_err *outcome(struct readykernel_listener *l, int status)
{
	static const char *const steps[] = {"enter its directory", "change its user",
					    "give up its rights",  "give up new privileges",
					    "connect its pipes",   "be executed"};

	if (l->err)
		return take_ptr(l->err);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && l->done)
		return NULL;
	if (WIFSIGNALED(status))
		return rk_err(RK_ERR_TOOL, "readykernel-fetch was ended by signal %d%s%s",
			      WTERMSIG(status), l->last.len ? ": " : "", rk_str_get(&l->last));
	if (WIFEXITED(status) && WEXITSTATUS(status) >= 100 &&
	    (size_t)WEXITSTATUS(status) < 100 + ARRAY_SIZE(steps))
		return rk_err(RK_ERR_TOOL, "readykernel-fetch could not %s",
			      steps[WEXITSTATUS(status) - 100]);
	return rk_err(RK_ERR_TOOL, "readykernel-fetch ended with status %d%s%s",
		      WEXITSTATUS(status), l->last.len ? ": " : "", rk_str_get(&l->last));
}

struct rk_err *readykernel_fetch(const struct rk_host *host, const struct readykernel_job *job)
{
	_cleanup_(readykernel_listener_deinit) struct readykernel_listener l = {
		.reporter = job->reporter,
		.on_sent = job->on_sent,
		.ctx = job->ctx,
	};
	struct child child = {-1, -1};

	RK_TRY(readykernel_incoming(host));
	RK_TRY(start(host, job, &child));
	struct rk_err *err = listen_to(&child, &l, rk_clock_seconds() + job->limit_s);
	int status = reap(&child, err != NULL);
	close(child.out);
	return err ? err : outcome(&l, status);
}
