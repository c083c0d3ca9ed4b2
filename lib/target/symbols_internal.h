/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What symbols.c, object_index.c, owner.c and sympos.c share. */
#ifndef RK_TARGET_SYMBOLS_INTERNAL_H
#define RK_TARGET_SYMBOLS_INTERNAL_H

#include "lib/arch/arch.h"
#include "lib/base/map.h"
#include "lib/base/vec.h"
#include "lib/target/exports.h"
#include "lib/target/kallsyms.h"
#include "lib/target/symbols.h"

/* The local symbols of one compiled file. */
struct rk_block {
	const char *file;    /* STT_FILE name, "" when the object has none */
	uint32_t first, end; /* symbol indices */
	bool is_indexed;
	struct rk_map by_name; /* local symbols, once is_indexed */
};

struct rk_object_index {
	struct rk_map globals; /* defined symbols that aren't local */
	/*
	 * In a linked kernel every file's locals follow its STT_FILE symbol. Modules lost those
	 * symbols to 'strip --strip-debug' when they were installed: then there is one block with
	 * all locals.
	 */
	rk_vec(struct rk_block) blocks;
	size_t nr_ordered; /* of blocks: those that collect_blocks() found */
	bool has_files;
	uint32_t first_global; /* index of the first symbol that isn't local */
};

struct rk_symbols {
	const struct rk_target *target;
	struct rk_exports *exports;
	rk_vec(struct rk_klp_object *) objects;
	struct rk_kallsyms *kallsyms; /* of vmlinux, decoded when first asked for */
};

struct rk_err *rk_object_index_create(const struct rk_elf *elf, struct rk_object_index **ret)
	__must_use;
void rk_object_index_destroy(struct rk_object_index *index);
/*
 * Does a global function lie where the linker put this file's code: between the local functions of
 * the files before and behind?
 */
bool rk_owner_covers(const struct rk_owner *owner, const struct rk_symbol *shipped);
/*
 * Offset of the first byte in which the definition of `ours` in a relocatable object differs from
 * `size` shipped bytes, relocated fields left out; size if there is none.
 */
uint64_t rk_first_difference(const struct rk_symbol *ours, const uint8_t *shipped, uint64_t size,
			     const struct rk_arch *arch);
/*
 * size bytes of content at the symbol's place in a shipped object (linked or relocatable); NULL if
 * not there.
 */
const uint8_t *rk_symbol_bytes(const struct rk_elf *elf, const struct rk_symbol *sym,
			       uint64_t size);
/*
 * The block that covers exactly [first, end), with its names indexed; added if the index doesn't
 * have it.
 */
struct rk_err *rk_object_index_block(struct rk_object_index *index, const struct rk_elf *elf,
				     const char *file, uint32_t first, uint32_t end) __must_use;

/* A local symbol of the object itself: not of a section or a file, defined, with a name. */
static inline bool rk_is_named_local(const struct rk_symbol *sym)
{
	return sym->bind == 0 /* STB_LOCAL */ && sym->shndx != 0 &&
	       sym->type != 3 /* STT_SECTION */ && sym->type != 4 /* STT_FILE */ && sym->name[0];
}

static inline void rk_cleanup_object_index(struct rk_object_index **i)
{
	rk_object_index_destroy(*i);
}
#define _cleanup_object_index_ _cleanup_(rk_cleanup_object_index)

#endif
