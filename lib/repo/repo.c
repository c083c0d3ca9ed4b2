/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The repository's directory: its files, its lock, its root. */
#include "lib/repo/repo.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/json.h"
#include "lib/base/str.h"
#include "lib/repo/internal.h"

#define SETTINGS	RK_REPO_WORK "/settings.json"
#define SETTINGS_MAX	(64u << 10)
#define SETTINGS_SCHEMA "readykernel-repo-settings/1"

const char *rk_repo_dir(const struct rk_repo *repo)
{
	return repo->dir;
}

const char *rk_repo_product(const struct rk_repo *repo)
{
	return repo->product;
}

const struct rk_root *rk_repo_root(const struct rk_repo *repo)
{
	return repo->root;
}

/* --- files --- */

struct rk_err *rk_repo_read(const struct rk_repo *repo, const char *name, size_t max, char **ret,
			    size_t *ret_len)
{
	_cleanup_free_ char *path = rk_path_join(repo->dir, name);

	*ret = NULL;
	*ret_len = 0;
	if (!path)
		return rk_err_nomem();
	return rk_fs_exists(path) ? rk_fs_read(path, max, ret, ret_len) : NULL;
}

struct rk_err *rk_repo_write(struct rk_repo *repo, const char *name, const void *bytes, size_t len)
{
	return rk_fs_write_below(repo->dir, name, bytes, len, 0644);
}

struct rk_err *rk_repo_remove(struct rk_repo *repo, const char *name)
{
	_cleanup_free_ char *path = rk_path_join(repo->dir, name);

	if (!path)
		return rk_err_nomem();
	return rk_fs_unlink(path);
}

struct rk_err *rk_repo_list(const struct rk_repo *repo, const char *name, struct rk_repo_names *ret)
{
	_cleanup_free_ char *path = rk_path_join(repo->dir, name);
	const struct dirent *entry;

	if (!path)
		return rk_err_nomem();
	_cleanup_closedir_ DIR *dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? NULL : rk_err_sys(errno, "cannot read '%s'", path);
	while ((errno = 0, entry = readdir(dir))) {
		char *copy = entry->d_name[0] == '.' ? NULL : strdup(entry->d_name);

		if (entry->d_name[0] == '.')
			continue;
		if (!copy || !rk_vec_push(ret, copy)) {
			free(copy);
			return rk_err_nomem();
		}
	}
	if (errno)
		return rk_err_sys(errno, "cannot read '%s'", path);
	if (ret->nr)
		qsort(ret->v, ret->nr, sizeof(*ret->v), rk_compare_texts);
	return NULL;
}

void rk_repo_names_deinit(struct rk_repo_names *names)
{
	rk_vec_for_each(names, name)
		free(*name);
	rk_vec_deinit(names);
}

struct rk_err *rk_repo_read_signed(const struct rk_repo *repo, const char *name, size_t max,
				   struct rk_repo_file *ret)
{
	_cleanup_repo_file_ struct rk_repo_file file = {.name = strdup(name)};

	if (!file.name)
		return rk_err_nomem();
	RK_TRY(rk_repo_read(repo, name, max, &file.bytes, &file.len));
	if (file.bytes)
		RK_TRY(rk_signed_parse(file.name, file.bytes, file.len, &file.file));
	*ret = file;
	file = (struct rk_repo_file){};
	return NULL;
}

void rk_repo_file_deinit(struct rk_repo_file *file)
{
	free(file->name);
	free(file->bytes);
}

struct rk_err *rk_repo_write_signed(struct rk_repo *repo, const char *name,
				    const struct rk_signed *file)
{
	_cleanup_free_ char *bytes = NULL;
	size_t len;

	RK_TRY(rk_signed_write(file, &bytes, &len));
	return rk_repo_write(repo, name, bytes, len);
}

struct rk_err *rk_repo_write_draft(struct rk_repo *repo, const char *name, const char *payload)
{
	const struct rk_signed file = {
		.name = name, .payload = payload, .payload_len = strlen(payload)};

	return rk_repo_write_signed(repo, name, &file);
}

bool rk_repo_same_payload(const struct rk_repo_file *a, const struct rk_repo_file *b)
{
	return a->bytes && b->bytes && a->file.payload_len == b->file.payload_len &&
	       !memcmp(a->file.payload, b->file.payload, a->file.payload_len);
}

/* --- opening --- */

struct settings {
	const char *product;
};
static const struct rk_json_field settings_fields[] = {
	RK_JSON_FIELD(settings, product, "product", STRING),
};

static struct rk_err *read_settings(struct rk_repo *repo)
{
	_cleanup_arena_ struct rk_arena arena = RK_ARENA_INIT;
	const struct rk_json_reader r = {SETTINGS, &arena};
	_cleanup_free_ char *text = NULL;
	_cleanup_json_ json_t *doc = NULL;
	struct settings settings = {};
	size_t len;

