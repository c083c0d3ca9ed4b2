/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opening a target: look into the cache, fetch what isn't there, hold the lock that keeps it there. */
#include "lib/target/target.h"

#include <ftw.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/target/build_dir.h"
#include "lib/target/cache.h"
#include "lib/target/debian.h"
#include "lib/target/facts.h"
#include "lib/target/prepare.h"
#include "lib/target/resolve.h"
#include "lib/target/source_tree.h"

/* Which of the wanted parts slot doesn't have. */
static struct rk_err *missing_parts(const struct rk_cache_slot *slot, enum rk_target_parts parts,
				    unsigned int *ret)
{
	_cleanup_record_ struct rk_record image = {}, build = {};
	bool has_image, has_build;

	RK_TRY(rk_cache_part(slot->image, &has_image, &image));
	RK_TRY(rk_cache_part(slot->build, &has_build, &build));
	*ret = ((parts & RK_TARGET_IMAGE) && !has_image ? RK_TARGET_IMAGE : 0u) |
	       ((parts & RK_TARGET_BUILD) && !has_build ? RK_TARGET_BUILD : 0u);
	return NULL;
}

/* Proofs look into modules too, so the build part never comes without the image. */
static enum rk_target_parts with_image(enum rk_target_parts parts)
{
	return parts & RK_TARGET_BUILD ? RK_TARGET_ALL : parts;
}

static struct rk_err *fetch_locked(struct rk_cache_slot *slot, const struct rk_spec *spec,
				   enum rk_target_parts parts,
				   const struct rk_target_options *options)
{
	unsigned int missing;

	/* Another process may have fetched it while we waited for the lock. */
	RK_TRY(missing_parts(slot, parts, &missing));
	if (!missing)
		return NULL;
	return rk_debian_fetch(slot, spec->release, parts, spec->package_version, options);
}

static struct rk_err *ensure(struct rk_cache_slot *slot, const struct rk_spec *spec,
			     enum rk_target_parts parts, const struct rk_target_options *options)
{
	unsigned int missing;

	RK_TRY(missing_parts(slot, parts, &missing));
	if (!missing)
		return NULL;
	if (!spec->release)
		return rk_err(RK_ERR_NOT_FOUND,
			      "target '%s' isn't in the cache; give its paths again", spec->id);
	if (options->offline)
		return rk_err(
			RK_ERR_NOT_FOUND,
			"target '%s' isn't complete in the cache '%s', and fetching it isn't allowed "
			"(--offline); run 'kpatch-build target fetch %s' where there is a network",
			spec->id, options->cache_dir, spec->id);
	RK_TRY(rk_cache_begin_fetch(slot, options->reporter));
	struct rk_err *err = fetch_locked(slot, spec, parts, options);
	rk_cache_end_fetch(slot);
	return err;
}

/* The running kernel has one build-id; what is in the cache under its release may be another build of it. */
static struct rk_err *check_running(const struct rk_spec *spec, const struct rk_target *target)
{
	bool same = rk_streq(spec->version, target->version) &&
		    (!spec->build_id || !target->build_id ||
		     rk_streq(spec->build_id, target->build_id));

	if (same)
		return NULL;
	return rk_err(
		RK_ERR_MISMATCH,
		"the running kernel is '%s' (build-id %s), but target '%s' in the cache is '%s' (build-id %s); "
		"remove it ('kpatch-build target rm %s') to fetch the running one",
		spec->version, spec->build_id ? spec->build_id : "unknown", spec->id,
		target->version, target->build_id ? target->build_id : "none", spec->id);
}

static struct rk_err *describe_paths(const struct rk_cache_slot *slot, enum rk_target_parts parts,
				     bool has_image, struct rk_target *target)
{
	struct rk_arena *arena = &target->arena;
	const struct {
		const char **field;
		const char *dir;
		const char *name;
		bool wanted;
	} paths[] = {
		{&target->image, slot->image, "vmlinuz", has_image},
		{&target->modules, slot->image, "modules", has_image},
		{&target->source, slot->build, "source", parts & RK_TARGET_BUILD},
		{&target->config, slot->build, "config", parts & RK_TARGET_BUILD},
		{&target->vmlinux, slot->build, "vmlinux", parts & RK_TARGET_BUILD},
		{&target->symvers, slot->build, "Module.symvers", parts & RK_TARGET_BUILD},
		{&target->source_files, slot->build, RK_SOURCE_FILES, parts & RK_TARGET_BUILD},
	};

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		if (!paths[i].wanted)
			continue;
		*paths[i].field = rk_arena_printf(arena, "%s/%s", paths[i].dir, paths[i].name);
		if (!*paths[i].field)
			return rk_err_nomem();
	}
	return NULL;
}

