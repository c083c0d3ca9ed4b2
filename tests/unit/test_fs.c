/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files: whole or not at all, also when the disk is full, and trees that hold traps. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lib/base/fs.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "tests/unit/tap.h"

#define LIMIT (1u << 20)

/* A path below the test's directory; a few at a time, in turn. */
static const char *in_tmp(const char *name)
{
	static char *slots[8];
	static size_t next;
	char **slot = &slots[next++ % ARRAY_SIZE(slots)];

	free(*slot);
	*slot = rk_path_join(tap_tmpdir(), name);
	if (!*slot)
		bail_out("out of memory");
	return *slot;
}

static int nr_entries(const char *path)
{
	DIR *dir = opendir(path);
	int nr = 0;

	if (!dir)
		return -1;
	for (const struct dirent *entry; (entry = readdir(dir));)
		nr += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	closedir(dir);
	return nr;
}

static void test_join(void)
{
	static const struct {
		const char *dir, *name, *want;
	} cases[] = {
		{"a", "b", "a/b"},     {"a/", "b", "a/b"}, {"/", "b", "/b"},
		{"a", "/b/c", "/b/c"}, {"", "b", "b"},	   {"a", "", "a/"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *got = rk_path_join(cases[i].dir, cases[i].name);

		is_str(got, cases[i].want, "join");
	}
}

static void test_parent(void)
{
	static const struct {
		const char *path, *want;
	} cases[] = {
		{"a/b", "a"}, {"/a/b/c", "/a/b"}, {"/a", "/"}, {"/", "/"},
		{"a", "."},   {"a/", "a"},	  {"", "."},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *got = rk_path_parent(cases[i].path);

		is_str(got, cases[i].want, cases[i].path);
	}
}

static void test_read_write(void)
{
	const char *path = in_tmp("file");
	_cleanup_free_ char *data = NULL;
	char *untouched = (char *)"untouched";
	struct stat st;
	size_t len = 0;

	no_err(rk_fs_write(path, "a\0b", 3, 0640), "write");
	no_err(rk_fs_read(path, 3, &data, &len), "read up to the limit");
	is_mem(data, len + 1, "a\0b", 4, "content, and a NUL behind it");
	ok(stat(path, &st) == 0 && (st.st_mode & 07777) == 0640, "mode");
	is_err_like(rk_fs_read(path, 2, &untouched, NULL), RK_ERR_LIMIT, "is larger than 2 bytes",
		    "one byte over the limit");
	is_err(rk_fs_read("/nonexistent", LIMIT, &untouched, NULL), RK_ERR_SYS,
	       "cannot open '/nonexistent': No such file or directory", "absent");
	is_err_like(rk_fs_read(tap_tmpdir(), LIMIT, &untouched, NULL), RK_ERR_SYS, "Is a directory",
		    "directory");
	if (mkfifo(in_tmp("fifo"), 0600) == 0)
		is_err_like(rk_fs_read(in_tmp("fifo"), LIMIT, &untouched, NULL), RK_ERR_SYS,
			    "not a regular file", "a FIFO is refused, not waited for");
	is_str(untouched, "untouched", "output is untouched on failure");

	no_err(rk_fs_write(path, "", 0, 0600), "write nothing over it");
	free(take_ptr(data));
	no_err(rk_fs_read(path, 0, &data, &len), "read nothing");
	is_str(data, "", "an empty file is an empty string");

	free(take_ptr(data));
	no_err(rk_fs_read("/proc/self/status", LIMIT, &data, &len), "a file without a size");
	ok(data && len > 100 && rk_has_prefix(data, "Name:"), "is read to its end");
	is_err_like(rk_fs_read("/proc/self/status", 10, &untouched, NULL), RK_ERR_LIMIT,
		    "is larger than 10 bytes", "and has a limit too");
	is_err_like(rk_fs_write("/nonexistent/x", "a", 1, 0600), RK_ERR_SYS,
		    "cannot create '/nonexistent/x': No such file or directory", "no directory");
}

/* With writes beyond 64 KiB failing as on a full disk (EFBIG: the kernel has no other limit for us). */
static void test_full_disk(void)
{
	struct rlimit old, small = {64u << 10, 64u << 10};
	_cleanup_free_ char *big = calloc(1, 256u << 10);
	_cleanup_free_ char *data = NULL;
	const char *dir = in_tmp("full");

	no_err(rk_fs_mkdir_p(dir, 0755), "mkdir");
	no_err(rk_fs_write(in_tmp("full/f"), "old", 3, 0600), "the old content");
	no_err(rk_fs_write(in_tmp("source"), big, 256u << 10, 0600), "a large file");

	getrlimit(RLIMIT_FSIZE, &old);
	small.rlim_max = old.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &small);
	struct rk_err *write_err = rk_fs_write(in_tmp("full/f"), big, 256u << 10, 0600);
	struct rk_err *copy_err = rk_fs_copy(in_tmp("source"), in_tmp("full/f"), 0600);
	setrlimit(RLIMIT_FSIZE, &old);

	is_err_like(write_err, RK_ERR_SYS, "cannot write '", "write on a full disk");
	is_err_like(copy_err, RK_ERR_SYS, "File too large", "copy to a full disk");
	no_err(rk_fs_read(in_tmp("full/f"), LIMIT, &data, NULL), "the old file");
	is_str(data, "old", "is as it was");
	is_int(nr_entries(dir), 1, "nothing half-written is left");
}

