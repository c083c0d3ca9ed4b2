/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Levels installed and removed: a record is only ever there when what it names is. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/host/patches.h"
#include "lib/trust/names.h"

static struct rk_err *patch_dir(const struct rk_host *host, const char *build_id, char **ret)
{
	if (!rk_is_build_id(build_id))
		return rk_err(RK_ERR_NAME, "'%s' is no build-id", build_id);
	*ret = rk_asprintf("%s/%s", host->patches_dir, build_id);
	return *ret ? NULL : rk_err_nomem();
}

/* All that lies beside the module, the record last. */
static struct rk_err *write_papers(const struct rk_patch *patch, const char *dir,
				   const void *signed_file, size_t signed_len)
{
	_cleanup_free_ char *signature = rk_asprintf("%s/%s.signed", dir, patch->sha256);
	_cleanup_free_ char *record = rk_asprintf("%s/%" PRIu64 ".json", dir, patch->level);
	_cleanup_free_ char *text = NULL;

	if (!signature || !record)
		return rk_err_nomem();
	RK_TRY(rk_patch_to_json(patch, &text));
	if (signed_file)
		RK_TRY(rk_fs_write(signature, signed_file, signed_len, 0644));
	return rk_fs_write(record, text, strlen(text), 0644);
}

static struct rk_err *install_files(const struct rk_patch *patch, const char *dir,
				    const char *module_path, const void *signed_file,
				    size_t signed_len)
{
	_cleanup_free_ char *module = rk_asprintf("%s/%s.ko", dir, patch->sha256);

	if (!module)
		return rk_err_nomem();
	RK_TRY(rk_fs_copy(module_path, module, 0644));
	RK_TRY(rk_patch_check_file(patch, module));
	return write_papers(patch, dir, signed_file, signed_len);
}

struct rk_err *rk_patches_install(const struct rk_host *host, const struct rk_patch *patch,
				  const char *module_path, const void *signed_file,
				  size_t signed_len)
{
	_cleanup_free_ char *dir = NULL;
	struct rk_err *err;

	RK_TRY(patch_dir(host, patch->build_id, &dir));
	if (!rk_is_patch_name(patch->name) || !patch->level || patch->level > INT64_MAX ||
	    !rk_is_sha256(patch->sha256))
		return rk_err(RK_ERR_NAME, "level %" PRIu64 " '%s' can't be installed",
			      patch->level, patch->name);
	if (!rk_fs_is_dir(dir)) {
		RK_TRY(rk_fs_mkdir_p(dir, 0755));
		RK_TRY(rk_fs_sync_dir(host->patches_dir));
	}
	RK_TRY(rk_host_check_owner(host, dir));
	RK_TRY(rk_patches_sweep(host, patch->build_id));
	err = install_files(patch, dir, module_path, signed_file, signed_len);
	if (!err)
		return NULL;
	/* a full disk isn't left fuller */
	rk_err_free(rk_patches_sweep(host, patch->build_id));
	return rk_err_wrap(err, "cannot install level %" PRIu64, patch->level);
}

static struct rk_err *is_same_file(const char *path, const void *bytes, size_t len, bool *ret)
{
	_cleanup_free_ char *there = NULL;
	size_t there_len = 0;
	struct rk_err *err = rk_fs_read(path, len, &there, &there_len);

	if (err && rk_err_code(err) == RK_ERR_NOMEM)
		return err;
	*ret = !err && there_len == len && !memcmp(there, bytes, len);
	rk_err_free(err);
	return NULL;
}

struct rk_err *rk_patches_renew(const struct rk_host *host, const struct rk_patch *installed,
				const struct rk_patch *patch, const void *signed_file,
				size_t signed_len)
{
	_cleanup_free_ char *dir = NULL;
	bool is_same;

	if (installed->level != patch->level || !rk_streq(installed->sha256, patch->sha256) ||
	    !installed->signed_path)
		return NULL;
	RK_TRY(is_same_file(installed->signed_path, signed_file, signed_len, &is_same));
	if (is_same && rk_streq(installed->channel, patch->channel))
		return NULL;
	RK_TRY(patch_dir(host, patch->build_id, &dir));
	return rk_err_wrap(write_papers(patch, dir, signed_file, signed_len),
			   "cannot renew what is known of level %" PRIu64, patch->level);
}

/* Whether a file of the directory is a record, or is named by one. */
static bool is_wanted(const struct rk_patches *patches, const char *name)
{
	size_t digits = strspn(name, "0123456789");

	if (name[0] == '.' || (digits && rk_streq(name + digits, ".json")))
		return true;
	rk_vec_for_each(&patches->list, patch)
		if (rk_has_prefix(name, patch->sha256) &&
		    (rk_streq(name + strlen(patch->sha256), ".ko") ||
		     rk_streq(name + strlen(patch->sha256), ".signed")))
			return true;
	return false;
}

struct rk_err *rk_patches_sweep(const struct rk_host *host, const char *build_id)
{
	_cleanup_patches_ struct rk_patches *patches = NULL;
	_cleanup_closedir_ DIR *stream = NULL;
	_cleanup_free_ char *dir = NULL;
	struct dirent *ent;

	RK_TRY(patch_dir(host, build_id, &dir));
	RK_TRY(rk_patches_list(host, build_id, &patches));
	stream = opendir(dir);
	if (!stream)
		return errno == ENOENT ? NULL : rk_err_sys(errno, "cannot open '%s'", dir);
	while ((ent = readdir(stream)))
		if (!is_wanted(patches, ent->d_name) && unlinkat(dirfd(stream), ent->d_name, 0) &&
		    errno != ENOENT)
			return rk_err_sys(errno, "cannot remove '%s/%s'", dir, ent->d_name);
	return NULL;
}

struct rk_err *rk_patches_remove(const struct rk_host *host, const char *build_id, uint64_t level)
{
	_cleanup_free_ char *dir = NULL, *record = NULL;

	RK_TRY(patch_dir(host, build_id, &dir));
	if (!rk_fs_is_dir(dir))
		return NULL;
	record = rk_asprintf("%s/%" PRIu64 ".json", dir, level);
	if (!record)
		return rk_err_nomem();
	RK_TRY(rk_fs_unlink_durably(record));
	RK_TRY(rk_patches_sweep(host, build_id));
	if (rmdir(dir) && errno != ENOTEMPTY && errno != EEXIST)
		return rk_err_sys(errno, "cannot remove '%s'", dir);
	return NULL;
}
