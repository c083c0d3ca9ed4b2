/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records between host and guest, what in a kernel's log is trouble, boot images, initramfs, stock modules. */
#include <archive.h>
#include <archive_entry.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "lib/livepatch/klog.h"
#include "lib/vm/events.h"
#include "lib/vm/image.h"
#include "lib/vm/initramfs.h"
#include "lib/vm/protocol.h"
#include "lib/vm/stock.h"
#include "lib/vm/test_internal.h"
#include "tests/unit/tap.h"

static char *tmp(const char *name)
{
	char *path = rk_path_join(tap_tmpdir(), name);

	if (!path)
		bail_out("out of memory");
	return path;
}

static void test_records(void)
{
	static const char *const fields[] = {"out", "", "a\tb\\c\nd\x7f", "ünï", "\\x09"};
	_cleanup_str_ struct rk_str line = RK_STR_INIT;
	char *got[RK_VM_FIELDS_MAX];
	char bad[] = "\\x0g\\\t\\xff\\";

	rk_vm_record_add(&line, fields, ARRAY_SIZE(fields));
	is_str(rk_str_get(&line), "out\t\ta\\x09b\\\\c\\x0ad\\x7f\tünï\t\\\\x09\n",
	       "a record is one line");
	line.s[line.len - 1] = 0;
	is_int((long long)rk_vm_record_split(line.s, got, RK_VM_FIELDS_MAX), 5, "its fields");
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		is_str(got[i], fields[i], "comes back as it was");
	is_int((long long)rk_vm_record_split(bad, got, RK_VM_FIELDS_MAX), 2, "broken escapes");
	is_str(got[0], "\\x0g\\", "… stay as they are");
	char many[] = "1\t2\t3";
	is_int((long long)rk_vm_record_split(many, got, 2), 2,
	       "no more fields than there is room for");
}

static void test_steps(void)
{
	_cleanup_arena_ struct rk_arena arena = RK_ARENA_INIT;
	_cleanup_str_ struct rk_str text = RK_STR_INIT;
	struct rk_vm_steps steps = {}, back = {};
	struct rk_vm_step load = {RK_VM_LOAD,	   60,	  7,	false, 3, "load",
				  "/patch/a b.ko", "a_b", "a_b"};
	struct rk_vm_step insmod = {RK_VM_INSMOD,    30, 0,  true, 0, "module x",
				    "/modules/x.ko", "", "y"};

	if (!rk_vec_push(&steps.list, load) || !rk_vec_push(&steps.list, insmod))
		bail_out("out of memory");
	no_err(rk_vm_steps_format(&steps, &text), "format");
	if (no_err(rk_vm_steps_parse(rk_str_get(&text), &arena, &back), "parse")) {
		is_int((long long)back.list.nr, 2, "as many");
		is_int(back.list.v[0].verb, RK_VM_LOAD, "verb");
		is_int(back.list.v[0].limit_s, 60, "limit");
		is_int(back.list.v[0].work_s, 7, "work");
		is_str(back.list.v[0].path, "/patch/a b.ko", "path");
		is_str(back.list.v[0].arg, "a_b", "arg");
		is_int(back.list.v[0].group, 3, "group");
		is_str(back.list.v[1].patch, "y", "patch");
		ok(!back.list.v[0].optional && back.list.v[1].optional, "optional");
		is_str(back.list.v[1].title, "module x", "title");
	}
	rk_vec_deinit(&back.list);
	rk_vec_deinit(&steps.list);
	is_err(rk_vm_steps_parse("load\t1\n", &arena, &back), RK_ERR_FORMAT,
	       "step 0 has 2 fields, not 9", "too few fields");
	is_err(rk_vm_steps_parse("dance\t1\t0\t0\t0\ta\tb\tc\td\n", &arena, &back), RK_ERR_FORMAT,
	       "step 0 has the unknown verb 'dance'", "an unknown verb");
}