	RK_TRY(rk_repo_read(repo, SETTINGS, SETTINGS_MAX, &text, &len));
	if (!text)
		return rk_err(RK_ERR_NOT_FOUND,
			      "'%s' is no repository; 'readykernel-repo init' makes one",
			      repo->dir);
	RK_TRY(rk_json_load_schema(r.name, text, len, SETTINGS_SCHEMA, &doc));
	RK_TRY(rk_json_fields(&r, "", doc, settings_fields, ARRAY_SIZE(settings_fields),
			      &settings));
	repo->product = strdup(settings.product);
	return repo->product ? NULL : rk_err_nomem();
}

static struct rk_err *take_lock(struct rk_repo *repo)
{
	_cleanup_free_ char *path = rk_path_join(repo->dir, RK_REPO_WORK "/lock");

	if (!path)
		return rk_err_nomem();
	RK_TRY(rk_fs_lock(path, RK_LOCK_EXCLUSIVE, true, &repo->lock));
	if (repo->lock < 0)
		return rk_err_sys(EBUSY, "another readykernel-repo is at work in '%s'", repo->dir);
	return NULL;
}

static struct rk_err *read_root(const struct rk_repo *repo, const char *name, struct rk_root **ret)
{
	_cleanup_repo_file_ struct rk_repo_file file = {};

	*ret = NULL;
	RK_TRY(rk_repo_read_signed(repo, name, RK_ROOT_SIZE_MAX, &file));
	if (!file.bytes)
		return NULL;
	return rk_root_parse(name, file.file.payload, file.file.payload_len, ret);
}

/* root.signed is written before root/<N>.signed, by which alone hosts get from one root to the next: whoever published it may have been interrupted. */
static struct rk_err *complete_root(struct rk_repo *repo)
{
	_cleanup_free_ char *name = rk_name_root(repo->root->version);
	_cleanup_free_ char *path = name ? rk_path_join(repo->dir, name) : NULL;
	_cleanup_free_ char *bytes = NULL;
	size_t len;

	if (!path)
		return rk_err_nomem();
	if (rk_fs_exists(path))
		return NULL;
	RK_TRY(rk_repo_read(repo, RK_NAME_ROOT, RK_ROOT_SIZE_MAX, &bytes, &len));
	return rk_repo_write(repo, name, bytes, len);
}

struct rk_err *rk_repo_open(const char *dir, enum rk_repo_mode mode, struct rk_repo **ret)
{
	_cleanup_repo_ struct rk_repo *repo = calloc(1, sizeof(*repo));

	if (!repo)
		return rk_err_nomem();
	repo->lock = -1;
	repo->dir = strdup(dir);
	if (!repo->dir)
		return rk_err_nomem();
	RK_TRY(read_settings(repo));
	if (mode == RK_REPO_WRITE)
		RK_TRY(take_lock(repo));
	RK_TRY(read_root(repo, RK_NAME_ROOT, &repo->root));
	if (mode == RK_REPO_WRITE && repo->root)
		RK_TRY(complete_root(repo));
	*ret = take_ptr(repo);
	return NULL;
}

void rk_repo_close(struct rk_repo *repo)
{
	if (!repo)
		return;
	rk_root_free(repo->root);
	if (repo->lock >= 0)
		close(repo->lock);
	free(repo->product);
	free(repo->dir);
	free(repo);
}

struct rk_err *rk_repo_init(const char *dir, const char *product, const struct rk_root *root)
{
	struct rk_repo repo = {.dir = (char *)dir, .lock = -1};
	_cleanup_repo_names_ struct rk_repo_names names = {};
	_cleanup_free_ char *settings_path = rk_path_join(dir, SETTINGS);
	_cleanup_free_ char *settings = NULL;
	struct rk_err *err;

	if (!settings_path)
		return rk_err_nomem();
	RK_TRY(rk_repo_list(&repo, ".", &names));
	/* a draft alone is what an interrupted one left */
	if (names.nr || rk_fs_exists(settings_path))
		return rk_err(RK_ERR_INVALID, "'%s' is not empty", dir);
	RK_TRY(rk_json_dump(json_pack("{s:s, s:s}", "schema", SETTINGS_SCHEMA, "product", product),
			    RK_JSON_READABLE, &settings));
	RK_TRY(rk_fs_mkdir_p(dir, 0755));
	err = rk_repo_set_next_root(&repo, root);
	/* last: before it is there, this is no repository */
	return err ? err : rk_repo_write(&repo, SETTINGS, settings, strlen(settings));
}

struct rk_err *rk_repo_next_root(const struct rk_repo *repo, struct rk_root **ret)
{
	return read_root(repo, RK_REPO_DRAFT_ROOT, ret);
}

struct rk_err *rk_repo_set_next_root(struct rk_repo *repo, const struct rk_root *root)
{
	uint64_t next = repo->root ? repo->root->version + 1 : 1;
	_cleanup_free_ char *payload = NULL;

	if (root->version != next)
		return rk_err(RK_ERR_INVALID, "root %llu can't be the next: %llu is",
			      (unsigned long long)root->version, (unsigned long long)next);
	RK_TRY(rk_root_write(root, &payload));
	return rk_repo_write_draft(repo, RK_REPO_DRAFT_ROOT, payload);
}
