/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An index of the .ko files below a directory, and depth-first walks over what each says it depends on. The kernel
 * treats '-' and '_' in module names alike; here all names have '_'.
 */
#include "lib/vm/stock.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/module_name.h"
#include "lib/base/str.h"
#include "lib/elf/elf.h"
#include "lib/target/module_files.h"

#define BUILTIN_MAX	 (1u << 20) /* modules.builtin is 100 KiB at most */
#define BUILTIN_INFO_MAX (16u << 20)
#define DEPTH_MAX	 64 /* the deepest chain of stock modules is below ten */

static void cleanup_stock(struct rk_stock **stock)
{
	if (*stock)
		rk_stock_close(*stock);
}

/* "kernel/net/key/af-key.ko" → "af_key"; NULL without memory. */
static char *module_name(struct rk_arena *arena, const char *path, size_t len)
{
	const char *slash = memrchr(path, '/', len), *base = slash ? slash + 1 : path;

	return rk_module_name_fold(rk_arena_strndup(arena, base, len - (size_t)(base - path)));
}

static struct rk_err *add_file(void *ctx, const char *name, const char *path, const struct stat *st,
			       bool *ret_stop)
{
	struct rk_stock *stock = ctx;
	char *key = rk_arena_strdup(&stock->arena, name),
	     *copy = rk_arena_strdup(&stock->arena, path);

	return key && copy && rk_map_set(&stock->files, key, copy) ? NULL : rk_err_nomem();
}

/* modules.builtin: one path a line. A directory without it just has no built-in modules that we know of. */
static struct rk_err *read_builtin(struct rk_stock *stock)
{
	_cleanup_free_ char *path = rk_path_join(stock->dir, "modules.builtin");
	_cleanup_free_ char *text = NULL;

	if (!path)
		return rk_err_nomem();
	if (!rk_fs_exists(path))
		return NULL;
	RK_TRY(rk_fs_read(path, BUILTIN_MAX, &text, NULL));
	for (const char *line = text; *line;) {
		size_t len = strcspn(line, "\n");
		char *name;

		if (len > strlen(".ko")) {
			name = module_name(&stock->arena, line, len - strlen(".ko"));
			if (!name || !rk_map_set(&stock->builtin, name, name))
				return rk_err_nomem();
		}
		line += len + (line[len] == '\n');
	}
	return NULL;
}

/* modules.builtin.modinfo: "module.key=value", each ended by a NUL. What softdeps name is often an alias ("crc32c"). */
static struct rk_err *read_builtin_aliases(struct rk_stock *stock)
{
	_cleanup_free_ char *path = rk_path_join(stock->dir, "modules.builtin.modinfo");
	_cleanup_free_ char *text = NULL;
	size_t size;

	if (!path)
		return rk_err_nomem();
	if (!rk_fs_exists(path))
		return NULL;
	RK_TRY(rk_fs_read(path, BUILTIN_INFO_MAX, &text, &size));
	for (const char *p = text; p < text + size; p += strlen(p) + 1) {
		static const char key[] = ".alias=";
		const char *value = strstr(p, key);
		char *name;

		if (!value || value != strchr(p, '.'))
			continue;
		value += strlen(key);
		name = module_name(&stock->arena, value, strlen(value));
		if (!name || !rk_map_set(&stock->builtin_aliases, name, name))
			return rk_err_nomem();
	}
	return NULL;
}

struct rk_err *rk_stock_open(const char *dir, struct rk_stock **ret)
{
	_cleanup_(cleanup_stock) struct rk_stock *stock = calloc(1, sizeof(*stock));

	if (!stock)
		return rk_err_nomem();
	stock->dir = rk_arena_strdup(&stock->arena, dir);
	if (!stock->dir)
		return rk_err_nomem();
	RK_TRY(rk_module_files(dir, add_file, stock));
	RK_TRY(read_builtin(stock));
	RK_TRY(read_builtin_aliases(stock));
	*ret = take_ptr(stock);
	return NULL;
}

void rk_stock_close(struct rk_stock *stock)
{
	if (!stock)
		return;
	rk_map_deinit(&stock->files);
	rk_map_deinit(&stock->builtin);
	rk_map_deinit(&stock->builtin_aliases);
	rk_map_deinit(&stock->chosen);
	rk_arena_deinit(&stock->arena);
	free(stock);
}

void rk_stock_restart(struct rk_stock *stock)
{
	rk_map_deinit(&stock->chosen);
}

bool rk_stock_is_builtin(struct rk_stock *stock, const char *name)
{
	return rk_map_get(&stock->builtin, name);
}

static struct rk_err *add_one(struct rk_stock *stock, const char *text, size_t len,
			      unsigned int depth, struct rk_stock_order *order);

