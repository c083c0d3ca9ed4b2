/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The apply sequence and the boot-loop guard, case by case, on a host of plain files. */
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

static void test_good(void)
{
	_cleanup_intent_ struct rk_intent *intent = NULL;
	_cleanup_apply_result_ struct rk_apply_result result = {}, again = {};

	hostmake_init(&h, "good");
	hostmake_install(&h, 1);
	no_err(hostmake_load(&h, 1, false, &result), "loads");
	is_int((long long)result.before, 0, "nothing was loaded");
	is_int((long long)result.after, 1, "level 1 is");
	no_err(rk_intent_read(h.host, &intent), "the record");
	ok(intent && intent->phase == RK_INTENT_QUIET && intent->level == 1, "is being watched");
	is_str(hostmake_verdict(&h, 1), "none", "not good yet");
	no_err(hostmake_confirm(&h, &again), "quiet");
	hostmake_read_state(&h);
	is_str(hostmake_verdict(&h, 1), "good", "good, also on disk");
	ok(!rk_fs_exists(h.host->intent_file), "the record is gone");
	is_str(h.state->loaded.name, "kpatch_1", "what is loaded is known");
	rk_apply_result_deinit(&result);
	no_err(hostmake_load(&h, 1, false, &result), "again");
	is_str(rk_apply_code_name(result.code), "already", "is nothing to do");
	hostmake_deinit(&h);
}

static int (*real_insert)(void *ctx, int fd, const char *path);
static bool is_locked;

static int insert_locked(void *ctx, int fd, const char *path)
{
	_cleanup_free_ char *file = rk_path_join(h.host->roots.run, "lock");
	_cleanup_close_ int lock = -1;

	no_err(rk_fs_lock(file, RK_LOCK_EXCLUSIVE, true, &lock), "the lock of kpatch");
	is_locked = lock < 0;
	return real_insert(ctx, fd, path);
}

/* kpatch and readykernel plan by what is loaded: only one of them at a time. */
static void test_lock(void)
{
	_cleanup_apply_result_ struct rk_apply_result result = {};

	hostmake_init(&h, "lock");
	hostmake_install(&h, 1);
	real_insert = h.sys.calls.insert;
	h.sys.calls.insert = insert_locked;
	no_err(hostmake_load(&h, 1, false, &result), "a level loads");
	ok(is_locked, "while kpatch can't");
	hostmake_deinit(&h);
}

static void test_levels(void)
{
	_cleanup_apply_result_ struct rk_apply_result result = {};
	_cleanup_patches_ struct rk_patches *patches = NULL;
	struct rk_apply apply;

	hostmake_init(&h, "levels");
	for (unsigned int level = 1; level <= 3; level++)
		hostmake_install(&h, level);
	hostmake_load_good(&h, 2);
	h.sys.log[0] = 0;
	hostmake_load_good(&h, 3);
	is_str(h.sys.log, "+kpatch_3 -kpatch_2", "a newer one replaces at once");
	h.sys.log[0] = 0;
	hostmake_load_good(&h, 1);
	is_str(h.sys.log, "-kpatch_3 +kpatch_1", "for an older one what is loaded goes first");
	no_err(rk_patches_list(h.host, HOST_BUILD_ID, &patches), "the levels");
	apply = hostmake_apply(&h);
	no_err(rk_apply_unload(&apply, patches, false, &result), "unloads");
	is_int((long long)hostmake_loaded(&h), 0, "nothing is loaded");
	is_int((long long)result.before, 1, "it was level 1");
	rk_apply_result_deinit(&result);
	no_err(rk_apply_unload(&apply, patches, false, &result), "again");
	is_str(rk_apply_code_name(result.code), "already", "is nothing to do");
	hostmake_deinit(&h);
}

