/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Levels come into a repository with a module, and from one channel into the next. */
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/map.h"
#include "lib/base/str.h"
#include "lib/patch/manifest.h"
#include "lib/repo/internal.h"

/* --- CVEs of a level that the one below doesn't fix --- */

static struct rk_err *read_manifest(const struct rk_repo *repo, const char *build_id,
				    const char *sha256, struct rk_manifest **ret)
{
	_cleanup_free_ char *name = rk_name_file(build_id, sha256, RK_FILE_MANIFEST);
	_cleanup_free_ char *text = NULL;
	size_t len;

	if (!name)
		return rk_err_nomem();
	RK_TRY(rk_repo_read(repo, name, RK_RECORD_SIZE_MAX, &text, &len));
	if (!text)
		return rk_err(RK_ERR_NOT_FOUND, "'%s/%s' is gone", repo->dir, name);
	return rk_manifest_parse(name, text, len, ret);
}

static struct rk_err *set_cves(const struct rk_repo *repo, struct rk_release *release,
			       const char *below, struct rk_release_level *level)
{
	const char *build_id = release->kernel.build_id;
	_cleanup_manifest_ struct rk_manifest *old = NULL;
	_cleanup_manifest_ struct rk_manifest *new = NULL;
	_cleanup_(rk_map_deinit) struct rk_map known = {};

	RK_TRY(read_manifest(repo, build_id, level->sha256, &new));
	if (below)
		RK_TRY(read_manifest(repo, build_id, below, &old));
	if (old)
		rk_vec_for_each(&old->fixes, fix)
			rk_vec_for_each(&fix->cves, cve)
				if (!rk_map_set(&known, *cve, old))
					return rk_err_nomem();
	level->cves_added.nr = 0;
	rk_vec_for_each(&new->fixes, fix)
		rk_vec_for_each(&fix->cves, cve) {
			const char *copy = rk_arena_strdup(&release->arena, *cve);

			if (rk_map_get(&known, *cve))
				continue;
			if (!copy || !rk_map_set(&known, copy, release) ||
			    !rk_vec_push(&level->cves_added, copy))
				return rk_err_nomem();
		}
	return NULL;
}

/* Sets *to to a copy in the release's arena. */
static bool copy_text(struct rk_release *release, const char *text, const char **to)
{
	*to = text ? rk_arena_strdup(&release->arena, text) : NULL;
	return !text || *to;
}

static struct rk_err *copy_level(struct rk_release *release, const struct rk_release_level *from,
				 struct rk_release_level *to)
{
	*to = *from;
	memset(&to->cves_added, 0, sizeof(to->cves_added));
	memset(&to->supersedes, 0, sizeof(to->supersedes));
	if (!copy_text(release, from->name, &to->name) ||
	    !copy_text(release, from->file, &to->file) ||
	    !copy_text(release, from->sha256, &to->sha256) ||
	    !copy_text(release, from->evidence_sha256, &to->evidence_sha256) ||
	    !copy_text(release, from->without_evidence, &to->without_evidence))
		return rk_err_nomem();
	rk_vec_for_each(&from->supersedes, it)
		if (!rk_vec_push(&to->supersedes, *it)) {
			rk_vec_deinit(&to->supersedes);
			return rk_err_nomem();
		}
	return NULL;
}

struct rk_err *rk_repo_insert_level(const struct rk_repo *repo, struct rk_release *release,
				    const struct rk_release_level *level)
{
	struct rk_release_level item;
	size_t at = 0;

	RK_TRY(copy_level(release, level, &item));
	if (!rk_vec_push(&release->levels, item)) {
		rk_vec_deinit(&item.supersedes);
		return rk_err_nomem();
	}
	while (release->levels.v[at].level < level->level)
		at++;
	memmove(&release->levels.v[at + 1], &release->levels.v[at],
		(release->levels.nr - 1 - at) * sizeof(item));
	release->levels.v[at] = item;
	/* the one above it has now less to add */
	for (size_t i = at; i < release->levels.nr && i <= at + 1; i++)
		RK_TRY(set_cves(repo, release, i ? release->levels.v[i - 1].sha256 : NULL,
				&release->levels.v[i]));
	return NULL;
}

/* --- adding --- */

/* What is added, read and checked. */
struct addition {
	const struct rk_repo_addition *spec;
	char *module, *evidence, *manifest_text;
	size_t module_len, evidence_len;
	struct rk_manifest *manifest;
	char sha256[RK_SHA256_HEX_SIZE], evidence_sha256[RK_SHA256_HEX_SIZE];
};

static void addition_deinit(struct addition *a)
{
	free(a->module);
	free(a->evidence);
	free(a->manifest_text);
	rk_manifest_free(a->manifest);
}

