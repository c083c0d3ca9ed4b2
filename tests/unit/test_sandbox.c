/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the process that fetches can't do any more: tried in a child, which tells by its exit status. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <linux/landlock.h>

#include "lib/base/fs.h"
#include "tests/unit/tap.h"
#include "tools/readykernel/sandbox.h"

#define MAX_FILE 4096

enum {
	FINE,
	NO_SANDBOX = 100
};

/* The errno of what try() does within the sandbox in dir; 0 when it succeeds. */
static int within(const char *dir, int (*try)(void))
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		signal(SIGXFSZ, SIG_IGN);
		if (chdir(dir) < 0 || readykernel_sandbox(MAX_FILE))
			_exit(NO_SANDBOX);
		_exit(try());
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int result(long value)
{
	return value < 0 ? errno : FINE;
}

static int write_here(void)
{
	return result(mkdir("new", 0755)) ? EINVAL
					  : result(open("new/file", O_WRONLY | O_CREAT, 0644));
}

static int rename_here(void)
{
	int fd = open("one", O_WRONLY | O_CREAT, 0644);

	return fd < 0 ? errno : result(rename("one", "two"));
}

static int write_elsewhere(void)
{
	return result(open("../elsewhere", O_WRONLY | O_CREAT, 0644));
}

static int change_elsewhere(void)
{
	return result(open("../there", O_WRONLY));
}

static int read_elsewhere(void)
{
	return result(open("../there", O_RDONLY));
}

static int link_here(void)
{
	return result(symlink("/etc/passwd", "link"));
}

static int write_much(void)
{
	char bytes[2 * MAX_FILE] = {};
	int fd = open("much", O_WRONLY | O_CREAT, 0644);

	/* what fits is written, then it ends */
	return fd < 0 || write(fd, bytes, sizeof(bytes)) != MAX_FILE ? EINVAL
								     : result(write(fd, bytes, 1));
}

static int execute(void)
{
	return result(execl("/bin/true", "true", NULL));
}

static int leave_child(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(FINE);
	return result(pid);
}

static int leave_child_by(long number)
{
	long pid = syscall(number, SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		_exit(FINE);
	return result(pid);
}

static int clone_child(void)
{
	return leave_child_by(SYS_clone);
}

static int clone3_child(void)
{
	return result(syscall(SYS_clone3, NULL, 0));
}

#ifdef SYS_fork
static int fork_child(void)
{
	return leave_child_by(SYS_fork);
}
#endif

static int leave_session(void)
{
	return result(setsid());
}

static int leave_group(void)
{
	return result(setpgid(0, 0));
}

static void *end_thread(void *arg)
{
	return arg;
}

static int use_thread(void)
{
	pthread_t thread;
	int error = pthread_create(&thread, NULL, end_thread, NULL);

	return error ? error : pthread_join(thread, NULL);
}

static int new_namespace(void)
{
	return result(unshare(CLONE_NEWUSER));
}

static int mount_something(void)
{
	return result(mount("none", ".", "tmpfs", 0, NULL));
}

static int insert_module(void)
{
	return result(syscall(SYS_finit_module, 0, "", 0));
}

static int use_bpf(void)
{
	return result(syscall(SYS_bpf, 0, NULL, 0));
}

static int new_privileges(void)
{
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? FINE : EINVAL;
}

int main(void)
{
	char *top = NULL;
	long landlock =
		syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	no_err(rk_fs_mkdtemp("/tmp", "rk-sandbox", &top), "a directory");
	char *dir = rk_path_join(top, "incoming"), *there = rk_path_join(top, "there");
	no_err(rk_fs_mkdir_p(dir, 0755), "one below it");
	no_err(rk_fs_write(there, "x", 1, 0644), "a file beside that");

	is_int(within(dir, write_here), FINE, "writes in its directory");
	is_int(within(dir, rename_here), FINE, "renames there");
	is_int(within(dir, read_elsewhere), FINE, "reads elsewhere: certificates, resolv.conf");
	is_int(within(dir, write_much), EFBIG, "no large file");
	is_int(within(dir, new_privileges), FINE, "no new privileges");
	is_int(within(dir, execute), EPERM, "no other program");
	is_int(within(dir, leave_child), EPERM, "no other process");
	is_int(within(dir, clone_child), EPERM, "not by clone() either");
	is_int(within(dir, clone3_child), ENOSYS, "nor by clone3()");
#ifdef SYS_fork
	is_int(within(dir, fork_child), EPERM, "nor by fork()");
#endif
	is_int(within(dir, use_thread), FINE, "a thread");
	is_int(within(dir, leave_group), EPERM, "no process group of its own");
	is_int(within(dir, leave_session), EPERM, "no session of its own");
	is_int(within(dir, new_namespace), EPERM, "no namespace");
	is_int(within(dir, mount_something), EPERM, "no mount");
	is_int(within(dir, insert_module), EPERM, "no module");
	is_int(within(dir, use_bpf), EPERM, "no BPF");
	if (landlock < 1) {
		skip("writing elsewhere", "this kernel has no Landlock");
	} else {
		is_int(within(dir, write_elsewhere), EACCES, "no new file elsewhere");
		is_int(within(dir, change_elsewhere), EACCES, "no change elsewhere");
		is_int(within(dir, link_here), EACCES, "no symbolic link");
	}
	no_err(rk_fs_remove_tree(top), "cleaned up");
	free(top);
	free(dir);
	free(there);
	return done_testing();
}
