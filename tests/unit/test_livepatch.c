/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Live patches as sysfs and proc show them, in a tree of plain files: every state, objects, blockers, waiting. */
#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/livepatch/livepatch.h"
#include "tests/unit/sysmake.h"
#include "tests/unit/tap.h"

static struct sysmake sys;

static void is_state(const char *name, enum rk_livepatch_state want)
{
	enum rk_livepatch_state state = RK_LIVEPATCH_STATES;

	no_err(rk_livepatch_state(&sys.roots, name, &state), name);
	is_str(rk_livepatch_state_name(state), rk_livepatch_state_name(want), name);
}

static void test_states(void)
{
	sysmake_init(&sys, "states");
	sysmake_patch(&sys, "on", "1\n", "0\n");
	sysmake_patch(&sys, "coming", "1\n", "1\n");
	sysmake_patch(&sys, "going", "0\n", "1\n");
	sysmake_patch(&sys, "off", "0\n", "0\n");
	sysmake_module(&sys, "left", "OK\n", "0\n");
	is_state("on", RK_LIVEPATCH_ENABLED);
	is_state("coming", RK_LIVEPATCH_ENABLING);
	is_state("going", RK_LIVEPATCH_DISABLING);
	is_state("off", RK_LIVEPATCH_DISABLED);
	is_state("left", RK_LIVEPATCH_DISABLED);
	is_state("nowhere", RK_LIVEPATCH_ABSENT);
	is_str(rk_livepatch_state_name(RK_LIVEPATCH_STATES), "unknown", "no state");
	sysmake_deinit(&sys);
}

static void test_list(void)
{
	struct rk_livepatch_list list = {};

	sysmake_init(&sys, "list");
	sysmake_patch(&sys, "b_patch", "1\n", "0\n");
	sysmake_module(&sys, "b_patch", "OK\n", "1\n");
	sysmake_put(sys.roots.sys, "kernel/livepatch/b_patch/vmlinux/patched", "1\n");
	sysmake_put(sys.roots.sys, "kernel/livepatch/b_patch/vmlinux/tcp_v4_rcv,1/x", "");
	sysmake_put(sys.roots.sys, "kernel/livepatch/b_patch/vmlinux/event_function,2/x", "");
	sysmake_put(sys.roots.sys, "kernel/livepatch/b_patch/af_key/patched", "0\n");
	sysmake_module(&sys, "a_patch", "OEK\n", "0\n");
	sysmake_module(&sys, "af_key", "\n", "0\n");
	/* both went while they were looked at */
	sysmake_put(sys.roots.sys, "kernel/livepatch/c_patch/vmlinux/patched", "0\n");
	sysmake_put(sys.roots.sys, "module/d_patch/taint", "OEK\n");
	if (!no_err(rk_livepatch_list(&sys.roots, &list), "list"))
		return;
	is_int((long long)list.list.nr, 2, "active and disabled patches, no other module");
	const struct rk_livepatch *a = &list.list.v[0], *b = &list.list.v[1];
	is_str(a->name, "a_patch", "sorted by name");
	is_int(a->state, RK_LIVEPATCH_DISABLED, "a module whose patch is gone");
	is_str(a->taint, "OEK", "taint");
	is_int((long long)a->objects.nr, 0, "… has no objects");
	is_int(b->refcount, 1, "reference count");
	is_int((long long)b->objects.nr, 2, "objects");
	is_str(b->objects.v[0].name, "af_key", "objects by name");
	ok(!b->objects.v[0].patched && b->objects.v[1].patched, "which are patched");
	is_int((long long)b->objects.v[1].funcs.nr, 2, "functions");
	is_str(b->objects.v[1].funcs.v[0].name, "event_function", "functions by name");
	is_int(b->objects.v[1].funcs.v[0].sympos, 2, "position among equal names");
	rk_livepatch_list_deinit(&list);
	sysmake_deinit(&sys);
}

static void test_no_livepatch(void)
{
	struct rk_livepatch_list list = {};
	_cleanup_free_ char *message = NULL;

	sysmake_init(&sys, "none");
	message = rk_asprintf("this kernel has no live patching: '%s/kernel/livepatch' is absent",
			      sys.roots.sys);
	is_err(rk_livepatch_list(&sys.roots, &list), RK_ERR_UNSUPPORTED, message,
	       "a kernel without live patching");
	is_err_like(rk_livepatch_set_enabled(&sys.roots, "x", false), RK_ERR_NOT_FOUND,
		    "the kernel has no live patch 'x'", "disable an absent patch");
	sysmake_deinit(&sys);
}

static void test_blockers(void)
{
	struct rk_livepatch_blockers blockers = {};

	sysmake_init(&sys, "blockers");
	sysmake_thread(&sys, "20", "20", "patched\n", "1\n", "[<0>] a\n");
	sysmake_thread(&sys, "20", "21", "slow thread\n", "0\n",
		       "[<0>] a+0x1/0x2\n[<0>] b+0x3/0x4\n");
	sysmake_thread(&sys, "7", "7", "kthread\n", "0\n", NULL);
	sysmake_thread(&sys, "8", "8", "calm\n", "-1\n", "");
	sysmake_thread(&sys, "9", "9", NULL, NULL, NULL);
	sysmake_put(sys.roots.proc, "meminfo", "");
	if (!no_err(rk_livepatch_blockers(&sys.roots, true, &blockers), "while enabling"))
		return;
	is_int((long long)blockers.list.nr, 2, "who isn't patched yet");
	is_int(blockers.list.v[0].tid, 7, "by tid");
	is_str(blockers.list.v[0].stack, "", "one whose stack can't be read");
	is_int(blockers.list.v[1].pid, 20, "a thread's process");
	is_int(blockers.list.v[1].tid, 21, "and itself");
	is_str(blockers.list.v[1].comm, "slow thread", "a thread that isn't the first");
	is_str(blockers.list.v[1].stack, "[<0>] a+0x1/0x2\n[<0>] b+0x3/0x4", "its stack");
	rk_livepatch_blockers_deinit(&blockers);

	blockers = (struct rk_livepatch_blockers){};
	if (!no_err(rk_livepatch_blockers(&sys.roots, false, &blockers), "while disabling"))
		return;
	is_int((long long)blockers.list.nr, 1, "who is still patched");
	is_str(blockers.list.v[0].comm, "patched", "that one");
	rk_livepatch_blockers_deinit(&blockers);
	sysmake_deinit(&sys);
}