static struct rk_err *check_manifest(const struct addition *a)
{
	const struct rk_manifest *m = a->manifest;

	if (!m->build_id || !rk_is_build_id(m->build_id) || !m->version)
		return rk_err(RK_ERR_MISMATCH,
			      "'%s': its manifest doesn't name its kernel by build-id and version",
			      a->spec->module);
	if (!rk_is_patch_name(m->name))
		return rk_err(RK_ERR_NAME, "'%s': '%s' can't be a module's name", a->spec->module,
			      m->name);
	if (m->level == 0)
		return rk_err(RK_ERR_INVALID,
			      "'%s' has level 0; build it with a level (kpatch-build)",
			      a->spec->module);
	return NULL;
}

static struct rk_err *read_addition(const struct rk_repo_addition *spec, struct addition *a)
{
	a->spec = spec;
	RK_TRY(rk_fs_read(spec->module, RK_PATCH_SIZE_MAX, &a->module, &a->module_len));
	RK_TRY(rk_sha256_bytes(a->module, a->module_len, a->sha256));
	RK_TRY(rk_manifest_read_bytes(spec->module, a->module, a->module_len, &a->manifest));
	RK_TRY(check_manifest(a));
	RK_TRY(rk_manifest_to_json(a->manifest, &a->manifest_text));
	if (!spec->evidence)
		return NULL;
	RK_TRY(rk_fs_read(spec->evidence, RK_RECORD_SIZE_MAX, &a->evidence, &a->evidence_len));
	RK_TRY(rk_sha256_bytes(a->evidence, a->evidence_len, a->evidence_sha256));
	return rk_evidence_check(spec->evidence, a->evidence, a->evidence_len, a->manifest,
				 a->sha256);
}

/* One without levels. */
static struct rk_err *new_release(enum rk_channel channel, const char *product,
				  const struct rk_kernel_id *kernel, struct rk_release **ret)
{
	_cleanup_release_ struct rk_release *release = calloc(1, sizeof(*release));

	if (!release)
		return rk_err_nomem();
	release->channel = channel;
	if (!copy_text(release, product, &release->product) ||
	    !copy_text(release, kernel->release, &release->kernel.release) ||
	    !copy_text(release, kernel->version, &release->kernel.version) ||
	    !copy_text(release, kernel->build_id, &release->kernel.build_id) ||
	    !copy_text(release, kernel->arch, &release->kernel.arch))
		return rk_err_nomem();
	*ret = take_ptr(release);
	return NULL;
}

static struct rk_err *first_release(const struct rk_repo *repo, const struct addition *a,
				    struct rk_release **ret)
{
	const struct rk_repo_addition *spec = a->spec;
	const struct rk_kernel_id kernel = {
		.release = a->manifest->release,
		.version = a->manifest->version,
		.build_id = a->manifest->build_id,
		.arch = spec->arch ? spec->arch : "x86_64",
	};

	return new_release(spec->channel, spec->product ? spec->product : repo->product, &kernel,
			   ret);
}

/* A level is one file for ever, in all channels. */
static struct rk_err *check_level(const struct rk_repo *repo, const struct addition *a)
{
	for (size_t i = 0; i < RK_CHANNELS; i++) {
		_cleanup_release_ struct rk_release *release = NULL;
		const struct rk_release_level *level;

		RK_TRY(rk_repo_newest(repo, a->manifest->build_id, (enum rk_channel)i, &release));
		level = release ? rk_release_find(release, a->manifest->level) : NULL;
		if (level && !rk_streq(level->sha256, a->sha256))
			return rk_err(RK_ERR_MISMATCH,
				      "level %llu of this kernel is another file already; give "
				      "the new one a greater level",
				      (unsigned long long)level->level);
	}
	return NULL;
}

static struct rk_err *write_files(struct rk_repo *repo, const struct addition *a)
{
	const struct {
		enum rk_file_kind kind;
		const char *bytes;
		size_t len;
	} files[] = {
		{RK_FILE_MODULE, a->module, a->module_len},
		{RK_FILE_MANIFEST, a->manifest_text, strlen(a->manifest_text)},
		{RK_FILE_EVIDENCE, a->evidence, a->evidence_len},
	};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		_cleanup_free_ char *name =
			rk_name_file(a->manifest->build_id, a->sha256, files[i].kind);

		if (!name)
			return rk_err_nomem();
		if (files[i].bytes)
			RK_TRY(rk_repo_write(repo, name, files[i].bytes, files[i].len));
	}
	return NULL;
}

