/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The members of one structure, union or enumeration: as a hash, which is cheap enough for every type of a unit, and in words for the few that
 * differ. Members of parts whose type has no name are members of the whole, which is how C code names them.
 */
#include "lib/elf/debug_internal.h"

/* DWARF 4 counts a bit-field from the highest bit of a unit of storage (DWARF 4, 5.5.6); gcc of Debian 12 writes that with
 * -gdwarf-4. */
uint64_t rk_debug_place(Dwarf_Die *die, uint64_t *ret_bit_field)
{
	Dwarf_Attribute attr;
	Dwarf_Word from_top;
	uint64_t at = 8 * rk_debug_get_number(die, DW_AT_data_member_location, 0);
	uint64_t bits = rk_debug_get_number(die, DW_AT_bit_size, 0);

	*ret_bit_field = bits;
	if (!bits)
		return at;
	if (!dwarf_attr(die, DW_AT_bit_offset, &attr) || dwarf_formudata(&attr, &from_top) != 0)
		return at + rk_debug_get_number(die, DW_AT_data_bit_offset, 0);
	return at + 8 * rk_debug_get_number(die, DW_AT_byte_size, 0) - from_top - bits;
}

/* A structure or union that has no name, not even that of a typedef. */
static bool is_unnamed_part(Dwarf_Die *type)
{
	int tag = dwarf_tag(type);
	return (tag == DW_TAG_structure_type || tag == DW_TAG_union_type) && !dwarf_diename(type);
}

static int64_t enumerator_value(Dwarf_Die *die)
{
	Dwarf_Attribute attr;
	Dwarf_Sword value;
	if (!dwarf_attr(die, DW_AT_const_value, &attr) || dwarf_formsdata(&attr, &value) != 0)
		return 0;
	return value;
}

static uint64_t hash_member(struct rk_map *hashes, uint64_t hash, Dwarf_Die *die, uint64_t base,
			    int depth)
{
	Dwarf_Die type, bare;
	uint64_t bits, bit = rk_debug_place(die, &bits);
	bool has_type = rk_debug_get_type(die, &type);

	hash = rk_debug_hash_str(hash, dwarf_diename(die));
	if (has_type && rk_debug_strip(&type, &bare) && is_unnamed_part(&bare))
		return rk_debug_hash_number(hash, rk_debug_layout_hash(hashes, &bare, base + bit,
								       depth + 1));
	hash = rk_debug_hash_number(hash, base + bit);
	hash = rk_debug_hash_number(hash, bits);
	return rk_debug_hash_number(hash, has_type ? rk_debug_meaning(hashes, &type, depth) : 0);
}

uint64_t rk_debug_layout_hash(struct rk_map *hashes, Dwarf_Die *die, uint64_t base, int depth)
{
	uint64_t hash = rk_debug_hash_number(RK_HASH_INIT, (uint64_t)dwarf_tag(die));
	Dwarf_Die child;

	hash = rk_debug_hash_number(hash, rk_debug_get_number(die, DW_AT_byte_size, 0));
	if (depth > RK_DEBUG_DEPTH_MAX || dwarf_child(die, &child) != 0)
		return hash;
	do {
		int tag = dwarf_tag(&child);
		if (tag == DW_TAG_member) {
			hash = hash_member(hashes, hash, &child, base, depth);
		} else if (tag == DW_TAG_enumerator) {
			hash = rk_debug_hash_str(hash, dwarf_diename(&child));
			hash = rk_debug_hash_number(hash, (uint64_t)enumerator_value(&child));
		}
	} while (dwarf_siblingof(&child, &child) == 0);
	return hash;
}

typedef rk_vec(struct rk_debug_member) member_list;

/* "struct foo" of "struct foo", "foo_t" and "struct foo[4]". */
static const char *embedded_name(struct rk_arena *arena, Dwarf_Die *type)
{
	Dwarf_Die at = *type, bare;

	for (int depth = 0; depth < RK_DEBUG_DEPTH_MAX && rk_debug_strip(&at, &bare); depth++) {
		if (dwarf_tag(&bare) == DW_TAG_array_type && rk_debug_get_type(&bare, &at))
			continue;
		const char *name = dwarf_diename(&bare);
		return name && (rk_debug_is_layout(&bare) || dwarf_tag(&bare) == DW_TAG_typedef)
			       ? rk_arena_printf(arena, "%s%s", rk_debug_tag_word(dwarf_tag(&bare)),
						 name)
			       : NULL;
	}
	return NULL;
}