static void test_copy(void)
{
	_cleanup_free_ char *big = calloc(1, 300000);
	_cleanup_free_ char *data = NULL;
	size_t len = 0;
	struct stat st;

	memset(big, 'x', 299999);
	no_err(rk_fs_write(in_tmp("from"), big, 300000, 0600), "write");
	no_err(rk_fs_copy(in_tmp("from"), in_tmp("to"), 0755), "copy");
	no_err(rk_fs_read(in_tmp("to"), LIMIT, &data, &len), "read the copy");
	is_mem(data, len, big, 300000, "the same content");
	ok(stat(in_tmp("to"), &st) == 0 && (st.st_mode & 07777) == 0755, "its own mode");

	free(take_ptr(data));
	no_err(rk_fs_copy("/proc/self/status", in_tmp("to"), 0600),
	       "copy from a file without a size");
	no_err(rk_fs_read(in_tmp("to"), LIMIT, &data, &len), "read the copy");
	ok(data && len > 100 && rk_has_prefix(data, "Name:"), "has its content");
	is_err_like(rk_fs_copy(in_tmp("absent"), in_tmp("to"), 0600), RK_ERR_SYS,
		    "absent': No such file", "absent source");
}

static void test_directories(void)
{
	_cleanup_free_ char *made = NULL;
	struct stat st;

	no_err(rk_fs_mkdir_p(in_tmp("a/b//c/"), 0755), "mkdir -p");
	no_err(rk_fs_mkdir_p(in_tmp("a/b/c"), 0755), "again");
	ok(rk_fs_is_dir(in_tmp("a/b/c")), "is there");
	ok(rk_fs_exists(in_tmp("a")) && !rk_fs_exists(in_tmp("z")), "exists");
	no_err(rk_fs_write(in_tmp("a/f"), "x", 1, 0600), "a file");
	is_err_like(rk_fs_mkdir_p(in_tmp("a/f"), 0755), RK_ERR_SYS, "a/f': Not a directory",
		    "a file in the way");
	is_err_like(rk_fs_mkdir_p(in_tmp("a/f/g"), 0755), RK_ERR_SYS, "a/f': Not a directory",
		    "a file on the way");
	no_err(rk_fs_mkdir_parent(in_tmp("p/q/f"), 0755), "what a file is to lie in");
	ok(rk_fs_is_dir(in_tmp("p/q")) && !rk_fs_exists(in_tmp("p/q/f")), "and not it itself");
	no_err(rk_fs_mkdir_parent(in_tmp("p/q/f"), 0755), "that is there");
	no_err(rk_fs_mkdir_parent("name", 0755), "of a name alone");
	is_err_like(rk_fs_mkdir_parent(in_tmp("a/f/g"), 0755), RK_ERR_SYS, "a/f': Not a directory",
		    "that is a file");
	no_err(rk_fs_mkdtemp(tap_tmpdir(), "work-", &made), "mkdtemp");
	ok(made && stat(made, &st) == 0 && (st.st_mode & 07777) == 0700, "private to its owner");
	is_err_like(rk_fs_mkdtemp("/nonexistent", "x", &made), RK_ERR_SYS,
		    "cannot create a directory in '/nonexistent'", "no such place");
}

