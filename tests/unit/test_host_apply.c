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

/* Loads and confirms; both must go well. */
static void load_good(unsigned int level)
{
	_cleanup_apply_result_ struct rk_apply_result loaded = {}, good = {};

	no_err(hostmake_load(&h, level, false, &loaded), "a level loads");
	no_err(hostmake_confirm(&h, &good), "and is good after the quiet time");
	is_str(rk_apply_code_name(good.code), "ok", "it says so");
}

static void check_boot(const char *finding, uint64_t level, const char *code)
{
	_cleanup_apply_result_ struct rk_apply_result result = {};
	struct rk_boot_review review = {};
	struct rk_err *err = hostmake_boot(&h, &review, &result);

	is_str(rk_boot_finding_name(review.finding), finding, "what the last boot ended with");
	is_int((long long)hostmake_loaded(&h), (long long)level, "the level loaded at boot");
	is_str(rk_apply_code_name(result.code), code, "how the boot's load ended");
	rk_err_free(err);
}

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
	load_good(2);
	h.sys.log[0] = 0;
	load_good(3);
	is_str(h.sys.log, "+kpatch_3 -kpatch_2", "a newer one replaces at once");
	h.sys.log[0] = 0;
	load_good(1);
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
	load_good(2);
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
	load_good(2);
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
		load_good(1);
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
	load_good(2);
	sysmake_module(&h.sys, "kpatch_1", "OK\n", "1\n");
	h.sys.held = "kpatch_1";
	load_good(3);
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
	load_good(1);
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
	load_good(1);
	hostmake_install(&h, 2);
	no_err(hostmake_load(&h, 2, false, &result), "level 2 loads");
	hostmake_reboot(&h, 5);
	check_boot("crashed", 1, "ok");
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
	load_good(1);
	hostmake_install(&h, 2);
	hostmake_install(&h, 3);
	/* each boot goes down right after its load, until nothing is left */
	hostmake_reboot(&h, 100000);
	check_boot("fine", 3, "ok");
	hostmake_reboot(&h, 5);
	check_boot("crashed", 1, "ok");
	is_str(hostmake_verdict(&h, 2), "none", "what was never good isn't tried after a crash");
	hostmake_reboot(&h, 5);
	check_boot("crashed", 0, "already");
	hostmake_reboot(&h, 5);
	check_boot("fine", 0, "already");
	hostmake_install(&h, 4);
	hostmake_reboot(&h, 5);
	check_boot("fine", 4, "ok");
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
	check_boot("stopped", 1, "ok");
	is_str(hostmake_verdict(&h, 1), "none", "isn't blocked");
	hostmake_deinit(&h);
}

/* "systemctl restart": what has been noted as the host's end was none. */
static void test_restart(void)
{
	_cleanup_apply_result_ struct rk_apply_result result = {};

	hostmake_init(&h, "restart");
	hostmake_install(&h, 1);
	load_good(1);
	no_err(rk_boot_stopped(h.host, h.kernel, h.state), "the unit is stopped");
	check_boot("fine", 1, "already");
	hostmake_read_state(&h);
	ok(!h.state->loaded.stopped, "and started again in the same boot");
	hostmake_reboot(&h, 10);
	check_boot("crashed-early", 0, "already");
	is_str(hostmake_verdict(&h, 1), "blocked", "a crash after that is one");
	hostmake_deinit(&h);

	hostmake_init(&h, "restart-watched");
	hostmake_install(&h, 1);
	no_err(hostmake_load(&h, 1, false, &result), "loads");
	no_err(rk_boot_stopped(h.host, h.kernel, h.state), "the same while it is watched");
	check_boot("this-boot", 1, "already");
	hostmake_read_state(&h);
	ok(!h.state->loaded.stopped, "the boot goes on");
	hostmake_reboot(&h, 100000);
	check_boot("crashed", 0, "already");
	is_str(hostmake_verdict(&h, 1), "blocked", "and its crash is the level's");
	hostmake_deinit(&h);
}

static void test_early(void)
{
	hostmake_init(&h, "early");
	hostmake_install(&h, 1);
	load_good(1);
	hostmake_install(&h, 2);
	load_good(2);
	hostmake_reboot(&h, h.settings->crash_window - 10);
	check_boot("crashed-early", 1, "ok");
	is_str(hostmake_verdict(&h, 2), "blocked", "a good level is blocked by a crash soon after");
	hostmake_deinit(&h);

	hostmake_init(&h, "not-early");
	hostmake_install(&h, 1);
	load_good(1);
	no_err(rk_boot_stopped(h.host, h.kernel, h.state), "a shutdown");
	hostmake_reboot(&h, 10);
	check_boot("fine", 1, "ok");
	is_str(hostmake_verdict(&h, 1), "good", "soon after the load is no crash");
	hostmake_deinit(&h);
}

static void test_often(void)
{
	hostmake_init(&h, "often");
	hostmake_install(&h, 1);
	load_good(1);
	for (unsigned int i = 1; i < h.settings->crash_limit; i++) {
		_cleanup_apply_result_ struct rk_apply_result result = {};

		hostmake_reboot(&h, 100000);
		check_boot("fine", 1, "ok");
		no_err(hostmake_confirm(&h, &result), "quiet each time");
	}
	hostmake_reboot(&h, 100000);
	check_boot("crashed-often", 0, "already");
	is_str(hostmake_verdict(&h, 1), "blocked", "boots that never end in a shutdown");
	hostmake_deinit(&h);
}

