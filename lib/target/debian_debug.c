/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The debug package: vmlinux is kept; behind it there are gigabytes of modules' debug info, of which each file is read once, for the index of
 * inlined functions, and is gone before the next one is unpacked.
 */
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/target/deb.h"
#include "lib/target/debian.h"
#include "lib/target/inlines.h"
#include "lib/target/module_files.h"

/* While it is read. The name says what it is when a killed fetch has left it. */
#define MODULE_NAME "module-debug-info"

struct reading {
	const struct rk_debian_debug *debug;
	struct rk_arena arena;
	char *vmlinux;	     /* member of the package */
	char *modules;	     /* its directory of modules, below any of lib/ and usr/lib/ */
	const char *current; /* module that choose() took last */
	struct rk_inline_builder *builder;
	struct rk_err *err; /* of choose() */
};

static void reading_deinit(struct reading *r)
{
	free(r->vmlinux);
	free(r->modules);
	rk_inline_builder_destroy(r->builder);
	rk_err_free(r->err);
	rk_arena_deinit(&r->arena);
}

static enum rk_unpack_choice choose(void *ctx, const char *path, struct rk_str *ret)
{
	struct reading *r = ctx;

	if (rk_streq(path, r->vmlinux)) {
		rk_str_add(ret, "vmlinux");
		return RK_UNPACK_TAKE;
	}
	if (!rk_has_prefix(path, "usr/lib/debug/"))
		return RK_UNPACK_SKIP;
	path += strlen("usr/lib/debug/");
	path += rk_has_prefix(path, "usr/") ? strlen("usr/") : 0;
	if (!rk_has_prefix(path, r->modules))
		return RK_UNPACK_SKIP;
	if (!r->err)
		r->err = rk_module_name(&r->arena, path, &r->current);
	if (r->err || !r->current)
		return RK_UNPACK_SKIP;
	rk_str_add(ret, MODULE_NAME);
	return RK_UNPACK_LEND;
}

static struct rk_err *read_module(void *ctx, const char *file)
{
	struct reading *r = ctx;
	struct rk_err *err = rk_inline_builder_add(r->builder, r->current, file);

	return err ? rk_err_wrap(err, "cannot read the debug info of module '%s'", r->current)
		   : NULL;
}

static struct rk_err *unpack(struct reading *r)
{
	const struct rk_debian_debug *debug = r->debug;
	_cleanup_free_ char *sums = rk_path_join(debug->dest, "vmlinux.sha256");
	_cleanup_str_ struct rk_str hashes = RK_STR_INIT;
	struct rk_unpack spec = {
		.dest = debug->dest,
		.choose = choose,
		.lend = read_module,
		.ctx = r,
		.hashes = &hashes,
		.packed = debug->packed,
		.cancel = debug->cancel,
	};

	if (!sums)
		return rk_err_nomem();
	RK_TRY(rk_deb_unpack(debug->deb, &spec));
	if (r->err)
		return take_ptr(r->err);
	RK_TRY(rk_str_check(&hashes));
	return rk_fs_write(sums, rk_str_get(&hashes), hashes.len, 0644);
}

static struct rk_err *write_index(struct reading *r)
{
	_cleanup_free_ char *vmlinux = rk_path_join(r->debug->dest, "vmlinux");
	_cleanup_free_ char *path = rk_path_join(r->debug->dest, RK_INLINES);

	if (!vmlinux || !path)
		return rk_err_nomem();
	if (!rk_fs_exists(vmlinux))
		return NULL;
	RK_TRY(rk_inline_builder_add(r->builder, "vmlinux", vmlinux));
	RK_TRY(rk_inlines_add_unknown(r->builder, r->debug->modules));
	return rk_inline_builder_write(r->builder, NULL, path);
}

struct rk_err *rk_debian_unpack_debug(const struct rk_debian_debug *debug)
{
	_cleanup_(reading_deinit) struct reading r = {
		.debug = debug,
		.vmlinux = rk_asprintf("usr/lib/debug/boot/vmlinux-%s", debug->release),
		.modules = rk_asprintf("lib/modules/%s/", debug->release),
	};

	if (!r.vmlinux || !r.modules)
		return rk_err_nomem();
	RK_TRY(rk_inline_builder_create(&r.builder));
	RK_TRY(unpack(&r));
	return write_index(&r);
}