static void test_downgrade_fails(void)
{
	_cleanup_apply_result_ struct rk_apply_result result = {};

	hostmake_init(&h, "downgrade-fails");
	hostmake_install(&h, 1);
	hostmake_install(&h, 2);
	hostmake_load_good(&h, 2);
	hostmake_stick(&h, "kpatch_1");
	is_err_like(hostmake_load(&h, 1, false, &result), RK_ERR_TIMEOUT, "it was taken back",
		    "an older level whose transition doesn't end");
	hostmake_unstick(&h);
	is_str(rk_apply_code_name(result.code), "stalled", "is told");
	ok(result.restored, "what was loaded is loaded again");
	is_int((long long)hostmake_loaded(&h), 2, "level 2");
	ok(!rk_fs_exists(h.host->intent_file), "no record is left");
	is_str(h.state->last_error.code, "stalled", "the failure is known");
	is_str(h.state->loaded.name, "kpatch_2", "and what is loaded");
	hostmake_deinit(&h);
}

static int switch_stays(struct sysmake *sys, const char *name, bool enabled)
{
	sysmake_patch(sys, name, enabled ? "1\n" : "0\n", enabled ? "0\n" : "1\n");
	return 0;
}

/* The level that has to go first can't: it is what is loaded still. */
static void test_downgrade_stays(void)
{
	_cleanup_apply_result_ struct rk_apply_result result = {};

	hostmake_init(&h, "downgrade-stays");
	hostmake_install(&h, 1);
	hostmake_install(&h, 2);
	hostmake_load_good(&h, 2);
	sysmake_thread(&h.sys, "70", "70", "holder\n", "1\n", "");
	h.sys.switched = switch_stays;
	is_err_like(hostmake_load(&h, 1, false, &result), RK_ERR_TIMEOUT,
		    "cannot unload 'kpatch_2'; it stays enabled", "a level that can't go");
	is_str(rk_apply_code_name(result.code), "stalled", "is told");
	is_int((long long)result.after, 2, "it stays loaded");
	is_int((long long)hostmake_loaded(&h), 2, "indeed");
	is_str(h.state->loaded.name, "kpatch_2", "which is known");
	ok(!rk_fs_exists(h.host->intent_file), "no record is left of the other");
	hostmake_deinit(&h);
}

/* The transition was over before it could be reversed: then the new one goes, and the old one had gone. */
static int switch_late(struct sysmake *sys, const char *name, bool enabled)
{
	if (!enabled && rk_streq(name, "kpatch_2")) {
		sysmake_unpatch(sys, "kpatch_1");
		sysmake_patch(sys, "kpatch_2", "0\n", "0\n");
	}
	return 0;
}

static void test_replaced_late(void)
{
	for (int lost = 0; lost < 2; lost++) {
		_cleanup_apply_result_ struct rk_apply_result result = {};

		hostmake_init(&h, lost ? "replaced-lost" : "replaced-late");
		hostmake_install(&h, 1);
		hostmake_load_good(&h, 1);
		hostmake_install(&h, 2);
		hostmake_stick(&h, "kpatch_2");
		h.sys.switched = switch_late;
		if (lost)
			must(rk_fs_remove_tree(h.host->roots.run));
		is_err_like(hostmake_load(&h, 2, false, &result), RK_ERR_TIMEOUT,
			    lost ? "cannot bring back what was loaded before" : "it was taken back",
			    "a replacement that ends as it is reversed");
		is_int((long long)result.after, !lost, "what is loaded now is told");
		is_int((long long)hostmake_loaded(&h), !lost, "as it is");
		is_str(h.state->loaded.name, lost ? "" : "kpatch_1", "and known");
		hostmake_deinit(&h);
	}
}

static void end_finish(void *ctx, const char *phase, const char *text)
{
	(void)ctx;
	(void)phase;
	if (strstr(text, "every task has changed over"))
		sysmake_patch(&h.sys, "kpatch_1", "1\n", "0\n");
}

