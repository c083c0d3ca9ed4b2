/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is in the guest whatever is tested there: our init, a shell, the scripts and files of the caller, and last the list of steps. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/process.h"
#include "lib/vm/test_internal.h"

#define LIST_TIMEOUT_MS 10000

static const char *const busybox_paths[] = {"/bin/busybox", "/usr/bin/busybox"};

/* A link for every applet, so that scripts find "grep" and "/bin/sh". */
static struct rk_err *add_applets(struct rk_initramfs *fs, const char *busybox)
{
	const char *argv[] = {busybox, "--list", NULL};
	struct rk_process_spec spec = {.argv = argv, .timeout_ms = LIST_TIMEOUT_MS};
	_cleanup_process_result_ struct rk_process_result result = {};

	RK_TRY(rk_process_check(&spec, &result));
	for (const char *line = rk_str_get(&result.output); *line;) {
		size_t len = strcspn(line, "\n");
		_cleanup_free_ char *path = rk_asprintf("/bin/%.*s", (int)len, line);

		if (!path)
			return rk_err_nomem();
		if (len && !rk_streq(path, "/bin/busybox"))
			RK_TRY(rk_initramfs_add_link(fs, path, "busybox"));
		line += len + (line[len] == '\n');
	}
	return NULL;
}

static struct rk_err *add_shell(struct rk_initramfs *fs)
{
	static const char *const links[] = {"/sbin", "/usr/bin", "/usr/sbin"};

	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		RK_TRY(rk_initramfs_add_link(fs, links[i], "/bin"));
	for (size_t i = 0; i < ARRAY_SIZE(busybox_paths); i++) {
		if (!rk_fs_exists(busybox_paths[i]))
			continue;
		RK_TRY(rk_initramfs_add_program(fs, "/bin/busybox", busybox_paths[i]));
		return add_applets(fs, busybox_paths[i]);
	}
	return rk_err(RK_ERR_NOT_FOUND,
		      "'busybox' is not installed; run 'apt install busybox-static'");
}

static struct rk_err *add_files(const struct rk_vm_test_spec *spec, struct rk_initramfs *fs)
{
	RK_TRY(rk_initramfs_add_dir(fs, RK_VM_FILES_DIR));
	RK_TRY(rk_initramfs_add_bytes(fs, "/init", 0755, spec->init, spec->init_size));
	RK_TRY(add_shell(fs));
	if (spec->before)
		RK_TRY(rk_initramfs_add_program(fs, RK_VM_GUEST_BEFORE, spec->before));
	if (spec->after)
		RK_TRY(rk_initramfs_add_program(fs, RK_VM_GUEST_AFTER, spec->after));
	for (size_t i = 0; i < spec->nr_files; i++)
		RK_TRY(rk_initramfs_add_program(fs, spec->files[i].guest, spec->files[i].host));
	return NULL;
}

struct rk_err *rk_vm_payload_open(const struct rk_vm_test_spec *spec, const char *path,
				  struct rk_vm_payload *ret)
{
	struct rk_vm_payload payload = {.spec = spec};
	struct rk_err *err = NULL;

	if (spec->modules_dir)
		err = rk_stock_open(spec->modules_dir, &payload.stock);
	if (!err)
		err = rk_initramfs_create(path, &payload.fs);
	if (!err)
		err = add_files(spec, payload.fs);
	if (err) {
		rk_vm_payload_abandon(&payload);
		return err;
	}
	*ret = payload;
	return NULL;
}

void rk_vm_payload_abandon(struct rk_vm_payload *payload)
{
	rk_stock_close(payload->stock);
	rk_initramfs_abandon(payload->fs);
	*payload = (struct rk_vm_payload){};
}

static struct rk_err *add_steps(const struct rk_vm_payload *payload,
				const struct rk_vm_steps *steps)
{
	_cleanup_str_ struct rk_str text = RK_STR_INIT;

	RK_TRY(rk_vm_steps_format(steps, &text));
	return rk_initramfs_add_bytes(payload->fs, RK_VM_STEPS_PATH, 0644, rk_str_get(&text),
				      text.len);
}

struct rk_err *rk_vm_payload_finish(struct rk_vm_payload *payload, const struct rk_vm_steps *steps)
{
	struct rk_initramfs *fs = payload->fs;
	struct rk_err *err = add_steps(payload, steps);

	if (err) {
		rk_vm_payload_abandon(payload);
		return err;
	}
	rk_stock_close(payload->stock);
	*payload = (struct rk_vm_payload){};
	return rk_initramfs_finish(fs);
}
