/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process ends at every step of a change that touches the disk or the kernel, one run for each, and then the host boots: whatever the
 * step was, what is on disk is whole, a level the kernel had got isn't loaded again unless it was good, and the older good one is.
 * The steps are fsync(), rename() and unlink(), which this program defines over the library's, and the fake kernel's insertion.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "tests/unit/hostmake.h"
#include "tests/unit/tap.h"

#define CRASHED	  42
#define STEPS_MAX 400

static struct hostmake h;
static unsigned int steps, crash_at; /* 0: never */
static bool is_kernel;		     /* what happens now is the fake kernel's own doing */
static struct rk_str
	trace; /* f: a file synced, d: a directory, r: renamed, u: removed, I: inserted */

static void step(char what)
{
	if (is_kernel)
		return;
	steps++;
	if (crash_at && steps == crash_at)
		_exit(CRASHED);
	rk_str_add_char(&trace, what);
}

int fsync(int fd)
{
	struct stat st;

	/* that it is called is what matters here: a process that ends loses nothing */
	step(!fstat(fd, &st) && S_ISDIR(st.st_mode) ? 'd' : 'f');
	return 0;
}

int rename(const char *from, const char *to)
{
	step('r');
	return (int)syscall(SYS_rename, from, to);
}

int unlink(const char *path)
{
	step('u');
	return (int)syscall(SYS_unlink, path);
}

static int (*real_insert)(void *ctx, int fd, const char *path);

static int insert(void *ctx, int fd, const char *path)
{
	int error;

	step('I');
	is_kernel = true;
	error = real_insert(ctx, fd, path);
	is_kernel = false;
	step('i');
	return error;
}

static int (*real_remove)(void *ctx, const char *name);

static int remove_module(void *ctx, const char *name)
{
	int error;

	step('M');
	is_kernel = true;
	error = real_remove(ctx, name);
	is_kernel = false;
	return error;
}

/* A host on which level 1 is good and loaded. */
static void begin(unsigned int nr, const char *scenario)
{
	_cleanup_apply_result_ struct rk_apply_result loaded = {}, good = {};
	_cleanup_free_ char *name = rk_asprintf("%s-%u", scenario, nr);
	struct rk_err *err;

	crash_at = 0;
	hostmake_init(&h, name);
	hostmake_install(&h, 1);
	err = hostmake_load(&h, 1, false, &loaded);
	if (!err)
		err = hostmake_confirm(&h, &good);
	if (err)
		bail_out("%s", rk_err_message(err));
	real_insert = h.sys.calls.insert;
	real_remove = h.sys.calls.remove;
	h.sys.calls.insert = insert;
	h.sys.calls.remove = remove_module;
}

/* Whether the kernel has got this level's module. */
static bool kernel_has(unsigned int level)
{
	_cleanup_free_ char *path = rk_asprintf("%s/module/kpatch_%u", h.sys.roots.sys, level);

	return rk_fs_is_dir(path);
}

/* --- scenarios: what the child does --- */

static struct rk_err *upgrade(void)
{
	_cleanup_apply_result_ struct rk_apply_result loaded = {}, good = {};

	hostmake_install(&h, 2);
	RK_TRY(hostmake_load(&h, 2, false, &loaded));
	return hostmake_confirm(&h, &good);
}

static struct rk_err *downgrade(void)
{
	_cleanup_apply_result_ struct rk_apply_result loaded = {}, good = {};

	RK_TRY(hostmake_load(&h, 1, false, &loaded));
	return hostmake_confirm(&h, &good);
}

static struct rk_err *boot(void)
{
	_cleanup_apply_result_ struct rk_apply_result loaded = {}, good = {};
	struct rk_boot_review review;

	RK_TRY(hostmake_boot(&h, &review, &loaded));
	return hostmake_confirm(&h, &good);
}