static unsigned int phases;
static const char *text_like = "'slow' is still enabling";

static void count_phase(void *ctx, const char *phase, const char *text)
{
	(void)ctx;
	phases++;
	is_str(phase, "transition", "a long wait is a phase");
	ok(strstr(text, text_like), "it says what it waits for: %s", text);
}

static void test_wait(void)
{
	const struct rk_livepatch_limits limits = {.note_ms = 10, .end_ms = 300};
	const struct rk_livepatch_limits finish = {.end_ms = 100, .finish_ms = 100};
	const struct rk_reporter reporter = {.phase = count_phase};
	enum rk_livepatch_state state = RK_LIVEPATCH_STATES;

	sysmake_init(&sys, "wait");
	sysmake_patch(&sys, "done", "1\n", "0\n");
	sysmake_patch(&sys, "slow", "1\n", "1\n");
	no_err(rk_livepatch_wait(&sys.roots, "done", &limits, &reporter, &state),
	       "a transition that is over");
	is_int(state, RK_LIVEPATCH_ENABLED, "… and its end");
	is_int(phases, 0, "… without a word");
	state = RK_LIVEPATCH_STATES;
	is_err_like(rk_livepatch_wait(&sys.roots, "slow", &limits, &reporter, &state),
		    RK_ERR_TIMEOUT, "'slow' is still enabling after 0.3", "one that doesn't end");
	is_int(state, RK_LIVEPATCH_STATES, "nothing is returned then");
	is_int(phases, 1, "said once");
	phases = 0;
	text_like = "every task has changed over; 'slow' is still enabling";
	is_err_like(rk_livepatch_wait(&sys.roots, "slow", &finish, &reporter, &state),
		    RK_ERR_TIMEOUT, "'slow' is still enabling after 0.2",
		    "the kernel had more time for its work");
	is_int(phases, 1, "… which is said");
	sysmake_thread(&sys, "7", "7", "late\n", "0\n", "");
	is_err_like(rk_livepatch_wait(&sys.roots, "slow", &finish, &reporter, &state),
		    RK_ERR_TIMEOUT, "'slow' is still enabling after 0.1",
		    "but not while a task holds it up");
	sysmake_deinit(&sys);
}

/* Two notes, the second with the build-id: name size 4, description size 4, type 3. */
static const unsigned char notes[] = {
	4, 0, 0, 0, 3, 0, 0, 0, 9, 0, 0, 0, 'X', 'e', 'n', 0, 1,    2,	  3,	0,
	4, 0, 0, 0, 4, 0, 0, 0, 3, 0, 0, 0, 'G', 'N', 'U', 0, 0xab, 0x01, 0x0a, 0x0a,
};

static void is_build_id(const void *data, size_t len, const char *want, const char *name)
{
	struct rk_running running = {};
	struct utsname host;

	sysmake_put_bytes(sys.roots.sys, "kernel/notes", data, len);
	if (!no_err(rk_running_read(&sys.roots, &running), name))
		return;
	is_str(running.build_id, want, name);
	uname(&host);
	is_str(running.release, host.release, "release");
	is_str(running.version, host.version, "version");
	rk_running_deinit(&running);
}

static void test_module_build_id(void)
{
	_cleanup_arena_ struct rk_arena arena = RK_ARENA_INIT;
	struct rk_running_module module = {};

	sysmake_put_bytes(sys.roots.sys, "module/af_key/notes/.note.gnu.build-id", notes + 20,
			  sizeof(notes) - 20);
	sysmake_put_bytes(sys.roots.sys, "module/af_key/srcversion", "0A1B\n", 5);
	no_err(rk_running_module(&sys.roots, "af_key", &arena, &module), "a loaded module");
	is_str(module.build_id, "ab010a0a", "its build-id");
	is_str(module.srcversion, "0A1B", "its srcversion");
	no_err(rk_running_module(&sys.roots, "absent", &arena, &module),
	       "a module that isn't loaded");
	is_str(module.build_id, NULL, "has no build-id");
	is_str(module.srcversion, NULL, "… and no srcversion");
}

static void test_running(void)
{
	unsigned char broken[sizeof(notes)];

	sysmake_init(&sys, "running");
	is_build_id(notes, sizeof(notes), "ab010a0a", "the build-id, newlines and all");
	is_build_id(notes, 20, NULL, "no build-id");
	is_build_id(notes, sizeof(notes) - 1, NULL, "a note cut short");
	is_build_id("", 0, NULL, "no notes");
	memcpy(broken, notes, sizeof(notes));
	memset(broken + 4, 0xff, 4);
	is_build_id(broken, sizeof(broken), NULL, "a size beyond the end");
	test_module_build_id();
	sysmake_deinit(&sys);
}

int main(void)
{
	test_states();
	test_list();
	test_no_livepatch();
	test_blockers();
	test_wait();
	test_running();
	return done_testing();
}