static void test_write_below(void)
{
	_cleanup_free_ char *data = NULL;
	struct stat st;

	no_err(rk_fs_write_below(tap_tmpdir(), "below/here/f", "x", 1, 0640), "write below");
	no_err(rk_fs_read(in_tmp("below/here/f"), 1, &data, NULL), "read it");
	is_str(data, "x", "its content");
	ok(stat(in_tmp("below/here/f"), &st) == 0 && (st.st_mode & 07777) == 0640, "its mode");
	is_err_like(rk_fs_write_below(in_tmp("below/here/f"), "g", "x", 1, 0640), RK_ERR_SYS,
		    "below/here/f': Not a directory", "below a file");
}

static void test_unlink(void)
{
	struct rk_err *(*const ways[])(const char *) = {rk_fs_unlink, rk_fs_unlink_durably};

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		no_err(rk_fs_write(in_tmp("goes"), "x", 1, 0600), "a file");
		no_err(ways[i](in_tmp("goes")), "remove it");
		ok(!rk_fs_exists(in_tmp("goes")), "it is gone");
		no_err(ways[i](in_tmp("goes")), "an absent one");
		is_err_like(ways[i](tap_tmpdir()), RK_ERR_SYS, "cannot remove '", "a directory");
	}
	no_err(rk_fs_sync_dir(tap_tmpdir()), "sync a directory");
	no_err(rk_fs_sync_dir("/proc"), "on a file system that can't");
	is_err_like(rk_fs_sync_dir("/nonexistent"), RK_ERR_SYS, "cannot open '/nonexistent'",
		    "that isn't there");
}

static void test_remove_tree(void)
{
	no_err(rk_fs_mkdir_p(in_tmp("tree/x/y"), 0755), "a tree");
	no_err(rk_fs_mkdir_p(in_tmp("outside"), 0755), "a directory outside");
	no_err(rk_fs_write(in_tmp("outside/f"), "x", 1, 0600), "with a file");
	ok(symlink(in_tmp("outside"), in_tmp("tree/x/link")) == 0, "a link to it");
	ok(symlink("nowhere", in_tmp("tree/dangling")) == 0, "a dangling link");
	no_err(rk_fs_remove_tree(in_tmp("tree")), "remove");
	ok(!rk_fs_exists(in_tmp("tree")), "it is gone");
	ok(rk_fs_exists(in_tmp("outside/f")), "links aren't followed");
	no_err(rk_fs_remove_tree(in_tmp("tree")), "an absent tree");
	no_err(rk_fs_remove_tree(in_tmp("outside/f")), "a file");
	is_err_like(rk_fs_remove_tree("/proc/self/status"), RK_ERR_SYS, "cannot remove",
		    "what can't be removed");
}

/* Directories in one another, with a file in each, deeper than any path reaches. */
static void make_deep(int depth)
{
	int at = open(in_tmp("deep"), O_RDONLY | O_DIRECTORY);

	for (int i = 0; i < depth && at >= 0; i++) {
		int file = openat(at, "file", O_WRONLY | O_CREAT, 0600);
		int next =
			mkdirat(at, "d", 0700) == 0 ? openat(at, "d", O_RDONLY | O_DIRECTORY) : -1;

		close(file);
		close(at);
		at = next;
	}
	ok(at >= 0, "%d directories deep", depth);
	close(at);
}

static void test_remove_deep(void)
{
	no_err(rk_fs_mkdir_p(in_tmp("deep/deep-1"), 0755), "a directory of the name that is used");
	no_err(rk_fs_write(in_tmp("deep/deep-0"), "x", 1, 0600), "and a file");
	no_err(rk_fs_write(in_tmp("deep/deep-1/file"), "x", 1, 0600), "which is not empty");
	make_deep(3000);
	no_err(rk_fs_remove_tree(in_tmp("deep")), "remove");
	ok(!rk_fs_exists(in_tmp("deep")), "it is gone");
}