/* A great patch: no task is left, but the kernel's own work takes longer than the limit. */
static void test_finish(void)
{
	const struct rk_reporter reporter = {.phase = end_finish};
	_cleanup_apply_result_ struct rk_apply_result result = {};
	_cleanup_patches_ struct rk_patches *patches = NULL;
	struct rk_apply apply;

	hostmake_init(&h, "finish");
	hostmake_install(&h, 1);
	h.sys.stuck = "kpatch_1";
	no_err(rk_patches_list(h.host, HOST_BUILD_ID, &patches), "the levels");
	apply = hostmake_apply(&h);
	apply.reporter = &reporter;
	no_err(rk_apply_load(&apply, &patches->list.v[0], &result), "it is waited for");
	is_int((long long)result.after, 1, "and loaded");
	hostmake_deinit(&h);
}

static void unload_ours(const char *error, struct rk_apply_result *ret)
{
	_cleanup_patches_ struct rk_patches *patches = NULL;
	struct rk_apply apply = hostmake_apply(&h);

	no_err(rk_patches_list(h.host, HOST_BUILD_ID, &patches), "the levels");
	struct rk_err *err = rk_apply_unload(&apply, patches, true, ret);
	if (error)
		is_err_like(err, RK_ERR_TIMEOUT, error, "what can't be unloaded");
	else
		no_err(err, "unloads");
}

/* A level whose module something refers to for ever is in nobody's way. */
static void test_held(void)
{
	_cleanup_apply_result_ struct rk_apply_result result = {};

	hostmake_init(&h, "held");
	for (unsigned int level = 1; level <= 3; level++)
		hostmake_install(&h, level);
	hostmake_load_good(&h, 2);
	sysmake_module(&h.sys, "kpatch_1", "OK\n", "1\n");
	h.sys.held = "kpatch_1";
	hostmake_load_good(&h, 3);
	unload_ours(NULL, &result);
	is_int((long long)result.before, 3, "the level that was loaded");
	is_int((long long)hostmake_loaded(&h), 0, "is gone");
	is_str(h.state->loaded.name, "", "and forgotten");
	hostmake_deinit(&h);
}

static int one_stays(struct sysmake *sys, const char *name, bool enabled)
{
	return rk_streq(name, "a_foreign") ? switch_stays(sys, name, enabled) : 0;
}

/* One that can't go doesn't keep the others. */
static void test_unload_goes_on(void)
{
	_cleanup_apply_result_ struct rk_apply_result result = {};

	hostmake_init(&h, "goes-on");
	hostmake_install(&h, 1);
	hostmake_load_good(&h, 1);
	sysmake_patch(&h.sys, "a_foreign", "1\n", "0\n");
	sysmake_thread(&h.sys, "70", "70", "holder\n", "1\n", "");
	h.sys.switched = one_stays;
	unload_ours("cannot unload 'a_foreign'; it stays enabled", &result);
	is_str(rk_apply_code_name(result.code), "stalled", "is told");
	is_int((long long)result.after, 0, "ours went");
	is_int((long long)hostmake_loaded(&h), 0, "all the same");
	is_str(h.state->loaded.name, "", "which is known");
	hostmake_deinit(&h);
}