static struct rk_err *has_alias(const char *path, const char *alias, bool *ret)
{
	_cleanup_elf_ struct rk_elf *elf = NULL;
	const char *value;
	uint64_t pos = 0;

	*ret = false;
	RK_TRY(rk_elf_open(path, RK_ELF_LOAD_NO_RELOCS, &elf));
	while (!*ret && (value = rk_elf_modinfo_next(elf, "alias", &pos)))
		*ret = rk_module_name_is(value, strlen(value), alias);
	return NULL;
}

/*
 * One of the modules that can be had by the alias: crc32c_generic for "crc32c", else crc32c_intel; NULL if there is none. They are called
 * like the alias, which spares reading all of thousands. What is generic runs on any machine, so it is preferred.
 */
static struct rk_err *find_by_alias(struct rk_stock *stock, const char *alias, const char **ret)
{
	const char *name, *found = NULL;
	void *path;
	size_t pos = 0;

	while (rk_map_next(&stock->files, &pos, &name, &path)) {
		bool has;

		if (!rk_has_prefix(name, alias) || name[strlen(alias)] != '_' ||
		    (found && (rk_has_suffix(found, "_generic") ||
			       (!rk_has_suffix(name, "_generic") && strcmp(found, name) < 0))))
			continue;
		RK_TRY(has_alias(path, alias, &has));
		found = has ? name : found;
	}
	*ret = found;
	return NULL;
}

/* What a softdep names may be absent: it is what a kernel might have. */
static struct rk_err *add_soft(struct rk_stock *stock, const char *text, size_t len,
			       unsigned int depth, struct rk_stock_order *order)
{
	const char *name = module_name(&stock->arena, text, len);

	if (!name)
		return rk_err_nomem();
	if (!rk_map_get(&stock->files, name)) {
		if (rk_map_get(&stock->builtin, name) || rk_map_get(&stock->builtin_aliases, name))
			return NULL;
		RK_TRY(find_by_alias(stock, name, &name));
	}
	return name ? add_one(stock, name, strlen(name), depth, order) : NULL;
}

/* Adds each name of a list; soft: of a softdep. */
static struct rk_err *add_list(struct rk_stock *stock, const char *list, const char *separators,
			       bool soft, unsigned int depth, struct rk_stock_order *order)
{
	while (*list) {
		size_t len = strcspn(list, separators);

		if (soft && rk_has_prefix(list, "post:"))
			return NULL;
		if (len && !(soft && list[len - 1] == ':'))
			RK_TRY(soft ? add_soft(stock, list, len, depth, order)
				    : add_one(stock, list, len, depth, order));
		list += len + (list[len] != 0);
	}
	return NULL;
}

static struct rk_err *add_needed(struct rk_stock *stock, const char *path, unsigned int depth,
				 struct rk_stock_order *order)
{
	_cleanup_elf_ struct rk_elf *elf = NULL;
	const char *depends, *softdep;

	RK_TRY(rk_elf_open(path, RK_ELF_LOAD_NO_RELOCS, &elf));
	depends = rk_elf_modinfo(elf, "depends");
	softdep = rk_elf_modinfo(elf, "softdep");
	if (depends)
		RK_TRY(add_list(stock, depends, ",", false, depth, order));
	if (softdep && rk_has_prefix(softdep, "pre:"))
		RK_TRY(add_list(stock, softdep, " ", true, depth, order));
	return NULL;
}

static struct rk_err *add_one(struct rk_stock *stock, const char *text, size_t len,
			      unsigned int depth, struct rk_stock_order *order)
{
	struct rk_stock_module module = {.name = module_name(&stock->arena, text, len)};

	if (!module.name)
		return rk_err_nomem();
	if (rk_map_get(&stock->chosen, module.name) || rk_stock_is_builtin(stock, module.name))
		return NULL;
	module.path = rk_map_get(&stock->files, module.name);
	if (!module.path)
		return rk_err(RK_ERR_NOT_FOUND, "no module '%s' below '%s'", module.name,
			      stock->dir);
	if (depth >= DEPTH_MAX)
		return rk_err(RK_ERR_LIMIT, "module '%s': dependencies are nested too deeply",
			      module.name);
	/* before its dependencies, so that a circle in softdeps ends */
	if (!rk_map_set(&stock->chosen, module.name, (void *)module.path))
		return rk_err_nomem();
	RK_TRY(add_needed(stock, module.path, depth + 1, order));
	return rk_vec_push(&order->list, module) ? NULL : rk_err_nomem();
}

struct rk_err *rk_stock_add(struct rk_stock *stock, const char *name, struct rk_stock_order *order)
{
	return add_one(stock, name, strlen(name), 0, order);
}
