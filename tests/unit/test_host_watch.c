/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The quiet time after a load: what the kernel log says, who comes in between, what becomes of the level. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lib/base/fs.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "lib/host/queue.h"
#include "tests/unit/hostmake.h"
#include "tests/unit/tap.h"

static struct hostmake h;

static void test_warning(void)
{
	_cleanup_apply_result_ struct rk_apply_result result = {}, watched = {};

	hostmake_init(&h, "warning");
	hostmake_install(&h, 1);
	hostmake_load_good(&h, 1);
	hostmake_install(&h, 2);
	hostmake_log(&h, 4, "WARNING: CPU: 0 PID: 1 at fs/x.c:1 f+0x1/0x2 [kpatch_2]");
	hostmake_log(&h, 4, "---[ end trace 0000000000000000 ]---");
	no_err(hostmake_load(&h, 2, false, &result), "what was in the log before doesn't count");
	hostmake_log(&h, 4, "WARNING: CPU: 0 PID: 1 at fs/x.c:1 g+0x1/0x2");
	hostmake_log(&h, 4, "Modules linked in: kpatch_2(OEK) ext4");
	hostmake_log(&h, 4, "RIP: 0010:f+0x11/0x50 [kpatch_2 0123456789abcdef]");
	is_err_like(
		hostmake_confirm(&h, &watched), RK_ERR_VERDICT,
		"the kernel log names level 2 in a report of trouble; it is blocked and was taken "
		"out",
		"a warning that names it");
	is_str(rk_apply_code_name(watched.code), "warned", "is told");
	ok(strstr(rk_str_get(&watched.log), "RIP: 0010:f+0x11/0x50"), "with its lines");
	is_int((long long)hostmake_loaded(&h), 1, "the last good one is loaded");
	is_str(hostmake_verdict(&h, 2), "blocked", "and the new one blocked");
	ok(!rk_fs_exists(h.host->intent_file), "no record is left");
	hostmake_deinit(&h);
}

static struct rk_err *refuse_first(void *ctx, const struct rk_patch *patch)
{
	(void)ctx;
	return patch->level == 1 ? rk_err(RK_ERR_VERDICT, "level 1 is blocked by its publisher")
				 : NULL;
}

/* What it would go back to isn't to be loaded any more: it goes all the same. */
static void test_warning_alone(void)
{
	_cleanup_apply_result_ struct rk_apply_result result = {}, watched = {};
	_cleanup_patches_ struct rk_patches *patches = NULL;
	struct rk_apply apply;

	hostmake_init(&h, "alone");
	hostmake_install(&h, 1);
	hostmake_load_good(&h, 1);
	hostmake_install(&h, 2);
	no_err(hostmake_load(&h, 2, false, &result), "loads");
	hostmake_log(&h, 3, "livepatch: failed to patch 'kpatch_2'");
	no_err(rk_patches_list(h.host, HOST_BUILD_ID, &patches), "the levels");
	apply = hostmake_apply(&h);
	apply.verify = refuse_first;
	is_err_like(rk_apply_confirm(&apply, patches, &watched), RK_ERR_VERDICT,
		    "it is blocked and was taken out", "a warning, and no level to go back to");
	is_int((long long)hostmake_loaded(&h), 0, "nothing is loaded");
	ok(!rk_fs_exists(h.host->intent_file), "no record is left");
	hostmake_deinit(&h);
}

static void test_warning_of_others(void)
{
	_cleanup_apply_result_ struct rk_apply_result result = {}, watched = {};

	hostmake_init(&h, "others");
	hostmake_install(&h, 1);
	no_err(hostmake_load(&h, 1, false, &result), "loads");
	hostmake_log(&h, 4, "WARNING: CPU: 0 PID: 1 at fs/x.c:1 g+0x1/0x2 [ext4]");
	hostmake_log(&h, 4, "Modules linked in: kpatch_1(OEK) ext4 [last unloaded: kpatch_1]");
	hostmake_log(&h, 4, " g+0x1/0x2 [kpatch_12]");
	hostmake_log(&h, 4, "---[ end trace 0000000000000000 ]---");
	hostmake_log(&h, 6, "kpatch_1: hello [kpatch_1]");
	no_err(hostmake_confirm(&h, &watched), "a warning of somebody else's");
	is_str(hostmake_verdict(&h, 1), "good", "is no reason");
	hostmake_deinit(&h);
}

static void test_warning_keep(void)
{
	_cleanup_apply_result_ struct rk_apply_result result = {}, watched = {};

	hostmake_init(&h, "keep");
	hostmake_install(&h, 1);
	h.settings->on_warning = RK_ON_WARNING_KEEP;
	no_err(hostmake_load(&h, 1, false, &result), "loads");
	hostmake_log(&h, 3, "livepatch: failed to patch 'kpatch_1'");
	is_err_like(hostmake_confirm(&h, &watched), RK_ERR_VERDICT, "stays loaded",
		    "a warning with 'keep'");
	is_int((long long)hostmake_loaded(&h), 1, "it is");
	is_str(hostmake_verdict(&h, 1), "blocked", "but blocked for the next boot");
	hostmake_reboot(&h, 5);
	hostmake_check_boot(&h, "fine", 0, "already");
	hostmake_deinit(&h);
}

