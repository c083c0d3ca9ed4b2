/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Installed patches: put in, found under any spelling, listed, ordered, taken out. */
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/livepatch/store.h"
#include "tests/unit/sysmake.h"
#include "tests/unit/tap.h"

static struct sysmake sys;
static struct rk_running running;

static struct rk_err *add(const char *path, const char *release, bool *ret_there)
{
	_cleanup_module_info_ struct rk_module_info *info = NULL;

	RK_TRY(rk_module_info_read(path, &info));
	return rk_installed_add(&sys.roots, release, path, info, ret_there);
}

static void install(const char *name, unsigned int level, bool replace)
{
	_cleanup_free_ char *path = sysmake_file(&sys, name, level, replace, NULL);
	bool there = true;

	no_err(add(path, running.release, &there), name);
	ok(!there, "it wasn't there");
}

static void test_add(void)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_free_ char *found = NULL;
	bool there;

	sysmake_init(&sys, "add");
	install("kpatch_fix", 1, true);
	path = sysmake_file(&sys, "kpatch_fix", 1, true, NULL);
	no_err(add(path, running.release, &there), "the same file again");
	ok(there, "is there");
	no_err(rk_installed_find(&sys.roots, running.release, "kpatch-fix.ko", &found), "find it");
	ok(found && rk_has_suffix(found, "/kpatch_fix.ko"), "under its module's name");
	is_err_like(add(path, "0.0.1-other", &there), RK_ERR_MISMATCH, "not for 0.0.1-other; '-k'",
		    "for another kernel");
	is_err_like(add(path, "../x", &there), RK_ERR_INVALID, "'../x' is no kernel release",
		    "a release that leads elsewhere");
	free(path);
	path = sysmake_file(&sys, "kpatch_fix", 2, true, NULL);
	is_err_like(add(path, running.release, &there), RK_ERR_INVALID,
		    "another module 'kpatch_fix' is installed", "another file of that name");
	no_err(rk_installed_remove(&sys.roots, running.release, "kpatch-fix"), "remove it");
	is_err_like(rk_installed_remove(&sys.roots, running.release, "kpatch-fix"),
		    RK_ERR_NOT_FOUND, "no patch 'kpatch-fix' is installed", "again");
	is_err_like(rk_installed_remove(&sys.roots, running.release, "../kpatch-fix"),
		    RK_ERR_INVALID, "'../kpatch-fix' is no module's name", "a path");
	sysmake_deinit(&sys);
}

/* As cp leaves it, under the name it was built with. */
static void test_find_copied(void)
{
	_cleanup_free_ char *dir = NULL;
	_cleanup_free_ char *found = NULL;

	sysmake_init(&sys, "copied");
	dir = rk_path_join(sys.roots.store, running.release);
	sysmake_put(dir, "kpatch-a.ko", "");
	sysmake_put(dir, "kpatch-b.ko.XYZ", "");
	no_err(rk_installed_find(&sys.roots, running.release, "kpatch_a", &found), "look for it");
	ok(found && rk_has_suffix(found, "/kpatch-a.ko"), "another spelling");
	free(take_ptr(found));
	no_err(rk_installed_find(&sys.roots, running.release, "kpatch_b", &found),
	       "what an interrupted copy left");
	is_str(found, NULL, "isn't found");
	sysmake_deinit(&sys);
}

static void test_order(void)
{
	static const char *const want[] = {"newest", "middle", "oldest", "alone", "zeta", "broken"};
	struct rk_installed_list list = {};
	_cleanup_free_ const struct rk_installed **order = NULL;

	sysmake_init(&sys, "order");
	no_err(rk_installed_list(&sys.roots, NULL, &list), "no store at all");
	is_int((long long)list.list.nr, 0, "is empty");
	install("zeta", 0, true);
	install("oldest", 1, true);
	install("newest", 12, true);
	install("middle", 2, true);
	install("alone", 30, false);
	_cleanup_free_ char *dir = rk_path_join(sys.roots.store, running.release);
	sysmake_put(dir, "broken.ko", "no ELF");
	no_err(rk_installed_list(&sys.roots, running.release, &list), "a full one");
	if (!is_int((long long)list.list.nr, ARRAY_SIZE(want), "all files") ||
	    !no_err(rk_installed_order(&list, &order), "put into order"))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(want); i++)
		is_str(order[i]->name, want[i], "by falling level, then the others, then the rest");
	ok(order[5]->error && !order[5]->has_manifest, "one that can't be read says why");
	rk_installed_list_deinit(&list);
	sysmake_deinit(&sys);
}

int main(void)
{
	sysmake_init(&sys, "running");
	if (!no_err(rk_running_read(&sys.roots, &running), "this kernel"))
		return 1;
	sysmake_deinit(&sys);
	test_add();
	test_find_copied();
	test_order();
	rk_running_deinit(&running);
	return done_testing();
}
