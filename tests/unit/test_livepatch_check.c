/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each check before a load, with what the kernel's files would show. The patch replaces tcp_v4_rcv of vmlinux. */
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/livepatch/check.h"
#include "tests/unit/sysmake.h"
#include "tests/unit/tap.h"

#define ID	  "00112233445566778899aabbccddeeff00112233"
#define FUNCTIONS "kernel/tracing/enabled_functions"
#define KPROBES	  "kernel/debug/kprobes/list"

static struct sysmake sys;
static struct rk_running running;

static void begin(const char *name)
{
	sysmake_init(&sys, name);
	_cleanup_free_ char *dir = rk_path_join(sys.roots.sys, "kernel/livepatch");
	no_err(rk_fs_mkdir_p(dir, 0755), name);
	sysmake_put(sys.roots.proc, "sys/kernel/ftrace_enabled", "1\n");
	sysmake_put(sys.roots.sys, FUNCTIONS, "");
	sysmake_put(sys.roots.sys, KPROBES, "");
	sysmake_thread(&sys, "1", "1", "init\n", "-1\n", "[<0>] do_epoll_wait+0x1/0x2\n");
}

/* The lines of check name, joined by '|': "result: text". */
static void is_check(const char *name, const char *want)
{
	_cleanup_free_ char *path = sysmake_file(&sys, "fix", 2, true, ID);
	_cleanup_module_info_ struct rk_module_info *info = NULL;
	_cleanup_plan_ struct rk_livepatch_plan plan = {};
	_cleanup_checks_ struct rk_checks checks = {};
	_cleanup_str_ struct rk_str text = RK_STR_INIT;

	if (!no_err(rk_module_info_read(path, &info), "the module") ||
	    !no_err(rk_livepatch_plan(&sys.roots, &running, info, false, &plan), "a plan") ||
	    !no_err(rk_livepatch_check(&sys.roots, "fix.ko", info, &running, &plan, &checks),
		    "checks"))
		return;
	rk_vec_for_each(&checks.list, it)
		if (rk_streq(it->name, name))
			rk_str_addf(&text, "%s%s: %s", text.len ? "|" : "",
				    rk_check_result_name(it->result), it->text);
	is_str(rk_str_get(&text), want, name);
}

static void test_all_well(void)
{
	begin("well");
	is_check("module", "ok: level 2, 0 fixes, 1 functions");
	is_check("objects", "ok: no module is patched");
	is_check("signature", "ok: not signed, and the kernel demands none");
	is_check("ftrace", "ok: on");
	is_check("patches", "ok: no other live patch on its functions");
	is_check("probes", "ok: none on its functions");
	is_check("tasks", "ok: none of 1 is in its functions");
	sysmake_deinit(&sys);
}

static void test_policy(void)
{
	static const char refused[] =
		"error: 'fix.ko' is not signed, and %s: sign it with a key the kernel knows "
		"(mokutil(1) enrols one)";
	_cleanup_free_ char *locked = rk_asprintf(refused, "the kernel is locked down");
	_cleanup_free_ char *enforced =
		rk_asprintf(refused, "the kernel runs with module.sig_enforce");

	begin("policy");
	sysmake_put(sys.roots.sys, "kernel/security/lockdown",
		    "[none] integrity confidentiality\n");
	sysmake_put(sys.roots.sys, "module/module/parameters/sig_enforce", "N\n");
	is_check("signature", "ok: not signed, and the kernel demands none");
	sysmake_put(sys.roots.sys, "kernel/security/lockdown",
		    "none [integrity] confidentiality\n");
	is_check("signature", locked);
	sysmake_put(sys.roots.sys, "kernel/security/lockdown",
		    "[none] integrity confidentiality\n");
	sysmake_put(sys.roots.sys, "module/module/parameters/sig_enforce", "Y\n");
	is_check("signature", enforced);
	sysmake_put(sys.roots.proc, "sys/kernel/ftrace_enabled", "0\n");
	is_check("ftrace", "error: ftrace is off, which live patches need; run 'sysctl "
			   "kernel.ftrace_enabled=1'");
	sysmake_deinit(&sys);
}

static void test_probes(void)
{
	begin("probes");
	sysmake_put(sys.roots.sys, FUNCTIONS,
		    "udp_rcv (1) R I   M\n"
		    "tcp_v4_rcv (1)          \ttramp: 0xffffffffc0000000 (bpf+0x0/0x1)\n"
		    "tcp_v4_rcv [other] (1) R I   M\n");
	sysmake_put(sys.roots.sys, KPROBES,
		    "ffffffff81000000  k  tcp_v4_rcv+0x0    [FTRACE]\n"
		    "ffffffff81000001  k  tcp_v4_rcv+0x17    [DISABLED]\n"
		    "ffffffff81000002  r  tcp_v4_rcv+0x0    \n"
		    "ffffffff81000003  k  tcp_v4_rcv+0x5  other  \n"
		    "ffffffff81000003  k  tcp_v4_rcv_more+0x5    \n"
		    "k\n\nffffffff81000003  k\n");
	is_check("probes",
		 "ok: a probe at tcp_v4_rcv stays effective|"
		 "warning: the kprobe at tcp_v4_rcv+0x17 will see nothing any more: the old "
		 "body doesn't run|"
		 "ok: a probe at tcp_v4_rcv stays effective");
	sysmake_deinit(&sys);
}