static void test_vanished(void)
{
	_cleanup_apply_result_ struct rk_apply_result result = {}, watched = {};

	hostmake_init(&h, "vanished");
	hostmake_install(&h, 1);
	no_err(hostmake_load(&h, 1, false, &result), "loads");
	h.sys.calls.remove(&h.sys, "kpatch_1");
	is_err_like(hostmake_confirm(&h, &watched), RK_ERR_VERDICT, "unloaded by somebody else",
		    "what is gone");
	is_str(hostmake_verdict(&h, 1), "none", "isn't good");
	hostmake_read_state(&h);
	is_str(h.state->loaded.name, "", "nor loaded");
	hostmake_reboot(&h, 60);
	hostmake_check_boot(&h, "fine", 1, "ok");
	hostmake_deinit(&h);
}

/* As kpatch says it. */
static void test_unloaded_by_others(void)
{
	_cleanup_apply_result_ struct rk_apply_result result = {};

	hostmake_init(&h, "unloaded-by-others");
	no_err(rk_boot_unloaded(h.host, "kpatch_1"), "where readykernel loaded nothing");
	hostmake_install(&h, 1);
	hostmake_load_good(&h, 1);
	no_err(rk_boot_unloaded(h.host, "kpatch_7"), "another module is unloaded");
	hostmake_read_state(&h);
	is_str(h.state->loaded.name, "kpatch_1", "which changes nothing");
	h.sys.calls.remove(&h.sys, "kpatch_1");
	no_err(rk_boot_unloaded(h.host, "kpatch_1"), "a good level is");
	hostmake_reboot(&h, 60);
	hostmake_install(&h, 2);
	no_err(hostmake_load(&h, 2, false, &result), "one that would be watched");
	h.sys.calls.remove(&h.sys, "kpatch_2");
	no_err(rk_boot_unloaded(h.host, "kpatch_2"), "is unloaded as well");
	hostmake_reboot(&h, 60);
	hostmake_check_boot(&h, "fine", 2, "ok");
	hostmake_deinit(&h);
}

/* In a process of its own: an interrupt is for good. */
static int watch_interrupted(void)
{
	_cleanup_apply_result_ struct rk_apply_result watched = {};

	h.settings->quiet_time = 3600;
	rk_interrupt();
	_cleanup_err_ struct rk_err *err = hostmake_confirm(&h, &watched);

	return err && rk_err_code(err) == RK_ERR_INTERRUPTED &&
	       watched.code == RK_APPLY_INTERRUPTED;
}

static void test_interrupted(void)
{
	_cleanup_apply_result_ struct rk_apply_result result = {}, again = {};
	_cleanup_intent_ struct rk_intent *intent = NULL;
	int status = 0;
	pid_t pid;

	hostmake_init(&h, "interrupted");
	hostmake_install(&h, 1);
	no_err(hostmake_load(&h, 1, false, &result), "loads");
	fflush(NULL);
	pid = fork();
	if (!pid)
		_exit(watch_interrupted());
	ok(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 1,
	   "a watcher that is asked to end says so");
	no_err(rk_intent_read(h.host, &intent), "the record");
	ok(intent && intent->phase == RK_INTENT_STOPPED, "is no crash's");
	no_err(hostmake_confirm(&h, &again), "another watcher goes on");
	is_str(hostmake_verdict(&h, 1), "good", "to the end");
	hostmake_deinit(&h);
}

static void test_stuck_at_boot(void)
{
	hostmake_init(&h, "stuck-at-boot");
	hostmake_install(&h, 1);
	hostmake_load_good(&h, 1);
	hostmake_install(&h, 2);
	no_err(rk_boot_stopped(h.host, h.kernel, h.state), "a shutdown");
	hostmake_reboot(&h, 100);
	hostmake_stick(&h, "kpatch_2");
	hostmake_check_boot(&h, "fine", 1, "ok");
	hostmake_unstick(&h);
	is_str(hostmake_verdict(&h, 2), "none", "a level that stalls is tried again another day");
	hostmake_deinit(&h);
}

/* --- others at work while a level is watched --- */

struct other {
	void (*work)(void); /* what another does as soon as the lock is free */
	unsigned int left, entered;
	struct rk_patches *patches;
};

static void leave(void *ctx)
{
	struct other *other = ctx;

	other->left++;
	if (other->work)
		other->work();
	other->work = NULL;
}

static struct rk_err *enter(void *ctx, struct rk_host_state **ret_state,
			    const struct rk_patches **ret_patches)
{
	struct other *other = ctx;

	other->entered++;
	rk_patches_free(other->patches);
	other->patches = NULL;
	RK_TRY(rk_patches_list(h.host, HOST_BUILD_ID, &other->patches));
	hostmake_read_state(&h);
	*ret_state = h.state;
	*ret_patches = other->patches;
	return NULL;
}

