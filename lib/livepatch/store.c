/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The directory of installed patches: found by name, put in whole and durably, taken out, put into the order of loading. */
#include "lib/livepatch/store.h"

#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/module_name.h"
#include "lib/base/str.h"
#include "lib/livepatch/internal.h"

char *rk_livepatch_module_name(const char *text)
{
	const char *slash = strrchr(text, '/');
	const char *base = slash ? slash + 1 : text;
	size_t suffix = rk_has_suffix(base, ".ko") ? strlen(".ko") : 0;

	return rk_module_name_fold(strndup(base, strlen(base) - suffix));
}

/* A name from outside becomes part of a path. */
static struct rk_err *check_part(const char *what, const char *name)
{
	if (!name[0] || name[0] == '.' || strchr(name, '/'))
		return rk_err(RK_ERR_INVALID, "'%s' is no %s", name, what);
	return NULL;
}

struct listing {
	struct rk_installed_list *list;
	const char *release;
};

/* Manifests aren't kept: what is installed may be forty levels of a megabyte. */
static void read_headline(struct rk_installed *entry)
{
	_cleanup_module_info_ struct rk_module_info *info = NULL;

	entry->error = rk_module_info_read(entry->path, &info);
	if (entry->error || !info->manifest)
		return;
	entry->has_manifest = true;
	entry->is_cumulative = rk_livepatch_is_cumulative(info->manifest);
	entry->level = info->manifest->level;
	entry->nr_fixes = info->manifest->fixes.nr;
}

static struct rk_err *add_file(void *ctx, const char *path, const char *file)
{
	struct listing *l = ctx;
	struct rk_installed entry = {};

	/* what an interrupted copy left has another ending */
	if (!rk_has_suffix(file, ".ko"))
		return NULL;
	entry.name = rk_livepatch_module_name(file);
	entry.release = strdup(l->release);
	entry.path = strdup(path);
	if (entry.path)
		read_headline(&entry);
	if (entry.name && entry.release && entry.path && rk_vec_push(&l->list->list, entry))
		return NULL;
	free(entry.name);
	free(entry.release);
	free(entry.path);
	rk_err_free(entry.error);
	return rk_err_nomem();
}

static struct rk_err *add_release(void *ctx, const char *path, const char *release)
{
	struct listing *l = ctx;

	l->release = release;
	return rk_livepatch_for_each_entry(path, false, NULL, add_file, l);
}

static int compare_installed(const void *a, const void *b)
{
	const struct rk_installed *x = a, *y = b;
	int cmp = strcmp(x->release, y->release);

	return cmp ? cmp : strcmp(x->name, y->name);
}

struct rk_err *rk_installed_list(const struct rk_livepatch_roots *roots, const char *release,
				 struct rk_installed_list *ret)
{
	_cleanup_installed_ struct rk_installed_list list = {};
	struct listing l = {.list = &list};

	if (release) {
		_cleanup_free_ char *dir = rk_path_join(roots->store, release);

		RK_TRY(check_part("kernel release", release));
		if (!dir)
			return rk_err_nomem();
		RK_TRY(add_release(&l, dir, release));
	} else {
		RK_TRY(rk_livepatch_for_each_entry(roots->store, true, NULL, add_release, &l));
	}
	if (list.list.nr)
		qsort(list.list.v, list.list.nr, sizeof(*list.list.v), compare_installed);
	*ret = list;
	list = (struct rk_installed_list){};
	return NULL;
}

void rk_installed_list_deinit(struct rk_installed_list *list)
{
	rk_vec_for_each(&list->list, it) {
		free(it->name);
		free(it->release);
		free(it->path);
		rk_err_free(it->error);
	}
	rk_vec_deinit(&list->list);
}

static struct rk_err *store_path(const struct rk_livepatch_roots *roots, const char *release,
				 const char *name, char **ret)
{
	_cleanup_free_ char *module = rk_livepatch_module_name(name);

	if (!module)
		return rk_err_nomem();
	RK_TRY(check_part("kernel release", release));
	if (strchr(name, '/'))
		return check_part("module's name", name);
	RK_TRY(check_part("module's name", module));
	*ret = rk_asprintf("%s/%s/%s.ko", roots->store, release, module);
	return *ret ? NULL : rk_err_nomem();
}

struct find {
	const char *name;
	char **ret;
};

/* Somebody may have copied a file here under the name it was built with. */
static struct rk_err *match_file(void *ctx, const char *path, const char *file)
{
	struct find *find = ctx;
	_cleanup_free_ char *name = rk_livepatch_module_name(file);