static void test_refusals(void)
{
	_cleanup_patches_ struct rk_patches *patches = NULL;
	_cleanup_apply_result_ struct rk_apply_result result = {};
	struct rk_apply apply;
	struct rk_patch patch;

	hostmake_init(&h, "refusals");
	hostmake_install(&h, 1);
	no_err(rk_patches_list(h.host, HOST_BUILD_ID, &patches), "the levels");
	apply = hostmake_apply(&h);
	patch = patches->list.v[0];
	patch.version = "#1 SMP another";
	is_err_like(rk_apply_load(&apply, &patch, &result), RK_ERR_TARGET,
		    "level 1 is for another kernel: its version is '#1 SMP another'",
		    "another version");
	is_str(rk_apply_code_name(result.code), "wrong-kernel", "is told");
	patch = patches->list.v[0];
	patch.build_id = "ff112233445566778899aabbccddeeff00112233";
	is_err_like(rk_apply_load(&apply, &patch, &result), RK_ERR_TARGET, "its build-id is 'ff11",
		    "another build-id");
	h.settings->unsigned_modules = RK_UNSIGNED_REFUSE;
	is_err_like(rk_apply_load(&apply, &patches->list.v[0], &result), RK_ERR_VERDICT,
		    "carries no signature for the kernel", "an unsigned module");
	is_str(rk_apply_code_name(result.code), "refused", "where these are refused");
	h.settings->unsigned_modules = RK_UNSIGNED_ALLOW;
	patch = patches->list.v[0];
	patch.name = "kpatch_9";
	is_err_like(rk_apply_load(&apply, &patch, &result), RK_ERR_TARGET,
		    "is module 'kpatch_1', not 'kpatch_9'", "another name");
	ok(!chmod(patches->list.v[0].module_path, 0666), "others may write it");
	is_err_like(rk_apply_load(&apply, &patches->list.v[0], &result), RK_ERR_STATE,
		    "can be written by others", "a module that others can write to");
	ok(!chmod(patches->list.v[0].module_path, 0644), "now they may not");
	h.sys.error = ENOEXEC;
	is_err_like(rk_apply_load(&apply, &patches->list.v[0], &result), RK_ERR_SYS,
		    "the kernel refused", "a kernel that refuses");
	is_str(rk_apply_code_name(result.code), "refused", "is told");
	is_int((long long)hostmake_loaded(&h), 0, "nothing was loaded by any of these");
	ok(!rk_fs_exists(h.host->intent_file), "and no record is left");
	hostmake_deinit(&h);
}

static struct rk_err *refuse(void *ctx, const struct rk_patch *patch)
{
	unsigned int *left = ctx;

	(void)patch;
	return *left && !--*left ? rk_err(RK_ERR_SIGNATURE, "a signature doesn't hold") : NULL;
}

static void test_verify(void)
{
	_cleanup_patches_ struct rk_patches *patches = NULL;

	hostmake_init(&h, "verify");
	hostmake_install(&h, 1);
	no_err(rk_patches_list(h.host, HOST_BUILD_ID, &patches), "the levels");
	for (unsigned int nth = 1; nth <= 2; nth++) {
		_cleanup_apply_result_ struct rk_apply_result result = {};
		struct rk_apply apply = hostmake_apply(&h);
		unsigned int left = nth;

		apply.verify = refuse;
		apply.verify_ctx = &left;
		is_err(rk_apply_load(&apply, &patches->list.v[0], &result), RK_ERR_SIGNATURE,
		       "a signature doesn't hold",
		       nth == 1 ? "what doesn't verify"
				: "what doesn't verify just before the load");
		is_str(rk_apply_code_name(result.code), "unverified", "is told");
		is_int((long long)hostmake_loaded(&h), 0, "nothing is loaded");
		ok(!rk_fs_exists(h.host->intent_file), "no record is left");
	}
	sysmake_put(h.host->root, patches->list.v[0].module_path + strlen(h.host->root) + 1,
		    "not the module");
	_cleanup_apply_result_ struct rk_apply_result result = {};
	is_err_like(hostmake_load(&h, 1, false, &result), RK_ERR_HASH, "level 1 has",
		    "another file in its place");
	hostmake_deinit(&h);
}

