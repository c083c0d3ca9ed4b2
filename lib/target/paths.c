/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any kernel, given by the paths of its source, config, vmlinux and symvers. What is derived from them, a prepared copy
 * of the tree, is kept in the cache under a hash of all that it depends on, so that an edited tree is another target.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/sha256.h"
#include "lib/base/str.h"
#include "lib/target/config.h"
#include "lib/target/demands.h"
#include "lib/target/facts.h"
#include "lib/target/prepare.h"
#include "lib/target/resolve.h"
#include "lib/target/source_tree.h"
#include "lib/target/tree_copy.h"

#define ID_DIGITS 16 /* of the hash */

static struct rk_err *check_paths(const struct rk_target_options *o)
{
	const struct {
		const char *option, *path;
		bool required, is_dir;
	} paths[] = {
		{"--source", o->source, true, true},	{"--config", o->config, true, false},
		{"--vmlinux", o->vmlinux, true, false}, {"--symvers", o->symvers, true, false},
		{"--modules", o->modules, false, true}, {"--image", o->image, false, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		if (!paths[i].path && !paths[i].required)
			continue;
		if (!paths[i].path)
			return rk_err(
				RK_ERR_INVALID,
				"explicit paths need all of --source, --config, --vmlinux and --symvers: %s is "
				"missing",
				paths[i].option);
		if (!rk_fs_exists(paths[i].path))
			return rk_err(RK_ERR_NOT_FOUND, "%s '%s' doesn't exist", paths[i].option,
				      paths[i].path);
		if (rk_fs_is_dir(paths[i].path) != paths[i].is_dir)
			return rk_err(RK_ERR_INVALID, "%s '%s' is %s directory", paths[i].option,
				      paths[i].path, paths[i].is_dir ? "no" : "a");
	}
	_cleanup_free_ char *makefile = rk_path_join(o->source, "Kbuild");
	if (!makefile)
		return rk_err_nomem();
	if (!rk_fs_exists(makefile))
		return rk_err(RK_ERR_NOT_FOUND,
			      "--source '%s' is no kernel source tree: it has no 'Kbuild'",
			      o->source);
	return NULL;
}

static struct rk_err *tree_id(const struct rk_target_options *o, const char *source,
			      const char *config, const struct rk_target *target,
			      struct rk_arena *arena, const char **ret)
{
	char hex[RK_SHA256_HEX_SIZE];
	struct rk_sha256 *hash;
	const char *parts[] = {source, config, target->release, target->cc};

	RK_TRY(rk_sha256_create(&hash));
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		rk_sha256_add_str(hash, parts[i]);
	struct rk_err *err = rk_tree_state(source, hash);
	struct rk_err *hash_err = rk_sha256_finish(hash, hex);
	if (err || hash_err) {
		rk_err_free(err ? hash_err : NULL);
		return err ? err : hash_err;
	}
	*ret = rk_arena_printf(arena, "path:%.*s", ID_DIGITS, hex);
	return *ret ? NULL : rk_err_nomem();
}

/* Copies of earlier states of the same tree are of no use to anybody. */
static struct rk_err *remove_older(const struct rk_target_options *o, const char *id,
				   const char *source)
{
	_cleanup_cache_ids_ struct rk_cache_ids ids = {};

	RK_TRY(rk_cache_list(o->cache_dir, &ids));
	rk_vec_for_each(&ids.list, other) {
		_cleanup_slot_ struct rk_cache_slot slot = {.use_fd = -1, .fetch_fd = -1};
		_cleanup_record_ struct rk_record record = {};
		bool found;

		if (!rk_has_prefix(*other, "path:") || rk_streq(*other, id))
			continue;
		RK_TRY(rk_cache_slot_init(o->cache_dir, *other, &slot));
		RK_TRY(rk_cache_part(slot.build, &found, &record));
		if (!found || !record.origin || !rk_streq(record.origin, source))
			continue;
		/* In use: the next build removes it. */
		rk_err_free(rk_cache_remove(&slot, o->cache_dir));
	}
	return NULL;
}

static struct rk_err *make_tree(const struct rk_target_options *o, const struct rk_cache_slot *slot,
				const char *source, struct rk_target *target)
{
	struct rk_prepare prepare = {
		.source = target->source,
		.config = target->config,
		.symvers = o->symvers,
		.release = target->release,
		.cc = target->cc,
		.log = slot->log,
		.jobs = o->jobs,
		.skip_compiler_check = o->skip_compiler_check,
		.reporter = o->reporter,
	};
	struct rk_record record = {
		.id = slot->id,
		.release = target->release,
		.version = target->version,
		.build_id = target->build_id,
		.compiler = target->compiler,
		.origin = source,
	};

	RK_TRY(rk_prepare_check_tools(target->cc));
	rk_report_phase(o->reporter, "unpack", "copying '%s'", source);
	RK_TRY(rk_tree_copy(source, target->source, target->source_files, o->reporter));
	RK_TRY(rk_fs_copy(o->config, target->config, 0644));
	rk_report_phase(o->reporter, "prepare", "preparing the copy of '%s'", source);
	RK_TRY(rk_prepare_run(&prepare));
	RK_TRY(rk_prepare_check(&prepare));
	return rk_cache_commit(slot->build, &record);
}

static struct rk_err *has_tree(const struct rk_cache_slot *slot, bool *ret)
{
	_cleanup_record_ struct rk_record record = {};