/* Watches level 1 while another does its work; the error is handed on. */
static struct rk_err *watch_beside(void (*work)(void), struct rk_apply_result *ret)
{
	struct other other = {.work = work};
	struct rk_apply_pause pause = {leave, enter, &other};
	_cleanup_patches_ struct rk_patches *patches = NULL;
	struct rk_apply apply = hostmake_apply(&h);

	apply.pause = &pause;
	RK_TRY(rk_patches_list(h.host, HOST_BUILD_ID, &patches));
	struct rk_err *err = rk_apply_confirm(&apply, patches, ret);
	ok(other.left > 0 && other.left == other.entered, "the lock is held again");
	rk_patches_free(other.patches);
	return err;
}

static void load_next(void)
{
	_cleanup_apply_result_ struct rk_apply_result result = {};

	hostmake_install(&h, 2);
	no_err(hostmake_load(&h, 2, false, &result), "somebody else loads the next");
}

static void unload(void)
{
	_cleanup_patches_ struct rk_patches *patches = NULL;
	_cleanup_apply_result_ struct rk_apply_result result = {};
	struct rk_apply apply = hostmake_apply(&h);

	no_err(rk_patches_list(h.host, HOST_BUILD_ID, &patches), "what is installed");
	no_err(rk_apply_unload(&apply, patches, false, &result), "somebody else unloads it");
}

static void unload_and_load(void)
{
	_cleanup_apply_result_ struct rk_apply_result result = {};

	unload();
	no_err(hostmake_load(&h, 1, false, &result), "and loads it again");
}

static void take_out(void)
{
	h.sys.calls.remove(&h.sys, "kpatch_1");
}

static void warn_of_it(void)
{
	hostmake_log(&h, 4, "WARNING: CPU: 0 PID: 1 at foo.c:1 lp+0x1/0x2 [kpatch_1]");
}

static const struct {
	const char *name;
	void (*work)(void);
	const char *code;
	uint64_t loaded;
	const char *verdict; /* on level 1 */
	bool has_record;
} besides[] = {
	{"nobody", NULL, "ok", 1, "good", false},
	{"newer", load_next, "already", 2, "none", true},
	{"unloaded", unload, "already", 0, "none", false},
	{"again", unload_and_load, "already", 1, "none", true},
	{"behind", take_out, "vanished", 0, "none", false},
	{"warned", warn_of_it, "warned", 0, "blocked", false},
};

static void test_beside(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(besides); i++) {
		_cleanup_apply_result_ struct rk_apply_result loaded = {}, watched = {};

		hostmake_init(&h, besides[i].name);
		hostmake_install(&h, 1);
		no_err(hostmake_load(&h, 1, false, &loaded), "loads");
		rk_err_free(watch_beside(besides[i].work, &watched));
		is_str(rk_apply_code_name(watched.code), besides[i].code, besides[i].name);
		is_int((long long)hostmake_loaded(&h), (long long)besides[i].loaded, "loaded");
		hostmake_read_state(&h);
		is_str(hostmake_verdict(&h, 1), besides[i].verdict, "what the watch says of it");
		is_int(rk_fs_exists(h.host->intent_file), besides[i].has_record,
		       "what is to be watched yet");
		hostmake_deinit(&h);
	}
}

/* What can't even be taken back: whatever comes of it is this level's doing. */
static void test_stuck(void)
{
	_cleanup_apply_result_ struct rk_apply_result result = {}, watched = {};

	hostmake_init(&h, "stuck");
	hostmake_install(&h, 1);
	h.sys.stuck = "kpatch_1";
	sysmake_thread(&h.sys, "77", "77", "vhost-77", "0\n", "[<0>] vhost_worker+0x1/0x2\n");
	sysmake_thread(&h.sys, "78", "78", "vhost-78", "1\n", "");
	is_err_like(hostmake_load(&h, 1, false, &result), RK_ERR_TIMEOUT, "cannot take it back",
		    "a transition that ends neither way");
	is_str(rk_apply_code_name(result.code), "stuck", "is told");
	ok(result.blockers.list.nr == 1 && rk_streq(result.blockers.list.v[0].comm, "vhost-77") &&
		   strstr(result.blockers.list.v[0].stack, "vhost_worker"),
	   "with who is in the way, and where");
	is_err_like(hostmake_confirm(&h, &watched), RK_ERR_TIMEOUT,
		    "can't be judged before its end", "it can't become good");
	ok(rk_fs_exists(h.host->intent_file), "the record stays");
	hostmake_reboot(&h, 100000);
	hostmake_check_boot(&h, "crashed", 0, "already");
	hostmake_deinit(&h);
}

int main(void)
{
	test_warning();
	test_warning_alone();
	test_warning_of_others();
	test_warning_keep();
	test_vanished();
	test_unloaded_by_others();
	test_interrupted();
	test_stuck_at_boot();
	test_beside();
	test_stuck();
	return done_testing();
}