static void test_trouble(void)
{
	static const struct {
		unsigned int priority;
		const char *text, *kind;
	} cases[] = {
		{4, "WARNING: CPU: 0 PID: 1 at kernel/x.c:3 f+0x1/0x2", "warning"},
		{6, "systemd[1]: WARNING: something a program said", NULL},
		{1, "BUG: unable to handle page fault for address: ffff", "bug"},
		{1, "BUG: kernel NULL pointer dereference, address: 0000000000000008", "bug"},
		{2, "kernel BUG at mm/slub.c:379!", "bug"},
		{0, "Oops: 0000 [#1] PREEMPT SMP NOPTI", "oops"},
		{4, "general protection fault, probably for non-canonical address 0x6b", NULL},
		{1, "general protection fault, probably for non-canonical address 0x6b", "oops"},
		{1, "stack segment: 0000 [#1] PREEMPT SMP", NULL},
		{0, "watchdog: BUG: soft lockup - CPU#0 stuck for 26s! [x:85]", "lockup"},
		{0, "NMI watchdog: Watchdog detected hard LOCKUP on cpu 1", "lockup"},
		{3, "rcu: INFO: rcu_preempt self-detected stall on CPU", "stall"},
		{3, "rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:", "stall"},
		{3, "INFO: task insmod:85 blocked for more than 20 seconds.", "hung-task"},
		{3, "livepatch: symbol 'x' not found in symbol table", "livepatch"},
		{4, "livepatch: pre-patch callback failed for object 'vmlinux'", "livepatch"},
		{5, "livepatch: enabling patch 'x'", NULL},
		{5, "livepatch: signaling remaining tasks", NULL},
		{4, "x: Unknown symbol y (err -2)", "module"},
		{4, "x: disagrees about version of symbol module_layout", "module"},
		{3, "x: version magic '6.1' should be '6.2'", "module"},
		{4, "x: loading out-of-tree module taints kernel.", NULL},
		{4, "x: tainting kernel with TAINT_LIVEPATCH", NULL},
		{5,
		 "x: module verification failed: signature and/or required key missing - tainting kernel",
		 NULL},
		{6, "Debugging features: none", NULL},
		{0, "Kernel panic - not syncing: Fatal exception", "panic"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		is_str(rk_klog_trouble(cases[i].priority, cases[i].text), cases[i].kind,
		       cases[i].text);
}

static void test_same(void)
{
	const char *line = "WARNING: CPU: 0 PID: 77 at net/core/dev.c:12 dev_hold+0x1a/0x2f [ipv6]";

	ok(rk_klog_is_same(
		   line, "WARNING: CPU: 11 PID: 9 at net/core/dev.c:12 dev_hold+0x1b/0x30 [ipv6]"),
	   "other numbers");
	ok(!rk_klog_is_same(
		   line, "WARNING: CPU: 0 PID: 77 at net/core/dev.c:12 dev_put+0x1a/0x2f [ipv6]"),
	   "another function");
	ok(!rk_klog_is_same(line, "WARNING: CPU: 0 PID: 77"), "a beginning only");
	ok(!rk_klog_is_same("a 1", "a b"), "a number and a word");
	ok(rk_klog_is_same("", ""), "nothing");
}

static void write_image(const char *path, const char *version, size_t at, size_t size)
{
	unsigned char data[2048] = {0};
	_cleanup_err_ struct rk_err *err = NULL;

	memcpy(data + 0x202, "HdrS", 4);
	data[0x20e] = (unsigned char)(at - 0x200);
	data[0x20f] = (unsigned char)((at - 0x200) >> 8);
	if (at + strlen(version) < sizeof(data))
		memcpy(data + at, version, strlen(version));
	err = rk_fs_write(path, data, size, 0644);
	if (err)
		bail_out("%s", rk_err_message(err));
}

static void test_image(void)
{
	_cleanup_arena_ struct rk_arena arena = RK_ARENA_INIT;
	_cleanup_free_ char *path = tmp("vmlinuz");
	struct rk_image_info info = {};

	write_image(path, "6.1.0-1-x (me@here) (gcc (Debian) 12) #1 SMP Debian 6.1.1", 0x400, 2048);
	if (no_err(rk_image_info_read(path, &arena, &info), "an image")) {
		is_str(info.release, "6.1.0-1-x", "release");
		is_str(info.version, "#1 SMP Debian 6.1.1", "version");
	}
	write_image(path, "6.1.0-1-x", 0x400, 2048);
	is_err_like(rk_image_info_read(path, &arena, &info), RK_ERR_FORMAT,
		    "has a version text of unknown form", "no version");
	write_image(path, "", 0x8200, 2048);
	is_err_like(rk_image_info_read(path, &arena, &info), RK_ERR_FORMAT, "names no version",
		    "a version beyond the end");
	write_image(path, "", 0x400, 0x20e);
	is_err_like(rk_image_info_read(path, &arena, &info), RK_ERR_FORMAT,
		    "is no bootable x86 kernel image", "cut short");
	is_err_like(rk_image_info_read("/nonexistent", &arena, &info), RK_ERR_SYS,
		    "cannot open kernel image '/nonexistent'", "absent");
}

/* "type mode path[ -> target]" of each entry, one a line. */
static void list_archive(const char *path, struct rk_str *ret)
{
	struct archive *in = archive_read_new();
	struct archive_entry *entry;

	archive_read_support_format_cpio(in);
	if (archive_read_open_filename(in, path, 10240) != ARCHIVE_OK)
		bail_out("%s", archive_error_string(in));
	while (archive_read_next_header(in, &entry) == ARCHIVE_OK) {
		const char *target = archive_entry_symlink(entry);

		rk_str_addf(ret, "%o %s%s%s %d\n", archive_entry_mode(entry),
			    archive_entry_pathname(entry), target ? " -> " : "",
			    target ? target : "", (int)archive_entry_size(entry));
	}
	archive_read_free(in);
}

static void test_initramfs(void)
{
	_cleanup_free_ char *path = tmp("initramfs.cpio");
	_cleanup_str_ struct rk_str list = RK_STR_INIT;
	struct rk_initramfs *fs = NULL;

	if (!no_err(rk_initramfs_create(path, &fs), "create"))
		return;
	no_err(rk_initramfs_add_bytes(fs, "/a/b/c", 0755, "hello", 5),
	       "a file with its directories");
	no_err(rk_initramfs_add_bytes(fs, "/a/b/c", 0755, "other", 5), "the same again");
	no_err(rk_initramfs_add_bytes(fs, "/a/d", 0644, "", 0), "an empty file");
	no_err(rk_initramfs_add_link(fs, "/bin/sh", "busybox"), "a link");
	is_err(rk_initramfs_add_bytes(fs, "x", 0644, "", 0), RK_ERR_INVALID,
	       "'x' is not an absolute path of a file", "a relative path");
	is_err(rk_initramfs_add_bytes(fs, "/x/", 0644, "", 0), RK_ERR_INVALID,
	       "'/x/' is not an absolute path of a file", "a directory's path");
	no_err(rk_initramfs_finish(fs), "finish");
	list_archive(path, &list);
	is_str(rk_str_get(&list),
	       "40755 dev 0\n40755 proc 0\n40755 sys 0\n40755 tmp 0\n20600 dev/console 0\n40755 a 0\n40755 a/b 0\n"
	       "100755 a/b/c 5\n100644 a/d 0\n40755 bin 0\n120777 bin/sh -> busybox 7\n",
	       "what is in it");
	is_err_like(rk_initramfs_create("/nonexistent/x", &fs), RK_ERR_SYS,
		    "cannot write '/nonexistent/x'", "no directory");
}

static void test_abandon(void)
{
	_cleanup_free_ char *path = tmp("abandoned.cpio");
	struct rk_initramfs *fs = NULL;

	if (no_err(rk_initramfs_create(path, &fs), "create"))
		rk_initramfs_abandon(fs);
	ok(!rk_fs_exists(path), "nothing half-done is left");
	rk_initramfs_abandon(NULL);
}

static struct rk_vm_result play(const char *const *lines, size_t nr)
{
	static const struct rk_vm_step step = {RK_VM_LOAD, 60, 0, false, 0, "load", "", "", ""};
	struct rk_vm_steps steps = {};
	struct rk_vm_result result = {};
	struct rk_vm_step_result empty = {.detail = ""};
	struct rk_vm_events events = {.steps = &steps, .result = &result, .step = RK_VM_STEP_BOOT};

	if (!rk_vec_push(&steps.list, step) || !rk_vec_push(&result.steps, empty))
		bail_out("out of memory");
	for (size_t i = 0; i < nr; i++)
		rk_vm_events_line(&events, lines[i]);
	rk_vm_events_end(&events);
	is_str(rk_str_get(&events.other), nr > 4 ? "qemu: a warning" : "",
	       "what is no record is QEMU's");
	ok(!events.failed, "memory sufficed");
	rk_str_deinit(&events.other);
	rk_vec_deinit(&steps.list);
	return result;
}

static void test_events(void)
{
	static const char *const died[] = {"@rk\thello\tr\tv\tb", "@rk\tbegin\t0",
					   "@rk\tlog\t4\t1.5\ttext"};
	static const char *const odd[] = {
		"qemu: a warning",  "@rk\tbegin\t7",  "@rk\tend\t-1\tok\t1\t",
		"@rk\tend\t0\tok",  "@rk\tout\tx\ty", "@rk\tlog",
		"@rk\tnonsense\t1", "@rk\t",	      "@rk\ttask\t0\t1\tc",
	};
	struct rk_vm_result result = play(died, ARRAY_SIZE(died));

	ok(result.is_up && !result.is_finished, "up, but not at its end");
	is_int(result.steps.v[0].outcome, RK_VM_DIED, "it died in the step");
	is_int((long long)result.log.nr, 1, "one line of log");
	is_int((long long)result.log.v[0].step, 0, "which belongs to the step");
	rk_vm_result_deinit(&result);
	result = play(odd, ARRAY_SIZE(odd));
	ok(!result.is_up && !result.log.nr, "records that are wrong change nothing");
	is_int(result.steps.v[0].outcome, RK_VM_NOT_RUN, "… also not a step's outcome");
	rk_vm_result_deinit(&result);
}

/* A boot of three steps that died in the second: the first is one test's, the others are another's. */
static void test_cut(void)
{
	static const char *const lines[] = {
		"@rk\thello\tr\tv\tb", "@rk\tlog\t4\t0.5\tboot", "@rk\tbegin\t0",
		"@rk\tlog\t4\t1\tone", "@rk\tend\t0\tok\t1.5\t", "@rk\tlog\t4\t1\tone later",
		"@rk\tbegin\t1",       "@rk\tlog\t4\t2\ttwo",
	};
	static const struct rk_vm_step step = {RK_VM_LOAD, 60, 0, false, 0, "load", "", "", ""};
	struct rk_vm_step_result empty = {.detail = ""};
	struct rk_vm_steps steps = {};
	_cleanup_vm_result_ struct rk_vm_result whole = {.last_step = RK_VM_STEP_BOOT,
							 .seconds = 9,
							 .panic = "panic",
							 .qemu_output = "",
							 .console = strdup("console")};
	_cleanup_vm_result_ struct rk_vm_result one = {}, two = {};
	struct rk_vm_events events = {.steps = &steps, .result = &whole, .step = RK_VM_STEP_BOOT};

	for (size_t i = 0; i < 3; i++)
		if (!rk_vec_push(&steps.list, step) || !rk_vec_push(&whole.steps, empty))
			bail_out("out of memory");
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		rk_vm_events_line(&events, lines[i]);
	rk_vm_events_end(&events);
	no_err(rk_vm_result_cut(&whole, 0, 1, &one), "cut the first");
	no_err(rk_vm_result_cut(&whole, 1, 2, &two), "cut the second");
	ok(one.is_finished && !one.panic && !one.console[0],
	   "the first has nothing to do with the end");
	ok(!two.is_finished && two.panic && two.console[0], "the second has");
	is_int((long long)one.log.nr, 3, "the first's log, with that of the boot");
	is_int((long long)two.log.nr, 1, "the second's");
	is_int((long long)two.log.v[0].step, 0, "… counts from its first step");
	is_int(two.steps.v[0].outcome, RK_VM_DIED, "its step died");
	is_int(two.steps.v[1].outcome, RK_VM_NOT_RUN, "… and the next was not run");
	ok(one.seconds == 1.5, "a part's seconds are those of its steps");
	ok(strstr(rk_str_get(&one.transcript), "one later") &&
		   !strstr(rk_str_get(&one.transcript), "two"),
	   "the first's transcript");
	ok(rk_has_prefix(rk_str_get(&two.transcript), "== load") &&
		   !strstr(rk_str_get(&two.transcript), "one"),
	   "the second's transcript");
	rk_vec_deinit(&steps.list);
}

/* A module's file with what it says of itself. */
static void put_module(const char *dir, const char *name, const char *info)
{
	_cleanup_free_ char *source = rk_asprintf("%s/%s.c", dir, name);
	_cleanup_free_ char *object = rk_asprintf("%s/%s.ko", dir, name);
	_cleanup_free_ char *text = rk_asprintf(
		"static const char info[] __attribute__((used, section(\".modinfo\"))) = \"%s\";\n",
		info);
	const char *const argv[] = {"gcc", "-c", "-o", object, source, NULL};
	struct rk_process_spec spec = {.argv = argv, .timeout_ms = 60000};
	_cleanup_process_result_ struct rk_process_result res = {};

	if (!no_err(rk_fs_write(source, text, strlen(text), 0644), name) ||
	    !no_err(rk_process_check(&spec, &res), name))
		bail_out("no module");
}

static void order_is(struct rk_stock *stock, const char *name, const char *want)
{
	_cleanup_str_ struct rk_str text = RK_STR_INIT;
	struct rk_stock_order order = {};

	rk_stock_restart(stock);
	no_err(rk_stock_add(stock, name, &order), name);
	rk_vec_for_each(&order.list, module)
		rk_str_addf(&text, "%s%s", text.len ? " " : "", module->name);
	is_str(rk_str_get(&text), want, name);
	rk_vec_deinit(&order.list);
}

/* What must be there first: dependencies, and of softdeps what there is, by name or by alias. */
static void test_stock_order(void)
{
	static const char builtin[] = "one.alias=inside\0one.license=GPL\0two.parm=x.alias=y";
	_cleanup_free_ char *dir = tmp("stock order"),
			    *info = rk_path_join(dir, "modules.builtin.modinfo");
	struct rk_stock *stock = NULL;

	no_err(rk_fs_mkdir_p(dir, 0755), dir);
	no_err(rk_fs_write(info, builtin, sizeof(builtin), 0644), info);
	put_module(dir, "base", "license=GPL");
	put_module(dir, "sum-intel", "alias=crypto-sum\\0alias=sum");
	put_module(dir, "sum_generic", "alias=other\\0alias=sum");
	put_module(dir, "sum_zero", "alias=sum");
	put_module(dir, "hash_b", "alias=hash");
	put_module(dir, "hash_a", "alias=hash");
	put_module(dir, "hash_of_none", "alias=hashes");
	put_module(dir, "user", "depends=base\\0softdep=pre: sum absent inside hash post: top");
	if (!no_err(rk_stock_open(dir, &stock), "open"))
		return;
	order_is(stock, "user", "base sum_generic hash_a user");
	order_is(stock, "base", "base");
	rk_stock_close(stock);
}

static void test_stock(void)
{
	_cleanup_free_ char *dir = tmp("stock");
	_cleanup_free_ char *broken = rk_path_join(dir, "broken.ko");
	_cleanup_free_ char *builtin = rk_path_join(dir, "modules.builtin");
	const char *names = "kernel/a/in-side.ko\nkernel/b/other.ko";
	struct rk_stock_order order = {};
	struct rk_stock *stock = NULL;

	is_err_like(rk_stock_open("/nonexistent", &stock), RK_ERR_SYS, "cannot read '/nonexistent'",
		    "no directory");
	no_err(rk_fs_mkdir_p(dir, 0755), "directory");
	no_err(rk_fs_write(broken, "no ELF", 6, 0644), "a broken module");
	no_err(rk_fs_write(builtin, names, strlen(names), 0644), "list of built-in modules");
	if (!no_err(rk_stock_open(dir, &stock), "open"))
		return;
	ok(rk_stock_is_builtin(stock, "in_side") && rk_stock_is_builtin(stock, "other"),
	   "built in");
	ok(!rk_stock_is_builtin(stock, "broken"), "not built in");
	no_err(rk_stock_add(stock, "in-side", &order), "a built-in module");
	is_int((long long)order.list.nr, 0, "… needs nothing");
	is_err_like(rk_stock_add(stock, "absent", &order), RK_ERR_NOT_FOUND,
		    "no module 'absent' below", "an absent module");
	is_err_like(rk_stock_add(stock, "broken", &order), RK_ERR_FORMAT, "broken.ko",
		    "a broken module");
	rk_vec_deinit(&order.list);
	rk_stock_close(stock);
}

int main(void)
{
	test_records();
	test_steps();
	test_trouble();
	test_same();
	test_image();
	test_initramfs();
	test_abandon();
	test_events();
	test_cut();
	test_stock();
	test_stock_order();
	return done_testing();
}