	return rk_cache_part(slot->build, ret, &record);
}

static struct rk_err *ensure_tree(const struct rk_target_options *o, struct rk_cache_slot *slot,
				  const char *source, struct rk_target *target)
{
	bool found;

	RK_TRY(has_tree(slot, &found));
	if (found)
		return NULL;
	RK_TRY(rk_cache_begin_fetch(slot, o->reporter));
	struct rk_err *err = has_tree(slot, &found);
	if (!err && !found)
		err = make_tree(o, slot, source, target);
	if (err && !found)
		rk_err_free(rk_fs_remove_tree(slot->build));
	rk_cache_end_fetch(slot);
	return err ? err : remove_older(o, slot->id, source);
}

/* Paths of the target: the user's where they can be used as they are, ours where something was made. */
static struct rk_err *fill_paths(const struct rk_target_options *o,
				 const struct rk_cache_slot *slot, struct rk_target *target)
{
	struct rk_arena *arena = &target->arena;

	target->dir = rk_arena_strdup(arena, slot->dir);
	target->source = rk_arena_printf(arena, "%s/source", slot->build);
	target->config = rk_arena_printf(arena, "%s/config", slot->build);
	target->source_files = rk_arena_printf(arena, "%s/" RK_SOURCE_FILES, slot->build);
	target->vmlinux = rk_arena_strdup(arena, o->vmlinux);
	target->symvers = rk_arena_strdup(arena, o->symvers);
	target->modules = o->modules ? rk_arena_strdup(arena, o->modules) : NULL;
	target->image = o->image ? rk_arena_strdup(arena, o->image) : NULL;
	if (!target->dir || !target->source || !target->config || !target->source_files ||
	    !target->vmlinux || !target->symvers || (o->modules && !target->modules) ||
	    (o->image && !target->image))
		return rk_err_nomem();
	return NULL;
}

/* What vmlinux and config say about the kernel. */
static struct rk_err *fill_facts(const struct rk_target_options *o, char **ret_config,
				 struct rk_target *target)
{
	struct rk_kernel_facts facts = {};

	RK_TRY(rk_facts_vmlinux(o->vmlinux, &target->arena, &facts));
	target->release = facts.release;
	target->version = facts.version;
	target->build_id = facts.build_id;
	RK_TRY(rk_fs_read(o->config, RK_CONFIG_MAX, ret_config, NULL));
	RK_TRY(rk_facts_config(*ret_config, "CC_VERSION_TEXT", &target->arena, &target->compiler));
	if (!target->compiler)
		return rk_err(
			RK_ERR_FORMAT,
			"--config '%s' has no CONFIG_CC_VERSION_TEXT: give the .config the kernel "
			"was built with",
			o->config);
	RK_TRY(rk_demands_check(o->config));
	RK_TRY(rk_prepare_compiler(target->compiler, o->cc, &target->arena, &target->cc));
	return rk_prepare_check_compiler(target->cc, target->compiler, o->skip_compiler_check,
					 o->reporter);
}

struct rk_err *rk_target_open_paths(enum rk_target_parts parts, const struct rk_target_options *o,
				    struct rk_target *target)
{
	_cleanup_slot_ struct rk_cache_slot slot = {.use_fd = -1, .fetch_fd = -1};
	_cleanup_free_ char *config = NULL;

	RK_TRY(check_paths(o));
	/* One tree, one copy, by whatever name it is given. */
	_cleanup_free_ char *source = realpath(o->source, NULL);
	if (!source)
		return rk_err_nomem();
	RK_TRY(fill_facts(o, &config, target));
	RK_TRY(tree_id(o, source, config, target, &target->arena, &target->id));
	RK_TRY(rk_cache_slot_init(o->cache_dir, target->id, &slot));
	RK_TRY(rk_cache_use(&slot, o->cache_dir, o->reporter));
	RK_TRY(fill_paths(o, &slot, target));
	if (parts & RK_TARGET_BUILD)
		RK_TRY(ensure_tree(o, &slot, source, target));
	target->use_fd = take_fd(slot.use_fd);
	return NULL;
}
