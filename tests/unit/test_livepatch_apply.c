/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a patch comes in when others are there, what is done for it, and that what fails is undone: with a kernel of plain files. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/process.h"
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
static void apply_with(const char *path, bool change, const struct rk_livepatch_patience *how,
		       struct result *r)
{
	_cleanup_module_info_ struct rk_module_info *info = NULL;
	_cleanup_plan_ struct rk_livepatch_plan plan = {};

	*r = (struct result){};
	if (!no_err(rk_module_info_read(path, &info), "the module") ||
	    !no_err(rk_livepatch_plan(&sys.roots, &running, info, change, &plan), "a plan"))
		bail_out("without it nothing can be tested");
	r->way = plan.way;
	r->err = rk_livepatch_apply(&sys.roots, path, info, &plan, how, NULL, &r->outcome);
}

static void apply(const char *path, bool change, struct result *r)
{
	apply_with(path, change, &patience, r);
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

/* Two tasks of which one holds an enabling up, the other a disabling. */
static void hold_up(bool enabling, bool disabling)
{
	sysmake_thread(&sys, "7", "7", "sleeper\n", enabling ? "0\n" : "-1\n", "");
	sysmake_thread(&sys, "8", "8", "patched\n", disabling ? "1\n" : "-1\n", "");
}

static int reversed_at_once(struct sysmake *s, const char *name, bool enabled)
{
	sysmake_patch(s, name, enabled ? "1\n" : "0\n", "0\n");
	return 0;
}

/* --- records --- */

static int (*real_insert)(void *ctx, int fd, const char *path);
static bool is_recorded;

static int insert_recorded(void *ctx, int fd, const char *path)
{
	_cleanup_free_ char *record = rk_path_join(sys.roots.run, "two.json");

	is_recorded = rk_fs_exists(record);
	return real_insert(ctx, fd, path);
}

/* Who is killed while it loads leaves a patch that is known; nothing is known of one that never came. */
static void test_recorded(void)
{
	struct result r;

	begin("recorded");
	load("one", 1, false, "add", "+one");
	_cleanup_free_ char *path = sysmake_file(&sys, "two", 2, true, ID_B);
	_cleanup_free_ char *record = rk_path_join(sys.roots.run, "two.json");
	real_insert = sys.calls.insert;
	sys.calls.insert = insert_recorded;
	sys.error = ENOEXEC;
	apply(path, false, &r);
	is_err_like(r.err, RK_ERR_SYS, "the kernel refused", "a module that is refused");
	ok(is_recorded && !rk_fs_exists(record), "is known until it is");
	rk_livepatch_outcome_deinit(&r.outcome);

	hold_up(true, false);
	sys.stuck = "two";
	sys.switched = reversed_at_once;
	apply(path, false, &r);
	is_err_like(r.err, RK_ERR_TIMEOUT, "it was taken back", "one that is taken back");
	ok(is_recorded && !rk_fs_exists(record), "is known until it is");
	rk_livepatch_outcome_deinit(&r.outcome);
	sysmake_deinit(&sys);
}

/* In a full /run nothing new is loaded, but what was loaded comes back. */
static void test_not_recorded(void)
{
	struct result r;

	begin("not-recorded");
	load("two", 2, false, "add", "+two");
	_cleanup_free_ char *path = sysmake_file(&sys, "one", 1, true, ID_B);
	_cleanup_free_ char *record = rk_path_join(sys.roots.run, "one.json");
	must(rk_fs_mkdir_p(record, 0755));
	sys.log[0] = 0;
	apply(path, true, &r);
	is_err_like(r.err, RK_ERR_SYS, "cannot write down that 'one' is loaded", "no record");
	is_str(sys.log, "-two +two", "nothing is loaded in its place");
	ok(r.outcome.restored, "it says so");
	rk_livepatch_outcome_deinit(&r.outcome);
	sysmake_deinit(&sys);
}

/* One that was loaded by a process that was killed before there was a record. */
static void test_recorded_late(void)
{
	struct rk_livepatch_known known = {};

	begin("recorded-late");
	load("one", 1, false, "add", "+one");
	_cleanup_free_ char *record = rk_path_join(sys.roots.run, "one.json");
	ok(!unlink(record), "no record");
	sysmake_patch(&sys, "one", "0\n", "1\n");
	sys.switched = reversed_at_once;
	load("one", 1, false, "turn", "");
	no_err(rk_livepatch_recall(&sys.roots, running.release, "one", &known), "a loaded patch");
	ok(known.path != NULL, "that is turned round is known again");
	rk_livepatch_known_deinit(&known);
	sysmake_deinit(&sys);
}

/* --- modules that somebody refers to, as after klp_force_transition() --- */

static void test_held(void)
{
	struct result r;

	begin("held");
	sys.replaces = true;
	load("one", 1, false, "add", "+one");
	sys.held = "one";
	load("two", 2, false, "replace", "+two");
	load("three", 3, false, "replace", "+three -two");
	/* the kernel takes no other module of that name; what is loaded stays */
	_cleanup_free_ char *path = sysmake_file(&sys, "one", 1, true, ID_A);
	sys.log[0] = 0;
	apply(path, true, &r);
	is_err_like(r.err, RK_ERR_TIMEOUT, "module 'one' is still in use", "the held one again");
	is_str(sys.log, "", "nothing came or went");
	rk_livepatch_outcome_deinit(&r.outcome);
	sys.held = "three";
	load("two", 2, true, "change", "-one +two");
	sysmake_deinit(&sys);
}

static void test_held_taken_back(void)
{
	struct result r;

	begin("held-back");
	_cleanup_free_ char *path = sysmake_file(&sys, "one", 1, true, ID_A);
	hold_up(true, false);
	sys.stuck = sys.held = "one";
	sys.switched = reversed_at_once;
	apply(path, false, &r);
	is_err_like(r.err, RK_ERR_TIMEOUT, "cannot load 'one'; it was taken back", "it is told");
	ok(r.outcome.reversed && r.outcome.state == RK_LIVEPATCH_DISABLED, "only its module stays");
	rk_livepatch_outcome_deinit(&r.outcome);
	sysmake_deinit(&sys);
}

static void test_held_unload(void)
{
	_cleanup_outcome_ struct rk_livepatch_outcome outcome = {};

	begin("held-unload");
	load("one", 1, false, "add", "+one");
	sys.held = "one";
	no_err(rk_livepatch_unload(&sys.roots, "one", &patience, NULL, &outcome), "it is disabled");
	is_int(outcome.state, RK_LIVEPATCH_DISABLED, "its module stays");
	is_err_like(rk_livepatch_unload(&sys.roots, "one", &patience, NULL, &outcome),
		    RK_ERR_TIMEOUT, "module 'one' is still in use", "there is nothing else to do");
	sys.held = NULL;
	no_err(rk_livepatch_unload(&sys.roots, "one", &patience, NULL, &outcome), "until it goes");
	is_int(outcome.state, RK_LIVEPATCH_ABSENT, "at last");
	sysmake_deinit(&sys);
}

/* --- transitions that end late --- */

/* The replacement came to its end before the reversal was heard of, so that the new patch is disabled. */
static int replaced_first(struct sysmake *s, const char *name, bool enabled)
{
	if (!enabled && rk_streq(name, "two")) {
		sysmake_unpatch(s, "one");
		sysmake_patch(s, "two", "0\n", "0\n");
	}
	return 0;
}

static void test_replaced_meanwhile(void)
{
	static const struct {
		const char *name;
		int (*switched)(struct sysmake *sys, const char *name, bool enabled);
		const char *log;
		bool restored;
	} cases[] = {
		{"reversed", reversed_at_once, "+two -two", false},
		{"replaced-first", replaced_first, "+two -two -one +one", true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		enum rk_livepatch_state state;
		struct result r;

		begin(cases[i].name);
		load("one", 1, false, "add", "+one");
		_cleanup_free_ char *path = sysmake_file(&sys, "two", 2, true, ID_B);
		hold_up(true, false);
		sys.stuck = "two";
		sys.replaces = true;
		sys.switched = cases[i].switched;
		sys.log[0] = 0;
		apply(path, false, &r);
		is_err_like(r.err, RK_ERR_TIMEOUT, "cannot load 'two'; it was taken back",
			    cases[i].name);
		is_str(sys.log, cases[i].log, "what came and went");
		is_int(r.outcome.restored, cases[i].restored, "whether the old one had gone");
		no_err(rk_livepatch_state(&sys.roots, "one", &state), "the old one");
		is_int(state, RK_LIVEPATCH_ENABLED, "is enabled");
		rk_livepatch_outcome_deinit(&r.outcome);
		sysmake_deinit(&sys);
	}
}

/* Blocks the first look for tasks that hold up; while it is made the transition ends. */
static void *end_in_between(void *ctx)
{
	const char *fifo = ctx;
	_cleanup_close_ int fd = open(fifo, O_WRONLY | O_CLOEXEC);

	ok(!unlink(fifo), "who looks again finds nobody");
	sysmake_patch(&sys, "two", "1\n", "0\n");
	sysmake_unpatch(&sys, "one");
	ok(write(fd, "0\n", 2) == 2, "a task is told of that changed over since");
	return NULL;
}

static void test_ended_in_between(void)
{
	pthread_t thread;
	struct result r;

	begin("in-between");
	load("one", 1, false, "add", "+one");
	_cleanup_free_ char *path = sysmake_file(&sys, "two", 2, true, ID_B);
	_cleanup_free_ char *fifo = rk_asprintf("%s/7/task/7/patch_state", sys.roots.proc);
	sysmake_thread(&sys, "7", "7", "sleeper\n", NULL, "");
	ok(!mkfifo(fifo, 0600), "a task that is long to be looked at");
	ok(!pthread_create(&thread, NULL, end_in_between, fifo), "a kernel");
	sys.stuck = "two";
	sys.replaces = true;
	sys.log[0] = 0;
	apply(path, false, &r);
	pthread_join(thread, NULL);
	no_err(r.err, "what ended as the limit was reached is loaded");
	is_str(sys.log, "+two -one", "and replaces what was");
	ok(!r.outcome.stalled && r.outcome.state == RK_LIVEPATCH_ENABLED, "it didn't stall");
	rk_livepatch_outcome_deinit(&r.outcome);
	sysmake_deinit(&sys);
}

static void end_finish(void *ctx, const char *phase, const char *text)
{
	(void)ctx;
	(void)phase;
	if (strstr(text, "every task has changed over"))
		sysmake_patch(&sys, "slow", "1\n", "0\n");
}

/* In a process of its own: an interrupt is for good. */
static int load_interrupted(const char *path)
{
	const struct rk_reporter reporter = {.phase = end_finish};
	const struct rk_livepatch_patience finish = {.second_ms = 50, .finish_ms = 10000};
	_cleanup_module_info_ struct rk_module_info *info = NULL;
	_cleanup_outcome_ struct rk_livepatch_outcome outcome = {};
	_cleanup_plan_ struct rk_livepatch_plan plan = {};
	_cleanup_err_ struct rk_err *err = rk_module_info_read(path, &info);

	rk_interrupt();
	if (!err)
		err = rk_livepatch_plan(&sys.roots, &running, info, false, &plan);
	if (!err)
		err = rk_livepatch_apply(&sys.roots, path, info, &plan, &finish, &reporter,
					 &outcome);
	return err ? rk_err_code(err) : 0;
}

static int in_child(int (*work)(const char *path), const char *path)
{
	int status = 0;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		/* the tests are counted here */
		_exit(freopen("/dev/null", "w", stdout) ? work(path) : -1);
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Who interrupts a load has it reversed while that can be done: not when the kernel has begun to take out what is replaced. */
static void test_interrupted(void)
{
	enum rk_livepatch_state state;

	begin("interrupted");
	_cleanup_free_ char *path = sysmake_file(&sys, "slow", 1, true, ID_A);
	sys.stuck = "slow";
	is_int(in_child(load_interrupted, path), 0, "without a task to wait for it is loaded");
	sysmake_deinit(&sys);

	begin("interrupted-held");
	_cleanup_free_ char *held = sysmake_file(&sys, "slow", 1, true, ID_A);
	sys.stuck = "slow";
	sys.switched = reversed_at_once;
	hold_up(true, false);
	is_int(in_child(load_interrupted, held), RK_ERR_INTERRUPTED, "else it is taken back");
	no_err(rk_livepatch_state(&sys.roots, "slow", &state), "the patch");
	is_int(state, RK_LIVEPATCH_ABSENT, "is gone");
	sysmake_deinit(&sys);
}

/* The kernel's work item that drops the reference comes some time after the end of the disabling. */
static void interrupt_while_held(struct sysmake *s, const char *name)
{
	s->held = rk_is_interrupted() ? NULL : name;
	rk_interrupt();
}

static void interrupt_and_hold(struct sysmake *s, const char *name)
{
	s->held = name;
	rk_interrupt();
}

static void interrupt_before_busy(struct sysmake *s, const char *name)
{
	(void)name;
	s->error = EBUSY;
	rk_interrupt();
}

static void interrupt_before_refusal(struct sysmake *s, const char *name)
{
	(void)name;
	s->error = ENOEXEC;
	s->removing = NULL;
	rk_interrupt();
}

/* Goes back to a lesser level. */
static int change_interrupted(const char *path)
{
	struct rk_livepatch_patience twice = patience;
	struct result r;

	twice.tries = 2;
	apply_with(path, true, &twice, &r);
	int code = r.err ? rk_err_code(r.err) : 0;
	rk_err_free(r.err);
	rk_livepatch_outcome_deinit(&r.outcome);
	return code;
}

static const struct {
	const char *name;
	void (*removing)(struct sysmake *sys, const char *name); /* of the greater level */
	int code;
	const char *enabled; /* afterwards */
} interrupts[] = {
	{"interrupt-held", interrupt_while_held, 0, "one"},
	{"interrupt-held-on", interrupt_and_hold, 0, "one"},
	{"interrupt-busy", interrupt_before_busy, 0, "one"},
	{"interrupt-refused", interrupt_before_refusal, RK_ERR_SYS, "two"},
};

/* What is loaded has gone when the interrupt comes: something is loaded at the end. */
static void test_change_interrupted(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(interrupts); i++) {
		enum rk_livepatch_state state;

		begin(interrupts[i].name);
		load("two", 2, false, "add", "+two");
		_cleanup_free_ char *path = sysmake_file(&sys, "one", 1, true, ID_B);
		sys.removing = interrupts[i].removing;
		is_int(in_child(change_interrupted, path), interrupts[i].code, interrupts[i].name);
		no_err(rk_livepatch_state(&sys.roots, interrupts[i].enabled, &state), "a patch");
		is_int(state, RK_LIVEPATCH_ENABLED, "is loaded");
		sysmake_deinit(&sys);
	}
}

static int stalls(struct sysmake *s, const char *name, bool enabled)
{
	sysmake_patch(s, name, enabled ? "1\n" : "0\n", "1\n");
	return 0;
}

static int stalls_one_way(struct sysmake *s, const char *name, bool enabled)
{
	sysmake_patch(s, name, enabled ? "1\n" : "0\n", enabled ? "0\n" : "1\n");
	return 0;
}

/* klp_mutex is held until the last function is out; then there is nothing to be turned round. */
static int ends_late(struct sysmake *s, const char *name, bool enabled)
{
	if (!enabled)
		return stalls(s, name, enabled);
	sysmake_unpatch(s, name);
	return EINVAL;
}

static const struct {
	const char *name;
	int (*switched)(struct sysmake *sys, const char *name, bool enabled);
	const char *error; /* NULL: it is unloaded */
	bool stalled, reversed;
} unloads[] = {
	{"unload-stuck", stalls, "cannot unload 'one': 'one' is still disabling", true, false},
	{"unload-stays", stalls_one_way, "cannot unload 'one'; it stays enabled", true, true},
	{"unload-late", ends_late, NULL, false, false},
};

static void test_unload_late(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(unloads); i++) {
		_cleanup_outcome_ struct rk_livepatch_outcome outcome = {};

		begin(unloads[i].name);
		load("one", 1, false, "add", "+one");
		hold_up(true, true);
		sys.switched = unloads[i].switched;
		sys.log[0] = 0;
		struct rk_err *err =
			rk_livepatch_unload(&sys.roots, "one", &patience, NULL, &outcome);
		if (unloads[i].error)
			is_err_like(err, RK_ERR_TIMEOUT, unloads[i].error, unloads[i].name);
		else
			no_err(err, unloads[i].name);
		is_str(sys.log, unloads[i].error ? "" : "-one", "what went");
		is_int(outcome.stalled, unloads[i].stalled, "whether it stalled");
		is_int(outcome.reversed, unloads[i].reversed, "and was turned round");
		sysmake_deinit(&sys);
	}
}

/* For a step back what is loaded has to go first: it doesn't, and nothing has changed. */
static void test_change_stays(void)
{
	struct result r;

	begin("change-stays");
	load("two", 2, false, "add", "+two");
	_cleanup_free_ char *path = sysmake_file(&sys, "one", 1, true, ID_B);
	hold_up(true, true);
	sys.switched = stalls_one_way;
	sys.log[0] = 0;
	apply(path, true, &r);
	is_err_like(r.err, RK_ERR_TIMEOUT, "cannot unload 'two'; it stays enabled", "it stays");
	is_str(sys.log, "", "nothing came or went");
	ok(r.outcome.stalled && r.outcome.reversed && !r.outcome.restored, "it says so");
	is_int(r.outcome.state, RK_LIVEPATCH_ABSENT, "the new one isn't loaded");
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
	test_replaced_meanwhile();
	test_ended_in_between();
	test_interrupted();
	test_change_interrupted();
	test_unload_late();
	test_change_stays();
	test_recorded();
	test_not_recorded();
	test_recorded_late();
	test_held();
	test_held_taken_back();
	test_held_unload();
	test_unload();
	test_recall();
	rk_running_deinit(&running);
	return done_testing();
}