static void test_modified(void)
{
	begin("modified");
	sysmake_put(sys.roots.sys, KPROBES, "");
	sysmake_put(sys.roots.sys, FUNCTIONS, "tcp_v4_rcv (1) R I   M\n");
	sysmake_put(sys.roots.proc, "kallsyms",
		    "ffffffff81000000 T tcp_v4_rcv\nffffffff81000001 t tcp_v4_rcv_x\n");
	is_check("probes",
		 "error: a probe that may change the way of the CPU (a kprobe with a "
		 "post_handler) is on tcp_v4_rcv: the kernel would refuse the patch; remove "
		 "the probe first");
	sysmake_put(sys.roots.proc, "kallsyms",
		    "ffffffff81000000 T tcp_v4_rcv\nffffffff81000001 t tcp_v4_rcv\t[other]\n");
	is_check("probes",
		 "warning: a probe that may change the way of the CPU is on one of 2 "
		 "functions 'tcp_v4_rcv'; if it is the one to be replaced, the kernel will "
		 "refuse the patch");
	/* livepatch's own users share the function */
	sysmake_patch(&sys, "fix", "1\n", "1\n");
	sysmake_put(sys.roots.sys, "kernel/livepatch/fix/vmlinux/tcp_v4_rcv,1/x", "");
	is_check("probes", "ok: none on its functions");
	sysmake_deinit(&sys);
}

static void test_unseen(void)
{
	begin("unseen");
	_cleanup_free_ char *tracing = rk_path_join(sys.roots.sys, "kernel/tracing");
	_cleanup_free_ char *debug = rk_path_join(sys.roots.sys, "kernel/debug");
	no_err(rk_fs_remove_tree(tracing), "no tracefs");
	no_err(rk_fs_remove_tree(debug), "no debugfs");
	is_check("probes", "unknown: tracers can't be seen: tracefs isn't mounted on "
			   "/sys/kernel/tracing, or not readable|"
			   "unknown: kprobes can't be seen: debugfs isn't mounted on "
			   "/sys/kernel/debug, or not readable");
	sysmake_thread(&sys, "1", "1", "init\n", "-1\n", "");
	is_check("tasks", "unknown: no kernel stack can be read; only root may");
	_cleanup_free_ char *ftrace = rk_path_join(sys.roots.proc, "sys");
	no_err(rk_fs_remove_tree(ftrace), "no sysctl");
	is_check("ftrace", "unknown: this kernel doesn't show whether ftrace is on");
	sysmake_deinit(&sys);
}

static void test_tasks(void)
{
	begin("tasks");
	sysmake_thread(&sys, "5", "6", "worker\n", "-1\n",
		       "[<0>] schedule+0x1/0x2\n[<0>] tcp_v4_rcv+0x10/0x400\n");
	sysmake_thread(&sys, "7", "7", "namesake\n", "-1\n", "[<0>] tcp_v4_rcv+0x1/0x2 [other]\n");
	sysmake_thread(&sys, "8", "8", "longer\n", "-1\n", "[<0>] tcp_v4_rcv_x+0x1/0x2\n<0>\n");
	is_check("tasks",
		 "warning: 'worker' (6) is in tcp_v4_rcv: the transition waits until it leaves");
	sysmake_deinit(&sys);
}

static void put_other(const char *enabled)
{
	sysmake_patch(&sys, "other", enabled, "0\n");
	sysmake_module(&sys, "other", "OK\n", "1\n");
	sysmake_put(sys.roots.sys, "kernel/livepatch/other/vmlinux/tcp_v4_rcv,1/x", "");
}

static void test_patches(void)
{
	begin("patches");
	put_other("1\n");
	is_check("patches", "error: 'other' is loaded, which is no cumulative patch; unload it, or "
			    "use 'kpatch replace', which disables what is loaded first");
	/* installed as level 1: now it is known */
	_cleanup_free_ char *path = sysmake_file(&sys, "other", 1, true, NULL);
	_cleanup_module_info_ struct rk_module_info *info = NULL;
	if (no_err(rk_module_info_read(path, &info), "the other module"))
		no_err(rk_livepatch_remember(&sys.roots, path, info), "its record");
	is_check("patches", "ok: takes over 1 functions from 'other', which goes");
	sysmake_deinit(&sys);
}

static void test_result_names(void)
{
	is_str(rk_check_result_name(RK_CHECK_RESULTS), "unknown", "no result");
	is_str(rk_livepatch_way_name(RK_LIVEPATCH_WAYS), "unknown", "no way");
}

int main(void)
{
	begin("running");
	if (!no_err(rk_running_read(&sys.roots, &running), "this kernel"))
		return 1;
	sysmake_deinit(&sys);
	test_all_well();
	test_policy();
	test_probes();
	test_modified();
	test_unseen();
	test_tasks();
	test_patches();
	test_result_names();
	rk_running_deinit(&running);
	return done_testing();
}