static void test_crash(void)
{
	_cleanup_apply_result_ struct rk_apply_result result = {};

	hostmake_init(&h, "crash");
	hostmake_install(&h, 1);
	hostmake_load_good(&h, 1);
	hostmake_install(&h, 2);
	no_err(hostmake_load(&h, 2, false, &result), "level 2 loads");
	hostmake_reboot(&h, 5);
	hostmake_check_boot(&h, "crashed", 1, "ok");
	is_str(hostmake_verdict(&h, 2), "blocked", "the newer level is blocked");
	is_str(hostmake_verdict(&h, 1), "good", "the older one is good");
	hostmake_read_state(&h);
	is_str(rk_host_state_find(h.state, HOST_BUILD_ID, 2)->reason,
	       "the host went down before it had been quiet long enough",
	       "with its reason, on disk");
	rk_apply_result_deinit(&result);
	is_err_like(hostmake_load(&h, 2, false, &result), RK_ERR_VERDICT,
		    "level 2 is blocked on this host: the host went down before it had been quiet "
		    "long enough; 'readykernel load --force 2' tries it again",
		    "it isn't loaded again");
	rk_apply_result_deinit(&result);
	no_err(hostmake_load(&h, 2, true, &result), "but by force");
	is_str(hostmake_verdict(&h, 2), "none", "which forgets the block");
	rk_apply_result_deinit(&result);
	no_err(hostmake_confirm(&h, &result), "and is watched");
	is_str(hostmake_verdict(&h, 2), "good", "to be good");
	hostmake_deinit(&h);
}

static void test_boot_loop(void)
{
	hostmake_init(&h, "boot-loop");
	hostmake_install(&h, 1);
	hostmake_load_good(&h, 1);
	hostmake_install(&h, 2);
	hostmake_install(&h, 3);
	/* each boot goes down right after its load, until nothing is left */
	hostmake_reboot(&h, 100000);
	hostmake_check_boot(&h, "fine", 3, "ok");
	hostmake_reboot(&h, 5);
	hostmake_check_boot(&h, "crashed", 1, "ok");
	is_str(hostmake_verdict(&h, 2), "none", "what was never good isn't tried after a crash");
	hostmake_reboot(&h, 5);
	hostmake_check_boot(&h, "crashed", 0, "already");
	hostmake_reboot(&h, 5);
	hostmake_check_boot(&h, "fine", 0, "already");
	hostmake_install(&h, 4);
	hostmake_reboot(&h, 5);
	hostmake_check_boot(&h, "fine", 4, "ok");
	hostmake_deinit(&h);
}

static void test_shutdown(void)
{
	_cleanup_apply_result_ struct rk_apply_result result = {};

	hostmake_init(&h, "shutdown");
	hostmake_install(&h, 1);
	no_err(hostmake_load(&h, 1, false, &result), "loads");
	no_err(rk_boot_stopped(h.host, h.kernel, h.state), "shut down while it is watched");
	hostmake_reboot(&h, 5);
	hostmake_check_boot(&h, "stopped", 1, "ok");
	is_str(hostmake_verdict(&h, 1), "none", "isn't blocked");
	hostmake_deinit(&h);
}

/* "systemctl restart": what has been noted as the host's end was none. */
static void test_restart(void)
{
	_cleanup_apply_result_ struct rk_apply_result result = {};

	hostmake_init(&h, "restart");
	hostmake_install(&h, 1);
	hostmake_load_good(&h, 1);
	no_err(rk_boot_stopped(h.host, h.kernel, h.state), "the unit is stopped");
	hostmake_check_boot(&h, "fine", 1, "already");
	hostmake_read_state(&h);
	ok(!h.state->loaded.stopped, "and started again in the same boot");
	hostmake_reboot(&h, 10);
	hostmake_check_boot(&h, "crashed-early", 0, "already");
	is_str(hostmake_verdict(&h, 1), "blocked", "a crash after that is one");
	hostmake_deinit(&h);

	hostmake_init(&h, "restart-watched");
	hostmake_install(&h, 1);
	no_err(hostmake_load(&h, 1, false, &result), "loads");
	no_err(rk_boot_stopped(h.host, h.kernel, h.state), "the same while it is watched");
	hostmake_check_boot(&h, "this-boot", 1, "already");
	hostmake_read_state(&h);
	ok(!h.state->loaded.stopped, "the boot goes on");
	hostmake_reboot(&h, 100000);
	hostmake_check_boot(&h, "crashed", 0, "already");
	is_str(hostmake_verdict(&h, 1), "blocked", "and its crash is the level's");
	hostmake_deinit(&h);
}