static struct rk_err *add_plain(struct rk_debug_info *info, Dwarf_Die *die, Dwarf_Die *type,
				const char *name, uint64_t base, member_list *to)
{
	_cleanup_str_ struct rk_str text = RK_STR_INIT;
	Dwarf_Word bytes = 0;
	uint64_t bits, bit = rk_debug_place(die, &bits);

	if (type)
		rk_debug_describe(&text, type, 0);
	if (type && !bits && dwarf_aggregate_size(type, &bytes) != 0)
		bytes = 0;
	RK_TRY(rk_str_check(&text));
	struct rk_debug_member member = {
		.name = name,
		.type = rk_arena_strdup(&info->arena, rk_str_get(&text)),
		.meaning = type ? rk_debug_meaning(&info->hashes, type, 0) : 0,
		.bit = base + bit,
		.bits = bits ? bits : 8 * bytes,
		.is_bit_field = bits != 0,
		.embeds = type ? embedded_name(&info->arena, type) : NULL,
	};
	return name && member.type && rk_vec_push(to, member) ? NULL : rk_err_nomem();
}

static struct rk_err *add_members(struct rk_debug_info *info, Dwarf_Die *die, const char *prefix,
				  uint64_t base, int depth, member_list *to);

static struct rk_err *add_member(struct rk_debug_info *info, Dwarf_Die *die, const char *prefix,
				 uint64_t base, int depth, member_list *to)
{
	Dwarf_Die type, bare;
	const char *own = dwarf_diename(die);
	bool has_type = rk_debug_get_type(die, &type);
	const char *name = rk_arena_printf(&info->arena, "%s%s", prefix, own ? own : "(unnamed)");

	if (!has_type || !rk_debug_strip(&type, &bare) || !is_unnamed_part(&bare))
		return add_plain(info, die, has_type ? &type : NULL, name, base, to);
	uint64_t bits, bit = rk_debug_place(die, &bits);
	const char *inner = own ? rk_arena_printf(&info->arena, "%s.", name) : prefix;
	return inner ? add_members(info, &bare, inner, base + bit, depth + 1, to) : rk_err_nomem();
}

static struct rk_err *add_members(struct rk_debug_info *info, Dwarf_Die *die, const char *prefix,
				  uint64_t base, int depth, member_list *to)
{
	Dwarf_Die child;

	if (depth > RK_DEBUG_DEPTH_MAX || dwarf_child(die, &child) != 0)
		return NULL;
	do {
		int tag = dwarf_tag(&child);
		if (to->nr >= RK_DEBUG_MEMBERS_MAX)
			return NULL;
		if (tag == DW_TAG_member) {
			RK_TRY(add_member(info, &child, prefix, base, depth, to));
		} else if (tag == DW_TAG_enumerator) {
			const char *name = dwarf_diename(&child);
			struct rk_debug_member member = {
				.name = rk_arena_strdup(&info->arena, name ? name : ""),
				.value = enumerator_value(&child),
			};
			if (!member.name || !rk_vec_push(to, member))
				return rk_err_nomem();
		}
	} while (dwarf_siblingof(&child, &child) == 0);
	return NULL;
}

struct rk_err *rk_debug_info_load_members(struct rk_debug_info *info, struct rk_debug_type *type)
{
	member_list list = {};
	Dwarf_Die die;

	if (type->members || !info->reader->dwarf)
		return NULL;
	if (!dwarf_offdie(info->reader->dwarf, type->offset, &die))
		return rk_err(RK_ERR_FORMAT, "debug info: no entry at 0x%llx",
			      (unsigned long long)type->offset);
	struct rk_err *err = add_members(info, &die, "", 0, 0, &list);
	if (!err) {
		type->members =
			rk_arena_memdup(&info->arena, list.v, list.nr * sizeof(*type->members));
		if (!type->members)
			err = rk_err_nomem();
		else
			type->nr_members = list.nr;
	}
	rk_vec_deinit(&list);
	return err;
}