static void test_usage(void)
{
	_cleanup_free_ char *big = calloc(1, 100000);
	uint64_t one = 0, two = 0, linked = 0, space = 0;

	memset(big, 'x', 100000);
	no_err(rk_fs_mkdir_p(in_tmp("use/d"), 0755), "mkdir");
	no_err(rk_fs_write(in_tmp("use/d/f"), big, 100000, 0600), "a file");
	no_err(rk_fs_usage(in_tmp("use"), &one), "usage");
	ok(one >= 100000 && one < 200000, "about its size: %llu", (unsigned long long)one);
	ok(link(in_tmp("use/d/f"), in_tmp("use/g")) == 0, "a second name");
	no_err(rk_fs_usage(in_tmp("use"), &linked), "usage");
	ok(linked < one + 50000, "counts once: %llu", (unsigned long long)linked);
	no_err(rk_fs_write(in_tmp("use/h"), big, 100000, 0600), "a second file");
	no_err(rk_fs_usage(in_tmp("use"), &two), "usage");
	ok(two >= linked + 100000, "counts: %llu", (unsigned long long)two);
	is_err_like(rk_fs_usage(in_tmp("absent"), &two), RK_ERR_SYS, "No such file", "absent");
	no_err(rk_fs_free_bytes(tap_tmpdir(), &space), "free space");
	ok(space > 0, "there is some");
	is_err_like(rk_fs_free_bytes(in_tmp("absent"), &space), RK_ERR_SYS, "No such file",
		    "absent");
}

static void test_lock(void)
{
	const char *path = in_tmp("lock");
	int held = -1, other = 5;
	struct stat st = {};

	no_err(rk_fs_lock(path, RK_LOCK_EXCLUSIVE, true, &held), "lock");
	ok(stat(path, &st) == 0 && !(st.st_mode & S_IRWXO),
	   "of a file that others can't even read");
	no_err(rk_fs_lock(path, RK_LOCK_SHARED, true, &other), "a second holder");
	is_int(other, -1, "doesn't get it");
	close(held);
	no_err(rk_fs_lock(path, RK_LOCK_SHARED, true, &held), "shared");
	no_err(rk_fs_lock(path, RK_LOCK_SHARED, true, &other), "shared twice");
	ok(other >= 0, "both hold it");
	close(other);
	no_err(rk_fs_lock(path, RK_LOCK_EXCLUSIVE, true, &other), "exclusive beside shared");
	is_int(other, -1, "doesn't get it");

	pid_t pid = fork();
	if (pid == 0) {
		/* The file is replaced while we wait: the lock must be the one of the new file. */
		int fd = -1;
		struct rk_err *err = rk_fs_lock(path, RK_LOCK_EXCLUSIVE, false, &fd);
		struct stat ours, named;

		_exit(err || fstat(fd, &ours) || stat(path, &named) || ours.st_ino != named.st_ino);
	}
	usleep(150000);
	unlink(path);
	close(held);
	int status = -1;
	waitpid(pid, &status, 0);
	is_int(status, 0, "a waiter gets the lock of the file that is there");

	no_err(rk_fs_lock(path, RK_LOCK_EXCLUSIVE, true, &held), "lock");
	pid = fork();
	if (pid == 0) {
		int fd = -1;

		rk_interrupt();
		struct rk_err *err = rk_fs_lock(path, RK_LOCK_EXCLUSIVE, false, &fd);
		_exit(!err || rk_err_code(err) != RK_ERR_INTERRUPTED);
	}
	waitpid(pid, &status, 0);
	is_int(status, 0, "an interrupt ends the wait");
	close(held);
	is_err_like(rk_fs_lock("/nonexistent/l", RK_LOCK_SHARED, true, &held), RK_ERR_SYS,
		    "cannot open '/nonexistent/l'", "no place for a lock");
}

int main(void)
{
	test_join();
	test_parent();
	test_read_write();
	test_full_disk();
	test_copy();
	test_directories();
	test_write_below();
	test_unlink();
	test_remove_tree();
	test_remove_deep();
	test_usage();
	test_lock();
	for (int i = 0; i < 8; i++)
		in_tmp("");
	return done_testing();
}