static struct rk_err *add_level(struct rk_repo *repo, const struct addition *a,
				struct rk_release *release, struct rk_repo_added *ret)
{
	_cleanup_free_ char *file = rk_asprintf("%s.ko", a->sha256);
	struct rk_release_level level = {
		.level = a->manifest->level,
		.name = a->manifest->name,
		.file = file,
		.length = a->module_len,
		.sha256 = a->sha256,
		.evidence_sha256 = a->evidence ? a->evidence_sha256 : NULL,
		.without_evidence = a->evidence ? NULL : a->spec->without_evidence,
		.fixes = a->manifest->fixes.nr,
		.released = a->spec->now,
	};
	bool has_memory = file != NULL;
	struct rk_err *err = NULL;

	rk_vec_for_each(&a->manifest->supersedes, base)
		has_memory = has_memory && rk_vec_push(&level.supersedes, base->level);
	if (!has_memory)
		err = rk_err_nomem();
	if (!err && rk_release_find(release, level.level))
		err = rk_err(RK_ERR_INVALID, "level %llu is in channel '%s' already",
			     (unsigned long long)level.level, rk_channel_name(release->channel));
	if (!err)
		err = rk_repo_insert_level(repo, release, &level);
	rk_vec_deinit(&level.supersedes);
	if (err)
		return err;
	ret->level = level.level;
	ret->fixes = level.fixes;
	ret->cves_added = rk_release_find(release, level.level)->cves_added.nr;
	memcpy(ret->sha256, a->sha256, sizeof(ret->sha256));
	snprintf(ret->build_id, sizeof(ret->build_id), "%s", release->kernel.build_id);
	return NULL;
}

struct rk_err *rk_repo_add(struct rk_repo *repo, const struct rk_repo_addition *spec,
			   struct rk_repo_added *ret)
{
	_cleanup_(addition_deinit) struct addition a = {};
	_cleanup_release_ struct rk_release *release = NULL;
	struct rk_repo_added added = {};

	if (!spec->evidence == !spec->without_evidence)
		return rk_err(RK_ERR_INVALID,
			      "'%s': give the evidence of its test ('--evidence'), or the reason "
			      "why there is none ('--without-evidence')",
			      spec->module);
	RK_TRY(read_addition(spec, &a));
	RK_TRY(check_level(repo, &a));
	RK_TRY(rk_repo_newest(repo, a.manifest->build_id, spec->channel, &release));
	if (!release)
		RK_TRY(first_release(repo, &a, &release));
	if (!rk_streq(release->kernel.version, a.manifest->version) ||
	    !rk_streq(release->kernel.release, a.manifest->release))
		return rk_err(RK_ERR_MISMATCH,
			      "'%s': the repository knows the kernel of this build-id as '%s %s'",
			      spec->module, release->kernel.release, release->kernel.version);
	RK_TRY(write_files(repo, &a));
	RK_TRY(add_level(repo, &a, release, &added));
	if (spec->covered_until)
		release->covered_until = spec->covered_until;
	RK_TRY(rk_repo_set_draft(repo, release, spec->now));
	*ret = added;
	return NULL;
}

/* --- promoting --- */

struct rk_err *rk_repo_find_level(const struct rk_repo *repo, const char *build_id, uint64_t level,
				  struct rk_release **ret)
{
	for (size_t i = 0; i < RK_CHANNELS; i++) {
		_cleanup_release_ struct rk_release *release = NULL;

		RK_TRY(rk_repo_newest(repo, build_id, (enum rk_channel)i, &release));
		if (!release || !rk_release_find(release, level))
			continue;
		*ret = take_ptr(release);
		return NULL;
	}
	return rk_err(RK_ERR_NOT_FOUND, "kernel %.16s… has no level %llu", build_id,
		      (unsigned long long)level);
}

struct rk_err *rk_repo_promote(struct rk_repo *repo, const char *build_id, uint64_t level,
			       enum rk_channel channel, int64_t now, bool *ret_added)
{
	_cleanup_release_ struct rk_release *from = NULL;
	_cleanup_release_ struct rk_release *to = NULL;

	RK_TRY(rk_repo_find_level(repo, build_id, level, &from));
	RK_TRY(rk_repo_newest(repo, build_id, channel, &to));
	if (!to)
		RK_TRY(new_release(channel, from->product, &from->kernel, &to));
	*ret_added = false;
	if (rk_release_find(to, level))
		return NULL;
	struct rk_release_level item = *rk_release_find(from, level);
	item.released = now;
	RK_TRY(rk_repo_insert_level(repo, to, &item));
	if (from->covered_until > to->covered_until)
		to->covered_until = from->covered_until;
	RK_TRY(rk_repo_set_draft(repo, to, now));
	*ret_added = true;
	return NULL;
}
