/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plan: everything a patch module will contain, as data. Sections with their relocations, symbols that are defined
 * here, come from exports, or are found by livepatch at load; the functions to redirect. lib/patch/link.c makes it, text
 * and JSON dumps show it, lib/patch/module.c turns it into a .ko without deciding anything more.
 */
#ifndef RK_PATCH_PLAN_H
#define RK_PATCH_PLAN_H

#include <stdint.h>

#include "include/kpatch-marks.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/vec.h"

struct rk_plan_section;

enum rk_plan_symbol_kind {
	RK_PLAN_DEFINED, /* in one of the plan's sections */
	RK_PLAN_EXPORT, /* undefined; exported by vmlinux, bound by the kernel's module loader (with CRC) */
	RK_PLAN_HOOK, /* the patch module's own struct klp_patch, see KPATCH_PATCH in include/kpatch-macros.h */
	RK_PLAN_KLP, /* .klp.sym.<object>.<name>,<sympos>: bound by livepatch */
};

struct rk_plan_symbol {
	enum rk_plan_symbol_kind kind;
	const char *name;
	struct rk_plan_section *section; /* DEFINED */
	uint64_t value, size;		 /* DEFINED: offset in section, bytes */
	uint8_t type;			 /* STT_FUNC, STT_OBJECT, STT_NOTYPE, STT_SECTION */
	const char *object;		 /* KLP: "vmlinux" or a module; EXPORT: exporter */
	uint32_t sympos;		 /* KLP */
	uint32_t crc;			 /* EXPORT */
	const char *ns;			 /* EXPORT: namespace or "" */
};

struct rk_plan_reloc {
	uint64_t offset; /* in the section */
	uint32_t type;	 /* R_X86_64_… */
	int64_t addend;
	struct rk_plan_symbol *symbol;
};

struct rk_plan_section {
	const char *
		name; /* ".text.tcp_ack", ".altinstructions", … unique apart from special sections, which are merged */
	const char *object; /* klp object its code belongs to */
	uint32_t type;	    /* SHT_PROGBITS or SHT_NOBITS */
	uint64_t flags;	    /* SHF_… */
	uint64_t align, entsize, size;
	uint8_t *data; /* size bytes; relocated fields are zero; NULL for NOBITS */
	rk_vec(struct rk_plan_reloc) relocs; /* sorted by offset */
};

/* One function to redirect. */
struct rk_plan_func {
	const char *object;   /* klp object */
	const char *old_name; /* in the running kernel */
	uint32_t old_sympos;
	uint64_t old_address; /* vmlinux: linked address; module: offset in its section */
	uint64_t old_size, new_size;
	const char *unit;
	struct rk_plan_symbol *new_symbol; /* DEFINED */
};

/* A module the patch has code for: what it must be. */
struct rk_plan_object {
	const char *name;
	const char *build_id, *srcversion; /* or NULL */
};

/* Kinds of callbacks: the first of enum kpatch_mark_kind. */
#define RK_PLAN_CALLBACKS (KPATCH_MARK_POST_UNPATCH + 1)

/* A function of the fix's author that livepatch calls for an object. */
struct rk_plan_callback {
	const char *object, *unit;
	enum kpatch_mark_kind kind;
	struct rk_plan_symbol *symbol; /* DEFINED */
};

struct rk_plan_state {
	uint64_t id; /* not 0 */
	uint32_t version;
};

struct rk_plan {
	struct rk_arena arena;			   /* everything */
	rk_vec(struct rk_plan_section *) sections; /* stable order */
	rk_vec(struct rk_plan_symbol *) symbols;   /* stable order */
	rk_vec(struct rk_plan_func) funcs;	   /* by object, unit, order in the unit */
	rk_vec(struct rk_plan_object) objects;	   /* "vmlinux" first, then by name */
	rk_vec(struct rk_plan_callback) callbacks; /* by object, then kind; one of each at most */
	rk_vec(struct rk_plan_state) states;	   /* by id, each once */
	rk_vec(uint64_t) shadow_ids;		   /* ascending, each once */
};

void rk_plan_free(struct rk_plan *plan);

/* Is the symbol bound only when a module is there? */
bool rk_plan_is_bound_late(const struct rk_plan_symbol *symbol);
/* Does new code for the object, in the sections of the plan, use symbols that are? Livepatch binds these for objects of the patch. */
bool rk_plan_binds_late(const struct rk_plan *plan, const char *object);

/* The callback of that kind for the object, NULL if there is none. */
const struct rk_plan_callback *rk_plan_callback(const struct rk_plan *plan, const char *object,
						enum kpatch_mark_kind kind);

/* The readable dump that golden tests compare: sections, symbols, relocations, functions, one per line. *ret malloc'ed. */
struct rk_err *rk_plan_dump(const struct rk_plan *plan, char **ret) __must_use;

#endif