static void test_early(void)
{
	hostmake_init(&h, "early");
	hostmake_install(&h, 1);
	hostmake_load_good(&h, 1);
	hostmake_install(&h, 2);
	hostmake_load_good(&h, 2);
	hostmake_reboot(&h, h.settings->crash_window - 10);
	hostmake_check_boot(&h, "crashed-early", 1, "ok");
	is_str(hostmake_verdict(&h, 2), "blocked", "a good level is blocked by a crash soon after");
	hostmake_deinit(&h);

	hostmake_init(&h, "not-early");
	hostmake_install(&h, 1);
	hostmake_load_good(&h, 1);
	no_err(rk_boot_stopped(h.host, h.kernel, h.state), "a shutdown");
	hostmake_reboot(&h, 10);
	hostmake_check_boot(&h, "fine", 1, "ok");
	is_str(hostmake_verdict(&h, 1), "good", "soon after the load is no crash");
	hostmake_deinit(&h);
}

static void test_often(void)
{
	hostmake_init(&h, "often");
	hostmake_install(&h, 1);
	hostmake_load_good(&h, 1);
	for (unsigned int i = 1; i < h.settings->crash_limit; i++) {
		_cleanup_apply_result_ struct rk_apply_result result = {};

		hostmake_reboot(&h, 100000);
		hostmake_check_boot(&h, "fine", 1, "ok");
		no_err(hostmake_confirm(&h, &result), "quiet each time");
	}
	hostmake_reboot(&h, 100000);
	hostmake_check_boot(&h, "crashed-often", 0, "already");
	is_str(hostmake_verdict(&h, 1), "blocked", "boots that never end in a shutdown");
	hostmake_deinit(&h);
}

static void test_clock_back(void)
{
	_cleanup_apply_result_ struct rk_apply_result result = {};

	hostmake_init(&h, "clock-back");
	hostmake_install(&h, 1);
	hostmake_load_good(&h, 1);
	hostmake_reboot(&h, -1000000);
	hostmake_check_boot(&h, "fine", 1, "ok");
	no_err(hostmake_confirm(&h, &result), "goes on");
	is_str(hostmake_verdict(&h, 1), "good", "a clock that went back blames nobody");
	ok(h.state->highest_time > h.now, "but that it did is known");
	hostmake_reboot(&h, -5);
	hostmake_check_boot(&h, "fine", 1, "ok");
	hostmake_reboot(&h, -5);
	hostmake_check_boot(&h, "crashed", 0, "already");
	hostmake_deinit(&h);
}