	if (!name)
		return rk_err_nomem();
	if (*find->ret || !rk_has_suffix(file, ".ko") || !rk_streq(name, find->name))
		return NULL;
	*find->ret = strdup(path);
	return *find->ret ? NULL : rk_err_nomem();
}

struct rk_err *rk_installed_find(const struct rk_livepatch_roots *roots, const char *release,
				 const char *name, char **ret)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_free_ char *found = NULL;
	_cleanup_free_ char *module = rk_livepatch_module_name(name);
	struct find find = {.name = module, .ret = &found};

	RK_TRY(store_path(roots, release, name, &path));
	if (!module)
		return rk_err_nomem();
	if (!rk_fs_exists(path)) {
		_cleanup_free_ char *dir = rk_path_join(roots->store, release);

		if (!dir)
			return rk_err_nomem();
		RK_TRY(rk_livepatch_for_each_entry(dir, false, NULL, match_file, &find));
		*ret = take_ptr(found);
		return NULL;
	}
	*ret = take_ptr(path);
	return NULL;
}

static struct rk_err *check_made_for(const char *path, const struct rk_module_info *info,
				     const char *release)
{
	size_t len = strcspn(info->vermagic, " ");

	if (!info->is_livepatch)
		return rk_err(RK_ERR_UNSUPPORTED,
			      "'%s' is no live patch module (its .modinfo has no 'livepatch=Y')",
			      path);
	if (strlen(release) != len || strncmp(release, info->vermagic, len) != 0)
		return rk_err(RK_ERR_MISMATCH,
			      "'%s' was made for kernel %.*s, not for %s; '-k' names another", path,
			      (int)len, info->vermagic, release);
	return NULL;
}

static struct rk_err *check_other(const char *there, const struct rk_module_info *info,
				  bool *ret_same)
{
	_cleanup_module_info_ struct rk_module_info *other = NULL;
	struct rk_err *err = rk_module_info_read(there, &other);

	/* what can't be read is in nobody's way */
	*ret_same = !err && rk_streq(other->sha256, info->sha256);
	if (err || *ret_same) {
		rk_err_free(err);
		return NULL;
	}
	return rk_err(RK_ERR_INVALID,
		      "another module '%s' is installed as '%s'; 'kpatch uninstall' it first",
		      info->name, there);
}

struct rk_err *rk_installed_add(const struct rk_livepatch_roots *roots, const char *release,
				const char *path, const struct rk_module_info *info,
				bool *ret_there)
{
	_cleanup_free_ char *to = NULL;
	_cleanup_free_ char *there = NULL;
	_cleanup_free_ char *dir = NULL;
	bool same = false;

	RK_TRY(store_path(roots, release, info->name, &to));
	RK_TRY(check_made_for(path, info, release));
	RK_TRY(rk_installed_find(roots, release, info->name, &there));
	if (there)
		RK_TRY(check_other(there, info, &same));
	if (!same) {
		dir = rk_path_join(roots->store, release);
		if (!dir)
			return rk_err_nomem();
		RK_TRY(rk_fs_mkdir_p(dir, 0755));
		RK_TRY(rk_fs_copy(path, to, 0644));
	}
	*ret_there = same;
	return NULL;
}

struct rk_err *rk_installed_remove(const struct rk_livepatch_roots *roots, const char *release,
				   const char *name)
{
	_cleanup_free_ char *path = NULL;

	RK_TRY(rk_installed_find(roots, release, name, &path));
	if (!path)
		return rk_err(RK_ERR_NOT_FOUND, "no patch '%s' is installed for kernel %s", name,
			      release);
	return rk_fs_unlink_durably(path);
}

/* Where an entry comes: the cumulative one first, what can't be read last. */
static int rank(const struct rk_installed *it)
{
	if (it->error)
		return 2;
	return it->is_cumulative ? 0 : 1;
}

static int compare_order(const void *a, const void *b)
{
	const struct rk_installed *x = *(const struct rk_installed *const *)a;
	const struct rk_installed *y = *(const struct rk_installed *const *)b;

	if (rank(x) != rank(y))
		return rank(x) - rank(y);
	if (rank(x) == 0 && x->level != y->level)
		return x->level > y->level ? -1 : 1;
	return strcmp(x->name, y->name);
}

struct rk_err *rk_installed_order(const struct rk_installed_list *list,
				  const struct rk_installed ***ret)
{
	const struct rk_installed **order = calloc(list->list.nr + 1, sizeof(*order));

	if (!order)
		return rk_err_nomem();
	for (size_t i = 0; i < list->list.nr; i++)
		order[i] = &list->list.v[i];
	qsort(order, list->list.nr, sizeof(*order), compare_order);
	*ret = order;
	return NULL;
}
