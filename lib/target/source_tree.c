/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A third of the files of a kernel source is never looked at when x86 code is compiled: documentation, other
 * architectures, user-space tests. They are left out, but not forgotten: a patch may touch them, and must then be told
 * that it touches nothing compiled, not that the file doesn't exist.
 */
#include "lib/target/source_tree.h"

#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/target/deb.h"

/* Kconfig and make read these wherever they are: one top-level file includes the other. */
static bool is_build_file(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	return rk_has_prefix(name, "Kconfig") || rk_has_prefix(name, "Makefile") ||
	       rk_has_prefix(name, "Kbuild");
}

bool rk_source_tree_needs(const char *path)
{
	static const char *const left_out[] = {
		"Documentation/", "samples/", "tools/testing/", "tools/perf/", "LICENSES/",
	};

	if (is_build_file(path))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(left_out); i++) {
		if (rk_has_prefix(path, left_out[i]))
			return false;
	}
	if (rk_has_prefix(path, "arch/"))
		return rk_has_prefix(path, "arch/x86/");
	return true;
}

static enum rk_unpack_choice choose(void *ctx, const char *path, struct rk_str *ret)
{
	struct rk_str *files = ctx;
	const char *slash = strchr(path, '/'); /* behind "linux-source-6.1" */

	if (!slash)
		return RK_UNPACK_SKIP;
	rk_str_addf(files, "%s\n", slash + 1);
	if (!rk_source_tree_needs(slash + 1))
		return RK_UNPACK_SKIP;
	rk_str_addf(ret, "source/%s", slash + 1);
	return RK_UNPACK_TAKE;
}

static struct rk_err *write_list(const char *dir, const char *name, const struct rk_str *text)
{
	_cleanup_free_ char *path = rk_path_join(dir, name);

	if (!path)
		return rk_err_nomem();
	RK_TRY(rk_str_check(text));
	return rk_fs_write(path, rk_str_get(text), text->len, 0644);
}

struct rk_err *rk_source_tree_unpack(const char *deb, const char *nested, const char *build_dir,
				     _Atomic uint64_t *packed, const atomic_bool *cancel)
{
	_cleanup_str_ struct rk_str files = RK_STR_INIT;
	_cleanup_str_ struct rk_str hashes = RK_STR_INIT;
	struct rk_unpack unpack = {
		.dest = build_dir,
		.nested = nested,
		.choose = choose,
		.ctx = &files,
		.hashes = &hashes,
		.packed = packed,
		.cancel = cancel,
	};

	RK_TRY(rk_deb_unpack(deb, &unpack));
	RK_TRY(write_list(build_dir, RK_SOURCE_FILES, &files));
	return write_list(build_dir, RK_SOURCE_SUMS, &hashes);
}