static void test_switches(void)
{
	static const struct {
		const char *cmdline, *boot, *load;
	} cases[] = {
		{"quiet readykernel=off", "disabled", "disabled"},
		{"readykernel=no-load quiet", "disabled", "disabled"},
		{"kpatch.enable=0", "disabled", "ok"},
		{"readykernel=off readykernel=on", "ok", "already"},
		{"quiet -- readykernel=off", "ok", "already"},
		{"xreadykernel=off readykernel=offx", "ok", "already"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_apply_result_ struct rk_apply_result result = {};

		hostmake_init(&h, cases[i].cmdline);
		hostmake_install(&h, 1);
		hostmake_cmdline(&h, cases[i].cmdline);
		hostmake_check_boot(&h, "fine", rk_streq(cases[i].boot, "ok"), cases[i].boot);
		rk_err_free(hostmake_load(&h, 1, true, &result));
		is_str(rk_apply_code_name(result.code), cases[i].load, cases[i].cmdline);
		is_str(h.state->last_error.code, "", "which is no failure");
		hostmake_deinit(&h);
	}
	hostmake_init(&h, "disable-file");
	hostmake_install(&h, 1);
	sysmake_put(h.host->root, "etc/readykernel/disable", "");
	hostmake_cmdline(&h, "quiet\n");
	hostmake_check_boot(&h, "fine", 0, "disabled");
	_cleanup_apply_result_ struct rk_apply_result result = {};
	_cleanup_free_ char *text =
		rk_asprintf("nothing is loaded: '%s' is there; remove it", h.host->disable_file);
	is_err(hostmake_load(&h, 1, true, &result), RK_ERR_VERDICT, text, "even by force");
	ok(h.kernel->switched >= RK_SWITCH_DISABLED, "and nothing is fetched");
	hostmake_deinit(&h);
	hostmake_init(&h, "disabled while it is fetched");
	hostmake_install(&h, 1);
	sysmake_put(h.host->root, "etc/readykernel/disable", "");
	rk_err_free(hostmake_load(&h, 1, true, &result));
	is_str(rk_apply_code_name(result.code), "disabled", "a switch that came meanwhile wins");
	hostmake_deinit(&h);
}

/* A watch that was killed is taken up by whoever comes after the longest that one may take. */
static void test_unwatched(void)
{
	_cleanup_apply_result_ struct rk_apply_result result = {}, good = {};
	bool is_unwatched;

	hostmake_init(&h, "unwatched");
	hostmake_install(&h, 1);
	struct rk_apply apply = hostmake_apply(&h);
	no_err(rk_apply_is_unwatched(&apply, &is_unwatched), "nothing was loaded");
	ok(!is_unwatched, "there is nothing to watch");
	no_err(hostmake_load(&h, 1, false, &result), "level 1 loads");
	no_err(rk_apply_is_unwatched(&apply, &is_unwatched), "a moment later");
	ok(!is_unwatched, "somebody is at it");
	h.now += 3600;
	no_err(rk_apply_is_unwatched(&apply, &is_unwatched), "an hour later");
	ok(is_unwatched, "nobody is");
	no_err(hostmake_confirm(&h, &good), "it is watched");
	no_err(rk_apply_is_unwatched(&apply, &is_unwatched), "then");
	ok(!is_unwatched, "it is good");
	hostmake_deinit(&h);
}

static void test_autoload_off(void)
{
	hostmake_init(&h, "autoload-off");
	hostmake_install(&h, 1);
	h.settings->autoload = false;
	hostmake_check_boot(&h, "fine", 0, "already");
	hostmake_deinit(&h);
}

/* In a process of its own: an interrupt is for good. */
static int load_interrupted(void)
{
	_cleanup_apply_result_ struct rk_apply_result result = {};

	rk_interrupt();
	_cleanup_err_ struct rk_err *err = hostmake_load(&h, 1, false, &result);

	return err && result.code == RK_APPLY_STUCK;
}

static void test_interrupted_stuck(void)
{
	int status = 0;
	pid_t pid;

	hostmake_init(&h, "interrupted-stuck");
	hostmake_install(&h, 1);
	h.sys.stuck = "kpatch_1";
	sysmake_thread(&h.sys, "77", "77", "vhost-77", "0\n", "[<0>] vhost_worker+0x1/0x2\n");
	sysmake_thread(&h.sys, "78", "78", "vhost-78", "1\n", "");
	fflush(NULL);
	pid = fork();
	if (!pid)
		_exit(load_interrupted() ? 0 : 1);
	ok(pid > 0 && waitpid(pid, &status, 0) == pid && !status,
	   "an interrupted load that can't be taken back is stuck");
	ok(rk_fs_exists(h.host->intent_file), "its record stays");
	hostmake_reboot(&h, 100000);
	hostmake_check_boot(&h, "crashed", 0, "already");
	hostmake_deinit(&h);
}

static void test_damaged(void)
{
	_cleanup_apply_result_ struct rk_apply_result result = {};

	hostmake_init(&h, "damaged");
	hostmake_install(&h, 1);
	hostmake_load_good(&h, 1);
	sysmake_put(h.host->root, "var/lib/readykernel/intent.json", "{\"schema\": \"readyk");
	hostmake_reboot(&h, 100000);
	hostmake_check_boot(&h, "damaged", 0, "already");
	ok(!rk_fs_exists(h.host->intent_file), "the record is set aside");
	hostmake_read_state(&h);
	is_str(h.state->last_error.code, "state-damaged", "which is told");
	hostmake_reboot(&h, 100000);
	hostmake_check_boot(&h, "fine", 1, "ok");
	no_err(hostmake_confirm(&h, &result), "goes on");
	sysmake_put(h.host->root, "var/lib/readykernel/state.json", "{}");
	hostmake_reboot(&h, 100000);
	ok(h.state->damaged, "a state that can't be read");
	is_str(hostmake_verdict(&h, 1), "none", "no level is good by it");
	/* nor is it known any more which took this host down, or where it is frozen */
	hostmake_check_boot(&h, "fine", 0, "already");
	h.state->freeze.kind = RK_FREEZE_NONE;
	no_err(rk_host_state_write(h.host, h.state), "somebody says that it isn't frozen");
	hostmake_reboot(&h, 100000);
	hostmake_check_boot(&h, "fine", 1, "ok");
	hostmake_deinit(&h);
}

/* Files can't grow: what a full disk does to a write. */
static void test_full(void)
{
	const struct rlimit none = {0, RLIM_INFINITY};
	const struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
	_cleanup_apply_result_ struct rk_apply_result result = {};
	struct rk_err *err;

	hostmake_init(&h, "full");
	hostmake_install(&h, 1);
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &none);
	err = hostmake_load(&h, 1, false, &result);
	setrlimit(RLIMIT_FSIZE, &all);
	is_err_like(err, RK_ERR_SYS, "nothing was loaded", "without room for the record");
	is_str(rk_apply_code_name(result.code), "no-intent", "is told");
	is_str(h.sys.log, "", "the kernel wasn't asked");
	hostmake_check_boot(&h, "fine", 1, "ok");
	hostmake_deinit(&h);
}