/* Runs fn in a process that ends at step nr; true if it did. */
static bool run_to(unsigned int nr, struct rk_err *(*fn)(void))
{
	int status = 0;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		steps = 0;
		crash_at = nr;
		_cleanup_err_ struct rk_err *err = fn();
		_exit(err ? 1 : 0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		bail_out("a child ended in no way it should");
	if (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != CRASHED)
		bail_out("a scenario failed by itself");
	return WEXITSTATUS(status) == CRASHED;
}

static void check_disk(void)
{
	_cleanup_patches_ struct rk_patches *patches = NULL;

	ok(!h.state->damaged, "the state is whole");
	no_err(rk_patches_list(h.host, HOST_BUILD_ID, &patches), "levels");
	ok(patches && !patches->damaged.nr && rk_patches_find(patches, 1),
	   "are whole, the old one is there");
}

/* What the host does at its next boot. */
static const char *boot_again(void)
{
	_cleanup_apply_result_ struct rk_apply_result result = {};
	struct rk_boot_review review = {};

	hostmake_reboot(&h, 100000);
	check_disk();
	no_err(hostmake_boot(&h, &review, &result), "the next boot");
	return rk_boot_finding_name(review.finding);
}

static void test_upgrade(void)
{
	for (unsigned int nr = 1; nr < STEPS_MAX; nr++) {
		bool crashed, had, good;
		const char *finding;

		begin(nr, "upgrade");
		crashed = run_to(nr, upgrade);
		had = kernel_has(2);
		hostmake_read_state(&h);
		good = rk_streq(hostmake_verdict(&h, 2), "good");
		finding = boot_again();
		uint64_t loaded = hostmake_loaded(&h);
		if (had && !good)
			ok(loaded == 1 && rk_streq(hostmake_verdict(&h, 2), "blocked"),
			   "step %u: the kernel had level 2: %s, level %u is loaded", nr, finding,
			   (unsigned int)loaded);
		else
			ok(loaded == (good ? 2 : loaded) && loaded > 0,
			   "step %u: %s, level %u is loaded", nr, finding, (unsigned int)loaded);
		hostmake_deinit(&h);
		if (!crashed)
			return;
	}
	ok(false, "the sequence comes to an end");
}

static void test_downgrade(void)
{
	for (unsigned int nr = 1; nr < STEPS_MAX; nr++) {
		bool crashed;

		begin(nr, "downgrade");
		if (run_to(0, upgrade))
			bail_out("the upgrade failed");
		hostmake_read_state(&h);
		crashed = run_to(nr, downgrade);
		const char *finding = boot_again();
		/* level 2 was good and level 1 was the one being tried: either is a state of before or after */
		ok(hostmake_loaded(&h) == 2, "step %u: %s", nr, finding);
		is_str(hostmake_verdict(&h, 2), "good", "what was not touched stays good");
		hostmake_deinit(&h);
		if (!crashed)
			return;
	}
	ok(false, "the sequence comes to an end");
}

/* The boot that finds a crash goes down itself. */
static void test_boot_after_crash(void)
{
	for (unsigned int nr = 1; nr < STEPS_MAX; nr++) {
		_cleanup_apply_result_ struct rk_apply_result loaded = {};
		bool crashed;

		begin(nr, "boot");
		hostmake_install(&h, 2);
		no_err(hostmake_load(&h, 2, false, &loaded), "level 2 loads");
		hostmake_reboot(&h, 5);
		crashed = run_to(nr, boot);
		ok(!kernel_has(2), "step %u: level 2 isn't tried again", nr);
		const char *finding = boot_again();
		is_str(hostmake_verdict(&h, 2), "blocked", finding);
		ok(hostmake_loaded(&h) != 2, "step %u: nor in the boot after that", nr);
		hostmake_deinit(&h);
		if (!crashed)
			return;
	}
	ok(false, "the boot comes to an end");
}

/* Before the kernel gets a module all that was written is on the disk: files before their names, names with their directories. */
static void test_order(void)
{
	const char *text, *inserted;

	begin(0, "order");
	rk_str_clear(&trace);
	no_err(upgrade(), "an upgrade");
	text = rk_str_get(&trace);
	inserted = strchr(text, 'I');
	ok(inserted && inserted > text && inserted[-1] == 'd', "synced before the insertion: %s",
	   text);
	for (const char *c = text; *c; c++) {
		if (*c == 'r')
			ok(c > text && c[-1] == 'f' && c[1] == 'd',
			   "a file is synced, named, its name synced");
		/* what is noted of a module lies in memory and goes with it */
		if (*c == 'u' && c[-1] != 'M')
			ok(c[1] == 'd', "a removal is synced");
	}
	hostmake_deinit(&h);
}

int main(void)
{
	test_order();
	test_upgrade();
	test_downgrade();
	test_boot_after_crash();
	rk_str_deinit(&trace);
	return done_testing();
}
