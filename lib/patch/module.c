/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writing the patch module: image, file, and the build-id made of the file's own bytes. */
#include "lib/patch/module.h"

#include <elf.h>

#include "lib/base/str.h"
#include "lib/patch/internal.h"

static struct rk_err *check_name(const char *name)
{
	size_t len = strlen(name);

	if (!len || len > RK_MODULE_NAME_MAX)
		return rk_err(RK_ERR_INVALID, "the module name '%s' must have 1 to %d characters",
			      name, RK_MODULE_NAME_MAX);
	for (const char *c = name; *c; c++) {
		if (!(*c >= 'a' && *c <= 'z') && !(*c >= 'A' && *c <= 'Z') &&
		    !(*c >= '0' && *c <= '9') && *c != '_')
			return rk_err(RK_ERR_INVALID,
				      "the module name '%s' may only have letters, digits and '_'",
				      name);
	}
	return NULL;
}

static uint8_t hex_byte(const char *s)
{
	static const char digits[] = "0123456789abcdef";
	return (uint8_t)((strchr(digits, s[0]) - digits) << 4 | (strchr(digits, s[1]) - digits));
}

/* The note holds zeros while the file is hashed. */
static struct rk_err *set_build_id(uint8_t *file, size_t size)
{
	char hex[RK_SHA256_HEX_SIZE];
	_cleanup_elf_ struct rk_elf *elf = NULL;

	RK_TRY(rk_sha256_bytes(file, size, hex));
	RK_TRY(rk_elf_open_memory("patch module", file, size, RK_ELF_LOAD_NO_RELOCS, &elf));
	const struct rk_section *note = rk_elf_section(elf, RK_BUILD_ID_SECTION);
	if (!note || note->size != RK_BUILD_ID_NOTE_SIZE)
		return rk_err(RK_ERR_INVALID, "the plan has a section '%s' of its own",
			      RK_BUILD_ID_SECTION);
	uint8_t *id = file + note->offset + RK_BUILD_ID_NOTE_SIZE - RK_BUILD_ID_SIZE;
	for (int i = 0; i < RK_BUILD_ID_SIZE; i++)
		id[i] = hex_byte(hex + 2 * i);
	return NULL;
}

static struct rk_err *fill_image(struct rk_image *image, const struct rk_export_source *exports,
				 const char *name, bool replace, const char *manifest_json)
{
	RK_TRY(rk_image_add_klp(image));
	RK_TRY(rk_image_add_clear_entries(image, exports));
	RK_TRY(rk_image_add_chained(image));
	RK_TRY(rk_image_add_hook(image, name, replace, exports));
	RK_TRY(rk_image_set_callbacks(image));
	return rk_image_add_info(image, name, manifest_json, exports);
}

struct rk_err *rk_module_compose(const struct rk_plan *plan, const struct rk_hook *hook,
				 const struct rk_export_source *exports, const char *name,
				 bool replace, const char *manifest_json, void **ret,
				 size_t *ret_size)
{
	_cleanup_(rk_image_deinit) struct rk_image image = {};
	_cleanup_free_ void *file = NULL;
	size_t size;

	RK_TRY(check_name(name));
	RK_TRY(rk_image_init(&image, plan, hook));
	RK_TRY(fill_image(&image, exports, name, replace, manifest_json));
	RK_TRY(rk_image_write(&image, &file, &size));
	RK_TRY(set_build_id(file, size));
	*ret = take_ptr(file);
	*ret_size = size;
	return NULL;
}

static const struct rk_export *find_export(void *ctx, const char *name)
{
	return rk_symbols_export(ctx, name);
}

static struct rk_err *locate_symbol(void *ctx, const char *name, uint32_t *ret_sympos)
{
	struct rk_klp_object *vmlinux;
	struct rk_sympos pos = {};

	RK_TRY(rk_symbols_object(ctx, "vmlinux", &vmlinux));
	const struct rk_symbol *symbol = rk_elf_symbol(vmlinux->elf, name);
	if (symbol)
		RK_TRY(rk_symbols_sympos(ctx, vmlinux, symbol, &pos));
	*ret_sympos = pos.in_kallsyms ? pos.sympos : 0;
	return NULL;
}

struct rk_err *rk_module_write(const struct rk_plan *plan, const struct rk_hook *hook,
			       struct rk_symbols *symbols, const char *name, bool replace,
			       const char *manifest_json, void **ret, size_t *ret_size)
{
	struct rk_export_source exports = {
		.find = find_export, .locate = locate_symbol, .ctx = symbols};

	return rk_err_wrap(rk_module_compose(plan, hook, &exports, name, replace, manifest_json,
					     ret, ret_size),
			   "cannot make module '%s'", name);
}
