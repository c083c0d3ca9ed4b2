/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one verb: from the command line to the specification of the tests; results.c takes what comes out. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/target/target.h"
#include "tools/common/cli.h"
#include "tools/common/render.h"
#include "tools/common/target.h"
#include "tools/kpatch-test/kpatch-test.h"

#define DEFAULT_CPUS 2
/*
 * Many modules: with one processor a transition ends at once. A second one that is idle changes over when it next wakes, but the
 * kernel looks only every second.
 */
#define DEFAULT_CPUS_MANY 1
#define DEFAULT_TIMEOUT_S 300
/* A boot takes 5 s, on a machine with much else to do 30. */
#define DEFAULT_BOOT_S	     90
#define DEFAULT_TRANSITION_S 60
#define DEFAULT_CHECK_S	     120
#define MAX_MEMORY_MIB	     (1u << 20)
#define MIN_MEMORY_MIB	     128
#define MAX_CPUS	     64
#define MAX_SECONDS	     86400u

extern const char rk_guest_init[], rk_guest_init_end[];

struct test_values {
	const char *target, *image, *modules;
	const char *before, *after;
	struct rk_strings load, load_after, files;
	unsigned int memory, cpus, boot, timeout, transition, check;
	bool no_reload, reload, sequence;
	const char *keep, *output;
};

/* What a specification's strings live in, and what is to be undone afterwards. */
struct session {
	struct rk_arena arena;
	const struct rk_cli *cli;
	const struct test_values *values;
	struct rk_vm_test_spec spec;
	rk_vec(const char *) modules;
	rk_vec(struct rk_vm_file) files;
	struct rk_target *target;
	char *qemu;
	char *work_dir;
	bool remove_work_dir;
};

static void session_deinit(struct session *s)
{
	_cleanup_err_ struct rk_err *err = NULL;

	if (s->work_dir && s->remove_work_dir)
		err = rk_fs_remove_tree(s->work_dir);
	free(s->work_dir);
	free(s->qemu);
	if (s->target)
		rk_target_close(s->target);
	rk_vec_deinit(&s->modules);
	rk_vec_deinit(&s->files);
	rk_arena_deinit(&s->arena);
}

/* Absolute, in the session's arena; NULL stays NULL. The file must be there. */
static struct rk_err *input_path(struct session *s, const char *path, const char **ret)
{
	_cleanup_free_ char *absolute = NULL;

	if (!path)
		return NULL;
	RK_TRY(rk_cli_absolute_path(path, &absolute));
	if (!rk_fs_exists(absolute))
		return rk_err(RK_ERR_NOT_FOUND, "'%s' does not exist", path);
	*ret = rk_arena_strdup(&s->arena, absolute);
	return *ret ? NULL : rk_err_nomem();
}

/* The first module decides. "debian:<release>" when it has no manifest to say which target it is for. */
static struct rk_err *target_of_module(struct session *s, const char **ret)
{
	struct rk_module_info *info = NULL;

	RK_TRY(rk_module_info_read(s->modules.v[0], &info));
	if (info->manifest && info->manifest->target_id &&
	    !rk_has_prefix(info->manifest->target_id, "path:"))
		*ret = rk_arena_strdup(&s->arena, info->manifest->target_id);
	else if (info->vermagic && !info->manifest)
		*ret = rk_arena_printf(&s->arena, "debian:%.*s", (int)strcspn(info->vermagic, " "),
				       info->vermagic);
	else
		*ret = "";
	rk_module_info_free(info);
	if (*ret && !**ret)
		return rk_err(RK_ERR_INVALID,
			      "'%s' does not say which target it is for; use --target or --image",
			      s->cli->operands[0]);
	return *ret ? NULL : rk_err_nomem();
}

static struct rk_err *open_target(struct session *s)
{
	const char *id = s->values->target;

	if (!id)
		RK_TRY(target_of_module(s, &id));
	const struct rk_cli_target kernel = {.spec = id};
	RK_TRY(rk_cli_target_open(s->cli, &kernel, RK_TARGET_IMAGE, &s->target));
	if (!s->target->image)
		return rk_err(RK_ERR_NOT_FOUND, "target '%s' has no bootable image; use --image",
			      id);
	s->spec.image = s->target->image;
	s->spec.modules_dir = s->target->modules;
	s->spec.target_id = s->target->id;
	return NULL;
}

static struct rk_err *find_kernel(struct session *s)
{
	if (s->values->target && s->values->image)
		return rk_err(RK_ERR_INVALID, "--target and --image exclude each other");
	if (!s->values->image)
		RK_TRY(open_target(s));
	RK_TRY(input_path(s, s->values->image, &s->spec.image));
	return input_path(s, s->values->modules, &s->spec.modules_dir);
}