static struct rk_err *describe_facts(const struct rk_cache_slot *slot,
				     const struct rk_record *record, struct rk_target *target)
{
	const struct {
		const char **field;
		const char *value;
	} facts[] = {
		{&target->id, slot->id},
		{&target->dir, slot->dir},
		{&target->release, record->release},
		{&target->version, record->version},
		{&target->source_version, record->source_version},
		{&target->build_id, record->build_id},
		{&target->compiler, record->compiler},
	};

	for (size_t i = 0; i < ARRAY_SIZE(facts); i++) {
		if (!facts[i].value)
			continue;
		*facts[i].field = rk_arena_strdup(&target->arena, facts[i].value);
		if (!*facts[i].field)
			return rk_err_nomem();
	}
	return NULL;
}

struct rk_err *rk_target_describe(const struct rk_cache_slot *slot, enum rk_target_parts parts,
				  struct rk_target *target)
{
	_cleanup_record_ struct rk_record image = {}, build = {};
	bool has_image, has_build;

	RK_TRY(rk_cache_part(slot->image, &has_image, &image));
	RK_TRY(rk_cache_part(slot->build, &has_build, &build));
	RK_TRY(describe_facts(slot, has_build ? &build : &image, target));
	return describe_paths(slot, parts, has_image, target);
}

/* The compiler may have been upgraded since the tree was prepared, so it is asked at each opening. */
static struct rk_err *find_compiler(const struct rk_target_options *options,
				    struct rk_target *target)
{
	if (!target->compiler)
		return NULL;
	RK_TRY(rk_prepare_compiler(target->compiler, options->cc, &target->arena, &target->cc));
	return rk_prepare_check_compiler(target->cc, target->compiler, options->skip_compiler_check,
					 options->reporter);
}

static struct rk_err *open_named(const char *text, enum rk_target_parts parts,
				 const struct rk_target_options *options, struct rk_target *target)
{
	_cleanup_spec_ struct rk_spec spec = {};
	_cleanup_slot_ struct rk_cache_slot slot = {.use_fd = -1, .fetch_fd = -1};

	RK_TRY(rk_spec_parse(text, &spec));
	RK_TRY(rk_cache_slot_init(options->cache_dir, spec.id, &slot));
	RK_TRY(rk_cache_use(&slot, options->cache_dir, options->reporter));
	RK_TRY(ensure(&slot, &spec, parts, options));
	RK_TRY(rk_target_describe(&slot, parts, target));
	if (spec.version)
		RK_TRY(check_running(&spec, target));
	if (parts & RK_TARGET_BUILD)
		RK_TRY(find_compiler(options, target));
	target->use_fd = take_fd(slot.use_fd);
	return NULL;
}

static struct rk_err *open_build_dir(const char *spec, enum rk_target_parts parts,
				     const struct rk_target_options *options,
				     struct rk_target *target)
{
	struct rk_target_options found = *options;

	RK_TRY(rk_build_dir_find(spec, &target->arena, &found));
	return rk_target_open_paths(parts, &found, target);
}

struct rk_err *rk_target_open(const char *spec, enum rk_target_parts parts,
			      const struct rk_target_options *options, struct rk_target **ret)
{
	_cleanup_target_ struct rk_target *target = calloc(1, sizeof(*target));
	bool explicit = options->source || options->config || options->vmlinux || options->symvers;

	if (!target)
		return rk_err_nomem();
	target->use_fd = -1;
	target->cache_dir = rk_arena_strdup(&target->arena, options->cache_dir);
	if (!target->cache_dir)
		return rk_err_nomem();
	if (spec && explicit)
		return rk_err(RK_ERR_INVALID, "target '%s' and explicit paths exclude each other",
			      spec);
	if (explicit)
		RK_TRY(rk_target_open_paths(parts, options, target));
	else if (spec && rk_build_dir_is_spec(spec))
		RK_TRY(open_build_dir(spec, parts, options, target));
	else
		RK_TRY(open_named(spec ? spec : "running", with_image(parts), options, target));
	*ret = take_ptr(target);
	return NULL;
}

struct rk_err *rk_target_id(const char *text, char **ret)
{
	_cleanup_spec_ struct rk_spec spec = {};

	RK_TRY(rk_spec_parse(text, &spec));
	*ret = strdup(spec.id);
	return *ret ? NULL : rk_err_nomem();
}

void rk_target_close(struct rk_target *target)
{
	if (!target)
		return;
	if (target->use_fd >= 0)
		close(target->use_fd);
	rk_arena_deinit(&target->arena);
	free(target);
}
