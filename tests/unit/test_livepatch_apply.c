/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a patch comes in when others are there, what is done for it, and that what fails is undone: with a kernel of plain files. */
#include <errno.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/livepatch/apply.h"
#include "tests/unit/sysmake.h"
#include "tests/unit/tap.h"

#define ID_A "00112233445566778899aabbccddeeff00112233"
#define ID_B "ff112233445566778899aabbccddeeff00112233"

static const struct rk_livepatch_patience patience = {
	.first_ms = 20, .second_ms = 80, .reference_ms = 100, .tries = 1};
static struct sysmake sys;
static struct rk_running running;

struct result {
	enum rk_livepatch_way way;
	struct rk_livepatch_outcome outcome;
	struct rk_err *err;
};

/* Plans and loads name as a module of that level; 0: without a manifest. */
static void apply(const char *path, bool change, struct result *r)
{
	_cleanup_module_info_ struct rk_module_info *info = NULL;
	_cleanup_plan_ struct rk_livepatch_plan plan = {};

	*r = (struct result){};
	if (!no_err(rk_module_info_read(path, &info), "the module") ||
	    !no_err(rk_livepatch_plan(&sys.roots, &running, info, change, &plan), "a plan"))
		bail_out("without it nothing can be tested");
	r->way = plan.way;
	r->err = rk_livepatch_apply(&sys.roots, path, info, &plan, &patience, NULL, &r->outcome);
}

static void load(const char *name, unsigned int level, bool change, const char *way,
		 const char *log)
{
	_cleanup_free_ char *path = sysmake_file(&sys, name, level, true, ID_A);
	struct result r;

	sys.log[0] = 0;
	apply(path, change, &r);
	no_err(r.err, name);
	is_str(rk_livepatch_way_name(r.way), way, name);
	is_str(sys.log, log, "what came and went");
	rk_livepatch_outcome_deinit(&r.outcome);
}

static void begin(const char *name)
{
	sysmake_init(&sys, name);
	_cleanup_free_ char *dir = rk_path_join(sys.roots.sys, "kernel/livepatch");
	no_err(rk_fs_mkdir_p(dir, 0755), name);
}

static void refused(const char *name, unsigned int level, const char *text)
{
	_cleanup_free_ char *path = sysmake_file(&sys, name, level, true, ID_A);
	struct result r;

	apply(path, false, &r);
	is_str(rk_livepatch_way_name(r.way), "refused", text);
	is_err_like(r.err, RK_ERR_MISMATCH, text, name);
	rk_livepatch_outcome_deinit(&r.outcome);
}

/* What is given to the kernel is what was checked, whatever the name leads to by then. */
static void test_exchanged(void)
{
	_cleanup_module_info_ struct rk_module_info *info = NULL;
	_cleanup_plan_ struct rk_livepatch_plan plan = {};
	_cleanup_outcome_ struct rk_livepatch_outcome outcome = {};

	begin("exchanged");
	_cleanup_free_ char *path = sysmake_file(&sys, "fix", 1, true, ID_A);
	_cleanup_free_ char *other = sysmake_file(&sys, "other", 1, true, ID_B);
	if (!no_err(rk_module_info_read(path, &info), "the module") ||
	    !no_err(rk_livepatch_plan(&sys.roots, &running, info, false, &plan), "a plan"))
		bail_out("without it nothing can be tested");
	ok(!rename(other, path), "another file takes its place");
	is_err_like(rk_livepatch_apply(&sys.roots, path, info, &plan, &patience, NULL, &outcome),
		    RK_ERR_MISMATCH, "is not the file any more that was checked",
		    "a module that was exchanged after the checks");
	is_str(sys.log, "", "nothing came");
	sysmake_deinit(&sys);
}

static void test_levels(void)
{
	begin("levels");
	sys.replaces = true;
	load("one", 1, false, "add", "+one");
	load("one", 1, false, "nothing", "");
	load("two", 2, false, "replace", "+two -one");
	refused("one", 1, "'two' of level 2 is loaded, and this is level 1; unload it");
	refused("other", 2, "'two' of level 2 is loaded, and this is level 2");
	load("one", 1, true, "change", "-two +one");
	load("five", 5, true, "replace", "+five -one");
	sysmake_deinit(&sys);
}

static void test_not_cumulative(void)
{
	begin("not-cumulative");
	load("plain", 0, false, "add", "+plain");
	refused("one", 1, "'plain' is loaded, which is no cumulative patch");
	load("one", 1, true, "change", "-plain +one");
	load("plain", 0, false, "add", "+plain");
	load("plainer", 0, true, "change", "-one -plain +plainer");
	sysmake_deinit(&sys);
}

static void test_same_name(void)
{
	struct result r;

	begin("same-name");
	load("one", 1, false, "add", "+one");
	_cleanup_free_ char *path = sysmake_file(&sys, "one", 2, true, ID_B);
	apply(path, false, &r);
	is_err_like(r.err, RK_ERR_MISMATCH, "another module of this name is loaded",
		    "another build of it");
	sys.log[0] = 0;
	apply(path, true, &r);
	no_err(r.err, "with replace");
	is_str(sys.log, "-one +one", "the old one goes first");
	sysmake_patch(&sys, "one", "0\n", "1\n");
	sys.log[0] = 0;
	apply(path, false, &r);
	is_str(rk_livepatch_way_name(r.way), "turn", "one that is being disabled");
	rk_err_free(r.err);
	rk_livepatch_outcome_deinit(&r.outcome);
	sysmake_deinit(&sys);
}

