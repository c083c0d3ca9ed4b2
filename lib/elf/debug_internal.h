/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files that read debug info: debug_type.c (types as text and as hash), debug_layout.c (members), debug_info.c. */
#ifndef RK_ELF_DEBUG_INTERNAL_H
#define RK_ELF_DEBUG_INTERNAL_H

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>

#include "lib/base/str.h"
#include "lib/elf/debug_info.h"

/* Types nest at most this deep in C that people write; more is a loop in broken debug info. */
#define RK_DEBUG_DEPTH_MAX   32
#define RK_DEBUG_MEMBERS_MAX 100000

struct rk_debug_reader {
	Dwfl *dwfl;
	Dwfl_Module *mod;
	Dwarf *dwarf;	 /* of dwfl; NULL without debug info */
	Dwarf_Addr bias; /* of addresses in dwarf to those of mod */
};

/* Opens one ELF file, linked or relocatable. Errors: RK_ERR_SYS, RK_ERR_FORMAT (then ret may be half open, as rk_debug_close() takes it). */
struct rk_err *rk_debug_open(const char *path, struct rk_debug_reader *ret) __must_use;
void rk_debug_close(struct rk_debug_reader *reader);

#define RK_HASH_INIT 0xcbf29ce484222325ull

/* FNV-1a, which is fast on short names. */
uint64_t rk_debug_hash(uint64_t hash, const void *data, size_t size);
uint64_t rk_debug_hash_str(uint64_t hash, const char *s);
uint64_t rk_debug_hash_number(uint64_t hash, uint64_t number);

bool rk_debug_get_type(Dwarf_Die *die, Dwarf_Die *ret);
uint64_t rk_debug_get_number(Dwarf_Die *die, unsigned int name, uint64_t otherwise);
bool rk_debug_is_layout(Dwarf_Die *die);
const char *rk_debug_tag_word(int tag); /* "struct " … or "" */

/* The type as C has it: "struct list *", "int (char const *, ...)". */
void rk_debug_describe(struct rk_str *out, Dwarf_Die *die, int depth);
void rk_debug_describe_function(struct rk_str *out, Dwarf_Die *die, int depth);

/* What the type means: typedefs of named types and qualifiers make no difference, named layouts count by name. Types that were
 * asked for once are kept in hashes. */
uint64_t rk_debug_meaning(struct rk_map *hashes, Dwarf_Die *die, int depth);
uint64_t rk_debug_meaning_of_function(struct rk_map *hashes, Dwarf_Die *die, int depth);

/* Where a member starts, and its extent when it is a bit-field (else 0), in bits. */
uint64_t rk_debug_place(Dwarf_Die *die, uint64_t *ret_bit_field);

/* The hash of a layout's members, unnamed parts included. */
uint64_t rk_debug_layout_hash(struct rk_map *hashes, Dwarf_Die *die, uint64_t base, int depth);

/* Without typedefs of named types and qualifiers; a typedef that is an unnamed layout's only name stays. */
bool rk_debug_strip(Dwarf_Die *die, Dwarf_Die *ret);

#endif