static void test_clock_back(void)
{
	_cleanup_apply_result_ struct rk_apply_result result = {};

	hostmake_init(&h, "clock-back");
	hostmake_install(&h, 1);
	load_good(1);
	hostmake_reboot(&h, -1000000);
	check_boot("fine", 1, "ok");
	no_err(hostmake_confirm(&h, &result), "goes on");
	is_str(hostmake_verdict(&h, 1), "good", "a clock that went back blames nobody");
	ok(h.state->highest_time > h.now, "but that it did is known");
	hostmake_reboot(&h, -5);
	check_boot("fine", 1, "ok");
	hostmake_reboot(&h, -5);
	check_boot("crashed", 0, "already");
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
		check_boot("fine", rk_streq(cases[i].boot, "ok"), cases[i].boot);
		rk_err_free(hostmake_load(&h, 1, true, &result));
		is_str(rk_apply_code_name(result.code), cases[i].load, cases[i].cmdline);
		is_str(h.state->last_error.code, "", "which is no failure");
		hostmake_deinit(&h);
	}
	hostmake_init(&h, "disable-file");
	hostmake_install(&h, 1);
	sysmake_put(h.host->root, "etc/readykernel/disable", "");
	hostmake_cmdline(&h, "quiet\n");
	check_boot("fine", 0, "disabled");
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
	check_boot("fine", 0, "already");
	hostmake_deinit(&h);
}

static void test_warning(void)
{
	_cleanup_apply_result_ struct rk_apply_result result = {}, watched = {};

	hostmake_init(&h, "warning");
	hostmake_install(&h, 1);
	load_good(1);
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
	load_good(1);
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
	check_boot("fine", 0, "already");
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
	check_boot("fine", 1, "ok");
	hostmake_deinit(&h);
}

/* As kpatch says it. */
static void test_unloaded_by_others(void)
{
	_cleanup_apply_result_ struct rk_apply_result result = {};

	hostmake_init(&h, "unloaded-by-others");
	no_err(rk_boot_unloaded(h.host, "kpatch_1"), "where readykernel loaded nothing");
	hostmake_install(&h, 1);
	load_good(1);
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
	check_boot("fine", 2, "ok");
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
	load_good(1);
	hostmake_install(&h, 2);
	no_err(rk_boot_stopped(h.host, h.kernel, h.state), "a shutdown");
	hostmake_reboot(&h, 100);
	hostmake_stick(&h, "kpatch_2");
	check_boot("fine", 1, "ok");
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
	check_boot("crashed", 0, "already");
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
	fflush(NULL);
	pid = fork();
	if (!pid)
		_exit(load_interrupted() ? 0 : 1);
	ok(pid > 0 && waitpid(pid, &status, 0) == pid && !status,
	   "an interrupted load that can't be taken back is stuck");
	ok(rk_fs_exists(h.host->intent_file), "its record stays");
	hostmake_reboot(&h, 100000);
	check_boot("crashed", 0, "already");
	hostmake_deinit(&h);
}

static void test_damaged(void)
{
	_cleanup_apply_result_ struct rk_apply_result result = {};

	hostmake_init(&h, "damaged");
	hostmake_install(&h, 1);
	load_good(1);
	sysmake_put(h.host->root, "var/lib/readykernel/intent.json", "{\"schema\": \"readyk");
	hostmake_reboot(&h, 100000);
	check_boot("damaged", 0, "already");
	ok(!rk_fs_exists(h.host->intent_file), "the record is set aside");
	hostmake_read_state(&h);
	is_str(h.state->last_error.code, "state-damaged", "which is told");
	hostmake_reboot(&h, 100000);
	check_boot("fine", 1, "ok");
	no_err(hostmake_confirm(&h, &result), "goes on");
	sysmake_put(h.host->root, "var/lib/readykernel/state.json", "{}");
	hostmake_reboot(&h, 100000);
	ok(h.state->damaged, "a state that can't be read");
	is_str(hostmake_verdict(&h, 1), "none", "no level is good by it");
	/* nor is it known any more which took this host down, or where it is frozen */
	check_boot("fine", 0, "already");
	h.state->freeze.kind = RK_FREEZE_NONE;
	no_err(rk_host_state_write(h.host, h.state), "somebody says that it isn't frozen");
	hostmake_reboot(&h, 100000);
	check_boot("fine", 1, "ok");
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
	check_boot("fine", 1, "ok");
	hostmake_deinit(&h);
}

static void test_queue(void)
{
	_cleanup_apply_result_ struct rk_apply_result result = {};
	_cleanup_queue_ struct rk_queue *queue = NULL;

	hostmake_init(&h, "messages");
	hostmake_install(&h, 1);
	load_good(1);
	hostmake_install(&h, 2);
	no_err(hostmake_load(&h, 2, false, &result), "loads");
	hostmake_reboot(&h, 5);
	check_boot("crashed", 1, "ok");
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
	test_warning();
	test_warning_alone();
	test_warning_of_others();
	test_warning_keep();
	test_vanished();
	test_unloaded_by_others();
	test_interrupted();
	test_beside();
	test_stuck_at_boot();
	test_stuck();
	test_interrupted_stuck();
	test_damaged();
	test_full();
	test_queue();
	return done_testing();
}