static void test_disabled_go_first(void)
{
	begin("disabled");
	sysmake_module(&sys, "left", "OK\n", "0\n");
	load("one", 1, false, "add", "-left +one");
	sysmake_deinit(&sys);
}

/* A transition that never ends: here also the one back doesn't, for the files stay as they are. */
static void test_stuck(void)
{
	_cleanup_free_ char *path = NULL;
	struct result r;

	begin("stuck");
	path = sysmake_file(&sys, "slow", 1, true, NULL);
	sysmake_thread(&sys, "7", "7", "sleeper\n", "0\n", "[<0>] tcp_v4_rcv+0x1/0x2\n");
	sys.stuck = "slow";
	apply(path, false, &r);
	is_err_like(r.err, RK_ERR_TIMEOUT, "cannot load 'slow', and cannot take it back",
		    "neither way ends");
	ok(r.outcome.stalled && !r.outcome.reversed, "it says so");
	is_int((long long)r.outcome.blockers.list.nr, 1, "who is in the way");
	is_str(r.outcome.blockers.list.v[0].stack, "[<0>] tcp_v4_rcv+0x1/0x2", "with the stack");
	rk_livepatch_outcome_deinit(&r.outcome);
	sysmake_deinit(&sys);
}

static void test_restored(void)
{
	_cleanup_free_ char *path = NULL;
	struct result r;

	begin("restored");
	load("two", 2, false, "add", "+two");
	path = sysmake_file(&sys, "one", 1, true, ID_B);
	sys.error = ENOEXEC;
	sys.log[0] = 0;
	apply(path, true, &r);
	is_err_like(r.err, RK_ERR_SYS, "it was made for another kernel; see dmesg",
		    "the kernel refuses the new one");
	is_str(sys.log, "-two +two", "the old one is back");
	ok(r.outcome.restored, "it says so");
	rk_livepatch_outcome_deinit(&r.outcome);

	/* its file is another one by now: nothing else is loaded in its name */
	_cleanup_free_ char *changed = sysmake_file(&sys, "two", 3, true, ID_A);
	sys.error = ENOEXEC;
	sys.log[0] = 0;
	apply(path, true, &r);
	is_err_like(r.err, RK_ERR_SYS, "is another file by now", "a file that changed");
	is_str(sys.log, "-two", "isn't loaded");
	ok(changed && !r.outcome.restored, "it says so");
	rk_livepatch_outcome_deinit(&r.outcome);
	sysmake_deinit(&sys);
}

static void test_unload(void)
{
	struct rk_livepatch_outcome outcome = {};

	begin("unload");
	load("one", 1, false, "add", "+one");
	_cleanup_free_ char *record = rk_asprintf("%s/one.json", sys.roots.run);
	ok(rk_fs_exists(record), "a record while it is loaded");
	sys.log[0] = 0;
	no_err(rk_livepatch_unload(&sys.roots, "one", &patience, NULL, &outcome), "unload");
	is_str(sys.log, "-one", "its module goes");
	ok(!rk_fs_exists(record), "no record afterwards");
	is_err_like(rk_livepatch_unload(&sys.roots, "one", &patience, NULL, &outcome),
		    RK_ERR_NOT_FOUND, "no live patch 'one' is loaded", "again");
	rk_livepatch_outcome_deinit(&outcome);
	sysmake_deinit(&sys);
}

static void test_recall(void)
{
	struct rk_livepatch_known known = {};

	begin("recall");
	load("one", 7, false, "add", "+one");
	no_err(rk_livepatch_recall(&sys.roots, running.release, "one", &known), "a loaded patch");
	ok(known.manifest && known.manifest->level == 7, "its manifest is known");
	ok(known.path && rk_has_suffix(known.path, "/one.ko"), "and its file");
	rk_livepatch_known_deinit(&known);

	sysmake_put(sys.roots.run, "one.json", "{\"schema\": \"kpatch-record/1\", \"build_id\": 7");
	no_err(rk_livepatch_recall(&sys.roots, running.release, "one", &known), "a broken record");
	ok(!known.manifest && !known.path, "says nothing");
	rk_livepatch_known_deinit(&known);

	sysmake_put(sys.roots.run, "one.json",
		    "{\"schema\": \"kpatch-record/1\", \"build_id\": \"" ID_B
		    "\", \"path\": \"/x\"}");
	no_err(rk_livepatch_recall(&sys.roots, running.release, "one", &known),
	       "a record of another build");
	ok(!known.path, "isn't taken for this one's");
	rk_livepatch_known_deinit(&known);
	sysmake_deinit(&sys);
}

int main(void)
{
	begin("running");
	if (!no_err(rk_running_read(&sys.roots, &running), "this kernel"))
		return 1;
	sysmake_deinit(&sys);
	test_exchanged();
	test_levels();
	test_not_cumulative();
	test_same_name();
	test_disabled_go_first();
	test_stuck();
	test_restored();
	test_unload();
	test_recall();
	rk_running_deinit(&running);
	return done_testing();
}
