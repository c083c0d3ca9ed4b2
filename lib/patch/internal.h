/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between the files of lib/patch: the image is the module as a list of plan sections and symbols (those of the plan, of the hook,
 * and generated ones); everything that is in the module goes through it, so there is one path to the file.
 */
#ifndef RK_PATCH_INTERNAL_H
#define RK_PATCH_INTERNAL_H

#include "lib/base/map.h"
#include "lib/elf/elf.h"
#include "lib/patch/hook/layout.h"
#include "lib/patch/module.h"
#include "lib/patch/plan.h"

/* include/linux/moduleparam.h, MODULE_NAME_LEN of 64-bit kernels; also the width livepatch scans object names with. */
#define RK_MODULE_NAME_MAX 55
/* A module with manifest and signature; the largest of Debian's has 10 MiB. */
#define RK_MODULE_SIZE_MAX (256u << 20)

/* An id of SHA-1's size, as the GNU linker makes them; ours is the start of a SHA-256. */
#define RK_BUILD_ID_SECTION   ".note.gnu.build-id"
#define RK_BUILD_ID_SIZE      20
#define RK_BUILD_ID_NOTE_SIZE (12 + 4 + RK_BUILD_ID_SIZE)

struct rk_hook {
	struct rk_elf *elf;   /* the compiled hook */
	struct rk_elf *clear; /* clear.c, for patches that need it */
	struct rk_hook_layout layout;
	const char *vermagic; /* in elf */
};

/* Reads and checks the compiled hook objects. Errors: RK_ERR_SYS, RK_ERR_FORMAT. */
struct rk_err *rk_hook_read(const char *path, const char *clear_path, struct rk_hook **ret)
	__must_use;

/* Where what the hook needs is looked up. */
struct rk_export_source {
	/* An exported symbol of the target, NULL if there is none. */
	const struct rk_export *(*find)(void *ctx, const char *name);
	/* Position of a symbol of vmlinux for livepatch's search, 0 if the search can't find it. */
	struct rk_err *(*locate)(void *ctx, const char *name, uint32_t *ret_sympos);
	void *ctx;
};

struct rk_image {
	struct rk_arena arena; /* what was added to the plan */
	const struct rk_plan *plan;
	const struct rk_hook *hook;
	rk_vec(const struct rk_plan_section *) sections; /* pieces, in the order of the file */
	rk_vec(const struct rk_plan_symbol *) symbols;	 /* defined ones */
	rk_vec(const struct rk_plan_symbol *)
		imports;		      /* exported ones in use, once each, by first use */
	struct rk_map imported;		      /* name -> import */
	struct rk_plan_symbol *objects;	      /* the array the hook refers to */
	rk_vec(const char *) object_names;    /* in its order */
	struct rk_plan_symbol *clear_entries; /* what clear.c refers to; NULL: not needed */
	struct rk_plan_symbol *clear, *clear_pre_patch; /* its callbacks */
	struct rk_plan_symbol *chained;			/* the author's, which these call */
	struct rk_plan_symbol *patch;			/* the hook's struct klp_patch */
};

struct rk_err *rk_image_init(struct rk_image *image, const struct rk_plan *plan,
			     const struct rk_hook *hook) __must_use;
void rk_image_deinit(struct rk_image *image);

/* A new section of the image; data must live as long as the image (arena). */
struct rk_err *rk_image_section(struct rk_image *image, const char *name, uint64_t flags,
				uint64_t align, uint8_t *data, uint64_t size,
				struct rk_plan_section **ret) __must_use;
/* A new defined symbol of the image. */
struct rk_err *rk_image_symbol(struct rk_image *image, const char *name,
			       struct rk_plan_section *section, uint64_t value, uint64_t size,
			       uint8_t type, struct rk_plan_symbol **ret) __must_use;
/* Adds a relocation; section is one of the image's own. */
struct rk_err *rk_image_reloc(struct rk_plan_section *section, uint64_t offset, uint32_t type,
			      struct rk_plan_symbol *symbol, int64_t addend) __must_use;

/* klp.c: struct klp_func[], struct klp_object[] and their strings for the plan's functions; sets image->objects. */
struct rk_err *rk_image_add_klp(struct rk_image *image) __must_use;
/* clear.c: the fields that livepatch fills with addresses of modules, if this kernel needs them cleared. */
struct rk_err *rk_image_add_clear_entries(struct rk_image *image,
					  const struct rk_export_source *exports) __must_use;
/* Has the object such fields? */
bool rk_image_is_cleared(const struct rk_image *image, const char *object);
/* callbacks.c: the author's callbacks that those of hook/clear.c call. */
struct rk_err *rk_image_add_chained(struct rk_image *image) __must_use;
/* And, when the hook is in: the callbacks of each object, and the states. */
struct rk_err *rk_image_set_callbacks(struct rk_image *image) __must_use;
/* hook_image.c: the hook's sections and symbols, with the module's name in struct module. */
struct rk_err *rk_image_add_hook(struct rk_image *image, const char *name, bool replace,
				 const struct rk_export_source *exports) __must_use;
/* modinfo.c: .modinfo (name, depends, namespaces), __versions, build-id note (zeros), manifest. */
struct rk_err *rk_image_add_info(struct rk_image *image, const char *name,
				 const char *manifest_json, const struct rk_export_source *exports)
	__must_use;
/* Registers symbol as an import if it isn't one yet (by name). */
struct rk_err *rk_image_import(struct rk_image *image, const struct rk_plan_symbol *symbol)
	__must_use;

/* The livepatch part of a name the kernel scans with "%55[^.]": not empty, no '.', not too long. */
struct rk_err *rk_check_object_name(const char *name) __must_use;

/* rk_module_write with the exports from elsewhere. */
struct rk_err *rk_module_compose(const struct rk_plan *plan, const struct rk_hook *hook,
				 const struct rk_export_source *exports, const char *name,
				 bool replace, const char *manifest_json, void **ret,
				 size_t *ret_size) __must_use;

/* The manifest in an open module; RK_ERR_NOT_FOUND if it has none. */
struct rk_err *rk_manifest_of_elf(const struct rk_elf *elf, struct rk_manifest **ret) __must_use;

/* compose.c: merges pieces of one name, makes relocation sections, writes. */
struct rk_err *rk_image_write(const struct rk_image *image, void **ret, size_t *ret_size)
	__must_use;

#endif
