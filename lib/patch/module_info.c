/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a patch module's file says of itself; the file is read once, so hash and content belong together. */
#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/patch/internal.h"
#include "lib/patch/sign.h"

static struct rk_err *copy_modinfo(struct rk_module_info *info, const struct rk_elf *elf,
				   const char *key, const char **ret)
{
	const char *value = rk_elf_modinfo(elf, key);
	if (value) {
		*ret = rk_arena_strdup(&info->arena, value);
		if (!*ret)
			return rk_err_nomem();
	}
	return NULL;
}

static struct rk_err *read_manifest(const struct rk_elf *elf, struct rk_manifest **ret)
{
	struct rk_err *err = rk_manifest_of_elf(elf, ret);
	if (err && rk_err_code(err) == RK_ERR_NOT_FOUND) {
		rk_err_free(err);
		return NULL;
	}
	return err;
}

static struct rk_err *read_info(const char *path, struct rk_module_info *info)
{
	_cleanup_free_ char *file = NULL;
	_cleanup_elf_ struct rk_elf *elf = NULL;
	const char *build_id, *livepatch = NULL;
	size_t size, signature;

	RK_TRY(rk_fs_read(path, RK_MODULE_SIZE_MAX, &file, &size));
	RK_TRY(rk_sha256_bytes(file, size, info->sha256));
	RK_TRY(rk_err_wrap(rk_sign_trailer_size(file, size, &signature), "'%s'", path));
	info->is_signed = signature > 0;
	RK_TRY(rk_elf_open_memory(path, file, size, RK_ELF_LOAD_NO_RELOCS, &elf));
	RK_TRY(copy_modinfo(info, elf, "name", &info->name));
	RK_TRY(copy_modinfo(info, elf, "vermagic", &info->vermagic));
	RK_TRY(copy_modinfo(info, elf, "depends", &info->depends));
	RK_TRY(copy_modinfo(info, elf, "livepatch", &livepatch));
	if (!info->name || !info->vermagic)
		return rk_err(RK_ERR_FORMAT, "'%s' is not a kernel module: no %s in .modinfo", path,
			      info->name ? "vermagic" : "name");
	info->is_livepatch = livepatch != NULL;
	RK_TRY(rk_elf_build_id(elf, &build_id));
	if (build_id) {
		info->build_id = rk_arena_strdup(&info->arena, build_id);
		if (!info->build_id)
			return rk_err_nomem();
	}
	return read_manifest(elf, &info->manifest);
}

struct rk_err *rk_module_info_read(const char *path, struct rk_module_info **ret)
{
	struct rk_module_info *info = calloc(1, sizeof(*info));
	if (!info)
		return rk_err_nomem();
	struct rk_err *err = read_info(path, info);
	if (err) {
		rk_module_info_free(info);
		return err;
	}
	*ret = info;
	return NULL;
}

void rk_module_info_free(struct rk_module_info *info)
{
	if (!info)
		return;
	rk_manifest_free(info->manifest);
	rk_arena_deinit(&info->arena);
	free(info);
}
