/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which targets there are: in the cache, and on offer; and a module of a target by its name. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/target/cache.h"
#include "lib/target/debian.h"
#include "lib/target/module_files.h"
#include "lib/target/resolve.h"
#include "lib/target/target.h"
#include "lib/target/version.h"

void rk_target_list_deinit(struct rk_target_list *list)
{
	rk_vec_deinit(&list->list);
	rk_arena_deinit(&list->arena);
}

static struct rk_target_entry *find_entry(struct rk_target_list *list, const char *id)
{
	rk_vec_for_each(&list->list, e) {
		if (rk_streq(e->id, id))
			return e;
	}
	return NULL;
}

static const char *copy(struct rk_target_list *list, const char *text)
{
	return text ? rk_arena_strdup(&list->arena, text) : NULL;
}

/* Bytes of a target's directory; 0 if somebody removes it right now. */
static struct rk_err *usage(const char *dir, uint64_t *ret)
{
	struct rk_err *err = rk_fs_usage(dir, ret);

	if (err && rk_err_errno(err) == ENOENT) {
		rk_err_free(err);
		*ret = 0;
		return NULL;
	}
	return err;
}

/* What a fetch that didn't end left, for the next one to go on with: no part, but it takes room. */
static struct rk_err *add_leftover(const char *id, uint64_t bytes, struct rk_target_list *list)
{
	struct rk_target_entry *offered = find_entry(list, id);
	struct rk_target_entry entry = {
		.id = copy(list, id),
		.release = copy(list, strchr(id, ':') + 1),
		.bytes = bytes,
	};

	if (offered)
		offered->bytes = bytes;
	else if (!entry.id || !entry.release || !rk_vec_push(&list->list, entry))
		return rk_err_nomem();
	return NULL;
}

static struct rk_err *add_cached(const char *cache_dir, const char *id, struct rk_target_list *list)
{
	_cleanup_record_ struct rk_record image = {}, build = {};
	_cleanup_slot_ struct rk_cache_slot slot = {.use_fd = -1, .fetch_fd = -1};
	struct rk_target_entry entry = {};

	RK_TRY(rk_cache_slot_init(cache_dir, id, &slot));
	RK_TRY(rk_cache_part(slot.image, &entry.has_image, &image));
	RK_TRY(rk_cache_part(slot.build, &entry.has_build, &build));
	RK_TRY(usage(slot.dir, &entry.bytes));
	if (!entry.has_image && !entry.has_build)
		return entry.bytes ? add_leftover(id, entry.bytes, list) : NULL;

	const struct rk_record *record = entry.has_build ? &build : &image;
	struct rk_target_entry *offered = find_entry(list, id);
	entry.available = offered && record->source_version &&
			  rk_streq(offered->source_version, record->source_version);
	entry.id = copy(list, id);
	entry.release = copy(list, record->release);
	entry.source_version = copy(list, record->source_version);
	if (!entry.id || !entry.release || (record->source_version && !entry.source_version))
		return rk_err_nomem();
	RK_TRY(rk_cache_in_use(&slot, cache_dir, &entry.in_use));
	if (offered)
		*offered = entry;
	else if (!rk_vec_push(&list->list, entry))
		return rk_err_nomem();
	return NULL;
}

static int by_release(const void *a, const void *b)
{
	const struct rk_target_entry *x = a, *y = b;
	int order = rk_version_compare(x->release, y->release);

	return order ? order : strcmp(x->id, y->id);
}

void rk_target_list_sort(struct rk_target_list *list)
{
	if (list->list.nr)
		qsort(list->list.v, list->list.nr, sizeof(*list->list.v), by_release);
}

struct rk_err *rk_target_list(const struct rk_target_options *options, bool available,
			      struct rk_target_list *ret)
{
	_cleanup_cache_ids_ struct rk_cache_ids ids = {};
	struct rk_target_list list = {};
	struct rk_err *err = available ? rk_debian_available(&list) : NULL;

	if (!err)
		err = rk_cache_list(options->cache_dir, &ids);
	for (size_t i = 0; !err && i < ids.list.nr; i++)
		err = add_cached(options->cache_dir, ids.list.v[i], &list);
	if (err) {
		rk_target_list_deinit(&list);
		return err;
	}
	rk_target_list_sort(&list);
	*ret = list;
	return NULL;
}

struct wanted {
	const char *name;
	char *path;
};

static struct rk_err *compare_module(void *ctx, const char *name, const char *path,
				     const struct stat *st, bool *ret_stop)
{
	struct wanted *wanted = ctx;

	if (!rk_streq(name, wanted->name))
		return NULL;
	*ret_stop = true;
	wanted->path = strdup(path);
	return wanted->path ? NULL : rk_err_nomem();
}

struct rk_err *rk_target_module(const struct rk_target *target, const char *name, char **ret)
{
	struct wanted wanted = {.name = name};

	if (!target->modules)
		return rk_err(RK_ERR_NOT_FOUND,
			      "cannot look for module '%s': no modules are given for '%s'", name,
			      target->id);
	RK_TRY(rk_module_files(target->modules, compare_module, &wanted));
	if (!wanted.path)
		return rk_err(RK_ERR_NOT_FOUND, "'%s' has no module '%s'", target->id, name);
	*ret = wanted.path;
	return NULL;
}