/* HOST[:GUEST]; a relative GUEST is below RK_VM_FILES_DIR. */
static struct rk_err *add_file(struct session *s, const char *text)
{
	const char *colon = strrchr(text, ':');
	const char *host = colon ? rk_arena_strndup(&s->arena, text, (size_t)(colon - text)) : text;
	const char *slash = host ? strrchr(host, '/') : NULL;
	const char *guest = colon ? colon + 1 : slash ? slash + 1 : host;
	struct rk_vm_file file = {};

	if (!host)
		return rk_err_nomem();
	if (!*host || !*guest || rk_has_suffix(guest, "/"))
		return rk_err(RK_ERR_INVALID,
			      "'--file %s' does not name a file; it must be HOST or HOST:GUEST",
			      text);
	RK_TRY(input_path(s, host, &file.host));
	file.guest =
		guest[0] == '/' ? guest : rk_arena_printf(&s->arena, RK_VM_FILES_DIR "/%s", guest);
	if (!file.guest || !rk_vec_push(&s->files, file))
		return rk_err_nomem();
	return NULL;
}

/* *ret is value, or fallback when it wasn't given (0). */
static struct rk_err *number(const char *option, unsigned int value, unsigned int fallback,
			     unsigned int min, unsigned int max, unsigned int *ret)
{
	if (value && (value < min || value > max))
		return rk_err(RK_ERR_INVALID, "--%s must be %u to %u, not %u", option, min, max,
			      value);
	*ret = value ? value : fallback;
	return NULL;
}

static struct rk_err *take_numbers(struct session *s)
{
	const struct test_values *v = s->values;

	RK_TRY(number("memory", v->memory, 0, MIN_MEMORY_MIB, MAX_MEMORY_MIB, &s->spec.memory_mib));
	RK_TRY(number("cpus", v->cpus, s->cli->nr_operands > 1 ? DEFAULT_CPUS_MANY : DEFAULT_CPUS,
		      1, MAX_CPUS, &s->spec.cpus));
	RK_TRY(number("boot-timeout", v->boot, DEFAULT_BOOT_S, 1, MAX_SECONDS, &s->spec.boot_s));
	RK_TRY(number("timeout", v->timeout, DEFAULT_TIMEOUT_S, 1, MAX_SECONDS,
		      &s->spec.timeout_s));
	RK_TRY(number("check-timeout", v->check, DEFAULT_CHECK_S, 1, MAX_SECONDS,
		      &s->spec.check_s));
	return number("transition-timeout", v->transition, DEFAULT_TRANSITION_S, 1, MAX_SECONDS,
		      &s->spec.transition_s);
}

static struct rk_err *make_work_dir(struct session *s)
{
	const char *tmp = getenv("TMPDIR");

	if (s->values->keep) {
		RK_TRY(rk_cli_absolute_path(s->values->keep, &s->work_dir));
		return rk_fs_mkdir_p(s->work_dir, 0755);
	}
	RK_TRY(rk_fs_mkdtemp(tmp && *tmp ? tmp : "/tmp", "kpatch-test-", &s->work_dir));
	s->remove_work_dir = true;
	return NULL;
}

static struct rk_err *take_modules(struct session *s)
{
	for (size_t i = 0; i < s->cli->nr_operands; i++) {
		const char *path = NULL;

		RK_TRY(input_path(s, s->cli->operands[i], &path));
		if (!rk_vec_push(&s->modules, path))
			return rk_err_nomem();
	}
	if (s->values->reload && (s->values->no_reload || s->values->sequence))
		return rk_err(RK_ERR_INVALID, "--reload and %s exclude each other",
			      s->values->sequence ? "--sequence" : "--no-reload");
	s->spec.modules = s->modules.v;
	s->spec.nr_modules = s->modules.nr;
	s->spec.is_sequence = s->values->sequence;
	s->spec.no_reload = s->values->no_reload || (s->modules.nr > 1 && !s->values->reload);
	return NULL;
}

static struct rk_err *fill_spec(struct session *s)
{
	const struct test_values *v = s->values;

	RK_TRY(take_modules(s));
	RK_TRY(input_path(s, v->before, &s->spec.before));
	RK_TRY(input_path(s, v->after, &s->spec.after));
	for (size_t i = 0; i < v->files.nr; i++)
		RK_TRY(add_file(s, v->files.v[i]));
	RK_TRY(take_numbers(s));
	/* before anything is fetched */
	RK_TRY(rk_vm_qemu_version(&s->qemu));
	s->spec.qemu = s->qemu;
	RK_TRY(find_kernel(s));
	RK_TRY(make_work_dir(s));
	s->spec.load = v->load.v;
	s->spec.nr_load = v->load.nr;
	s->spec.load_after = v->load_after.v;
	s->spec.nr_load_after = v->load_after.nr;
	s->spec.files = s->files.v;
	s->spec.nr_files = s->files.nr;
	s->spec.init = rk_guest_init;
	s->spec.init_size = (size_t)(rk_guest_init_end - rk_guest_init);
	s->spec.work_dir = s->work_dir;
	s->spec.tool_version = RK_VERSION;
	s->spec.reporter = s->cli->reporter;
	return NULL;
}

