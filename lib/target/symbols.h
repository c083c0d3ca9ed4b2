/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The symbols of a target as its own kernel sees them: what is in vmlinux and in each module, in
 * which order the kernel's search meets them (kernel/livepatch/core.c klp_find_object_symbol,
 * kernel/kallsyms.c, kernel/module/kallsyms.c of 6.1), which are exported, and which of several
 * same-named local symbols belongs to which translation unit.
 */
#ifndef RK_TARGET_SYMBOLS_H
#define RK_TARGET_SYMBOLS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/elf/elf.h"
#include "lib/target/target.h"

/* vmlinux or one module of the target. */
struct rk_klp_object {
	const char *name;   /* "vmlinux" or the module's name ("af_key") */
	struct rk_elf *elf; /* vmlinux or .ko; owned by the tables */
	bool is_vmlinux;
	const char *path;
	const char *build_id;	/* or NULL */
	const char *srcversion; /* of a module, or NULL */
	const char *depends;	/* .modinfo of a module: comma-separated names, or NULL */
	void *priv;		/* indices of symbols.c */
};

/* One line of Module.symvers. */
struct rk_export {
	const char *name;
	uint32_t crc;
	const char *object; /* "vmlinux" or a module's name, from the path in symvers */
	bool gpl;
	const char *ns; /* symbol namespace, "" for none */
};

struct rk_symbols;

/* Opens vmlinux and Module.symvers of target; modules are opened when first asked for. */
struct rk_err *rk_symbols_open(const struct rk_target *target, struct rk_symbols **ret) __must_use;
void rk_symbols_close(struct rk_symbols *symbols);

/* The object; opened at the first call. RK_ERR_NOT_FOUND for a module the target doesn't have. */
struct rk_err *rk_symbols_object(struct rk_symbols *symbols, const char *name,
				 struct rk_klp_object **ret) __must_use;

/* Opens the module at path, wherever it lies, under the name it says it has (or its file's); rk_symbols_object() finds it from then on. */
struct rk_err *rk_symbols_add_module(struct rk_symbols *symbols, const char *path,
				     struct rk_klp_object **ret) __must_use;

/* NULL if the name isn't exported by the target. */
const struct rk_export *rk_symbols_export(const struct rk_symbols *symbols, const char *name);

/*
 * The block of local symbols (STT_FILE block) of object that one translation unit's object file
 * came from.
 */
struct rk_owner {
	struct rk_klp_object *object;
	uint32_t first, end; /* symbol indices of its local symbols in object->elf */
	const char *file;    /* STT_FILE name: "tcp_input.c" */
};

/*
 * Finds unit's block: same STT_FILE name, local FUNC and OBJECT names that agree with those of the
 * compiled original (names that the linker or objtool may drop or add are ignored); when several
 * fit, the one whose functions' bytes agree. RK_ERR_NOT_FOUND / RK_ERR_MISMATCH name what differs.
 */
struct rk_err *rk_symbols_owner(struct rk_symbols *symbols, const char *object,
				const struct rk_elf *original, struct rk_owner *ret) __must_use;

/*
 * The symbol in the shipped binary that `name` means for code of this unit: a local one of its
 * block first, then a global one of the object. NULL if there is none.
 */
struct rk_symbol *rk_owner_lookup(const struct rk_owner *owner, const char *name);

/*
 * How the kernel's own search must be asked for symbol sym of object so that it finds just that
 * one.
 */
struct rk_sympos {
	uint32_t sympos;  /* what to write: 1 for a unique name, else its 1-based rank */
	uint32_t matches; /* symbols of that name the search meets */
	bool in_kallsyms; /* false: the running kernel's table doesn't have it */
	bool unstable;	  /* a module's rank differs between COMING and LIVE: init code goes */
};
/* Simulates klp_find_object_symbol on the real tables: for vmlinux the kallsyms tables decoded from
 * its .rodata, for a module its .symtab order without undefined symbols. */
struct rk_err *rk_symbols_sympos(struct rk_symbols *symbols, const struct rk_klp_object *object,
				 const struct rk_symbol *sym, struct rk_sympos *ret) __must_use;

#endif