static void test_queue(void)
{
	_cleanup_apply_result_ struct rk_apply_result result = {};
	_cleanup_queue_ struct rk_queue *queue = NULL;

	hostmake_init(&h, "messages");
	hostmake_install(&h, 1);
	hostmake_load_good(&h, 1);
	hostmake_install(&h, 2);
	no_err(hostmake_load(&h, 2, false, &result), "loads");
	hostmake_reboot(&h, 5);
	hostmake_check_boot(&h, "crashed", 1, "ok");
	no_err(rk_queue_list(h.host, &queue), "what a server would be told");
	_cleanup_str_ struct rk_str text = RK_STR_INIT;
	rk_vec_for_each(&queue->list, item)
		rk_str_addf(&text, "%s:%s ", item->kind,
			    json_string_value(json_object_get(
				    json_object_get(item->message, "body"), "code")));
	is_str(rk_str_get(&text), "ping:ok ping:good ping:ok crash:crashed ping:ok ",
	       "loads, the good level, the crash, and what took its place");
	hostmake_deinit(&h);
}

int main(void)
{
	test_good();
	test_lock();
	test_levels();
	test_downgrade_fails();
	test_downgrade_stays();
	test_replaced_late();
	test_finish();
	test_held();
	test_unload_goes_on();
	test_refusals();
	test_verify();
	test_crash();
	test_boot_loop();
	test_shutdown();
	test_restart();
	test_early();
	test_often();
	test_clock_back();
	test_switches();
	test_unwatched();
	test_autoload_off();
	test_interrupted_stuck();
	test_damaged();
	test_full();
	test_queue();
	return done_testing();
}