static struct rk_err *test_modules(struct session *s, enum rk_exit *ret_exit)
{
	_cleanup_vm_tests_ struct rk_vm_tests *tests = NULL;
	_cleanup_(results_deinit) struct results results = {
		.nr_modules = s->cli->nr_operands, .output = s->values->output, .cli = s->cli};

	RK_TRY(fill_spec(s));
	RK_TRY(rk_vm_tests_run(&s->spec, results_add, &results, &tests));
	return results_finish(&results, tests, ret_exit);
}

static struct rk_err *run(const struct rk_cli *cli, enum rk_exit *ret_exit)
{
	_cleanup_(session_deinit) struct session s = {.cli = cli, .values = cli->values};

	return test_modules(&s, ret_exit);
}

static const struct rk_option options[] = {
	RK_OPT_GROUP("the kernel"),
	RK_OPT_STR(0, "target", struct test_values, target, "TARGET",
		   "boot the image of this target; without it, that of the module's own target"),
	RK_OPT_STR(0, "image", struct test_values, image, "VMLINUZ", "boot this image instead"),
	RK_OPT_STR(0, "modules", struct test_values, modules, "DIR",
		   "take stock modules from below DIR"),
	RK_OPT_GROUP("what is done"),
	RK_OPT_STR(
		0, "before", struct test_values, before, "SCRIPT",
		"run in the guest before the patch is loaded and after it is unloaded; must succeed"),
	RK_OPT_STR(0, "after", struct test_values, after, "SCRIPT",
		   "run while the patch is loaded; must succeed"),
	RK_OPT_LIST(0, "module", struct test_values, load, "NAME",
		    "load this stock module, and what it needs, before the patch (again for more)"),
	RK_OPT_LIST(
		0, "module-after", struct test_values, load_after, "NAME",
		"load this stock module while the patch is loaded; --before then only runs after the unload (again for more)"),
	RK_OPT_LIST(
		0, "file", struct test_values, files, "HOST[:GUEST]",
		"copy a file or program into the guest, to /files unless GUEST is absolute (again for more)"),
	RK_OPT_FLAG(0, "no-reload", struct test_values, no_reload,
		    "unload the patch, but do not load it a second time"),
	RK_OPT_FLAG(0, "reload", struct test_values, reload,
		    "load each of several patches a second time, as it is done with one"),
	RK_OPT_FLAG(0, "sequence", struct test_values, sequence,
		    "load each patch on top of those before it, and unload them at the end"),
	RK_OPT_GROUP("limits"),
	RK_OPT_UINT(0, "memory", struct test_values, memory, "MIB",
		    "memory of the guest (512, more for many modules)"),
	RK_OPT_UINT(0, "cpus", struct test_values, cpus, "N",
		    "processors of the guest (2; 1 for several modules)"),
	RK_OPT_UINT(0, "boot-timeout", struct test_values, boot, "S",
		    "end a guest whose kernel isn't up after S seconds (90), and boot once more"),
	RK_OPT_UINT(0, "timeout", struct test_values, timeout, "S",
		    "end the guest when one module takes longer than S seconds (300)"),
	RK_OPT_UINT(0, "check-timeout", struct test_values, check, "S",
		    "a script that takes longer than S seconds fails the test (120)"),
	RK_OPT_UINT(0, "transition-timeout", struct test_values, transition, "S",
		    "a transition that takes longer than S seconds fails the test (60)"),
	RK_OPT_GROUP("output"),
	RK_OPT_STR(
		'o', "output", struct test_values, output, "DIR",
		"write evidence.json and transcript.txt to DIR (MODULE without .ko, with .evidence); of several modules, to one directory each in DIR, beside summary.json"),
	RK_OPT_STR(0, "keep", struct test_values, keep, "DIR",
		   "keep initramfs and console log in DIR"),
	RK_OPT_END,
};

const struct rk_verb verb_test = {
	.name = "",
	.operands = "MODULE...",
	.summary = "test live patch modules in a virtual machine",
	.description =
		"Boots the kernel that MODULE was made for, loads MODULE, waits for its transition, unloads it and loads it\n"
		"again, and watches the kernel's log. Several modules are tested one after the other in one boot, each\n"
		"with a verdict of its own; they are loaded once. Scripts get the phase as first argument and in KPATCH_TEST_PHASE:\n"
		"before, after, unloaded or reloaded. Exit status: 0 passed, 1 could not be tested, 2 usage, 3 failed.",
	.options = options,
	.values_size = sizeof(struct test_values),
	.min_operands = 1,
	.max_operands = RK_OPERANDS_MAX,
	.has_json = true,
	.run = run,
};
