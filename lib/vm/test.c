/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One test from start to end: check that module and image belong together, plan, boot, judge. */
#include "lib/vm/test.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/fs.h"
#include "lib/vm/image.h"
#include "lib/vm/test_internal.h"

/* vermagic begins with the release: "6.1.0-47-cloud-amd64 SMP preempt …" */
static struct rk_err *check_match(struct rk_vm_test *test)
{
	const struct rk_module_info *info = test->info;
	struct rk_image_info image;
	size_t len;

	if (!info->is_livepatch)
		return rk_err(RK_ERR_UNSUPPORTED,
			      "'%s' is no live patch module (its .modinfo has no 'livepatch=Y')",
			      test->spec->module);
	RK_TRY(rk_image_info_read(test->spec->image, &test->arena, &image));
	len = strcspn(info->vermagic, " ");
	if (strlen(image.release) != len || strncmp(image.release, info->vermagic, len) != 0)
		return rk_err(RK_ERR_MISMATCH, "'%s' is kernel %s, the module was made for %.*s",
			      test->spec->image, image.release, (int)len, info->vermagic);
	if (info->manifest && info->manifest->version &&
	    !rk_streq(info->manifest->version, image.version))
		return rk_err(RK_ERR_MISMATCH, "'%s' is kernel '%s', the module was made for '%s'",
			      test->spec->image, image.version, info->manifest->version);
	return NULL;
}

static struct rk_err *hash_inputs(struct rk_vm_test *test, const char *initramfs)
{
	const struct rk_vm_test_spec *spec = test->spec;

	RK_TRY(rk_sha256_file(spec->image, test->image_sha256));
	RK_TRY(rk_sha256_file(initramfs, test->initramfs_sha256));
	RK_TRY(rk_sha256_bytes(spec->init, spec->init_size, test->init_sha256));
	if (spec->before)
		RK_TRY(rk_sha256_file(spec->before, test->before_sha256));
	if (spec->after)
		RK_TRY(rk_sha256_file(spec->after, test->after_sha256));
	for (size_t i = 0; i < spec->nr_files; i++) {
		char *sha256 = rk_arena_alloc(&test->arena, RK_SHA256_HEX_SIZE);

		if (!sha256 || !rk_vec_push(&test->file_sha256, sha256))
			return rk_err_nomem();
		RK_TRY(rk_sha256_file(spec->files[i].host, sha256));
	}
	return NULL;
}

static void set_date(struct rk_vm_test *test)
{
	time_t now = time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(test->date, sizeof(test->date), "%Y-%m-%dT%H:%M:%SZ", &tm);
}

static struct rk_err *prepare(struct rk_vm_test *test, const char *initramfs)
{
	set_date(test);
	RK_TRY(rk_module_info_read(test->spec->module, &test->info));
	RK_TRY(check_match(test));
	rk_report_phase(test->spec->reporter, "prepare", "initramfs for '%s'", test->info->name);
	RK_TRY(rk_vm_test_plan(test, initramfs));
	return hash_inputs(test, initramfs);
}

struct rk_err *rk_vm_test_run(const struct rk_vm_test_spec *spec, struct rk_vm_test **ret)
{
	_cleanup_vm_test_ struct rk_vm_test *test = calloc(1, sizeof(*test));
	_cleanup_free_ char *initramfs = rk_path_join(spec->work_dir, "initramfs.cpio");
	_cleanup_free_ char *console = rk_path_join(spec->work_dir, "console.log");

	if (!test || !initramfs || !console)
		return rk_err_nomem();
	test->spec = spec;
	RK_TRY(prepare(test, initramfs));
	struct rk_vm_machine machine = {
		.image = spec->image,
		.initramfs = initramfs,
		.console = console,
		.memory_mib = spec->memory_mib,
		.cpus = spec->cpus,
		.timeout_s = spec->timeout_s,
	};
	RK_TRY(rk_vm_boot(&machine, &test->steps, spec->reporter, &test->run));
	RK_TRY(rk_vm_test_judge(test));
	*ret = take_ptr(test);
	return NULL;
}

void rk_vm_test_free(struct rk_vm_test *test)
{
	if (!test)
		return;
	if (test->info)
		rk_module_info_free(test->info);
	rk_vec_deinit(&test->steps.list);
	rk_vm_result_deinit(&test->run);
	rk_vec_deinit(&test->file_sha256);
	rk_vec_deinit(&test->troubles);
	rk_vec_deinit(&test->reasons);
	rk_vec_deinit(&test->notes);
	rk_arena_deinit(&test->arena);
	free(test);
}
