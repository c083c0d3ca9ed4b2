/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One type of the debug info: as text for people, and as a hash of what it means, by which types of two objects are compared. */
#include "lib/elf/debug_internal.h"

#define FNV_PRIME 0x100000001b3ull

uint64_t rk_debug_hash(uint64_t hash, const void *data, size_t size)
{
	const unsigned char *p = data;
	for (size_t i = 0; i < size; i++)
		hash = (hash ^ p[i]) * FNV_PRIME;
	return hash;
}

uint64_t rk_debug_hash_str(uint64_t hash, const char *s)
{
	return rk_debug_hash(hash, s ? s : "", s ? strlen(s) + 1 : 1);
}

uint64_t rk_debug_hash_number(uint64_t hash, uint64_t number)
{
	return rk_debug_hash(hash, &number, sizeof(number));
}

const char *rk_debug_tag_word(int tag)
{
	switch (tag) {
	case DW_TAG_structure_type: return "struct ";
	case DW_TAG_union_type: return "union ";
	case DW_TAG_enumeration_type: return "enum ";
	default: return "";
	}
}

bool rk_debug_is_layout(Dwarf_Die *die)
{
	return *rk_debug_tag_word(dwarf_tag(die)) != '\0';
}

bool rk_debug_get_type(Dwarf_Die *die, Dwarf_Die *ret)
{
	Dwarf_Attribute attr;
	return dwarf_attr_integrate(die, DW_AT_type, &attr) && dwarf_formref_die(&attr, ret);
}

uint64_t rk_debug_get_number(Dwarf_Die *die, unsigned int name, uint64_t otherwise)
{
	Dwarf_Attribute attr;
	Dwarf_Word value;
	if (!dwarf_attr_integrate(die, name, &attr) || dwarf_formudata(&attr, &value) != 0)
		return otherwise;
	return value;
}

static bool is_qualifier(int tag)
{
	return tag == DW_TAG_const_type || tag == DW_TAG_volatile_type ||
	       tag == DW_TAG_restrict_type;
}

bool rk_debug_strip(Dwarf_Die *die, Dwarf_Die *ret)
{
	Dwarf_Die at = *die, inner;

	for (int depth = 0; depth < RK_DEBUG_DEPTH_MAX; depth++) {
		int tag = dwarf_tag(&at);
		bool is_typedef = tag == DW_TAG_typedef;
		if (!is_typedef && !is_qualifier(tag)) {
			*ret = at;
			return true;
		}
		if (!rk_debug_get_type(&at, &inner))
			return false;
		if (is_typedef && rk_debug_is_layout(&inner) && !dwarf_diename(&inner)) {
			*ret = at;
			return true;
		}
		at = inner;
	}
	return false;
}

/* Elements of one dimension; a flexible array has none. */
static uint64_t array_count(Dwarf_Die *range)
{
	uint64_t count = rk_debug_get_number(range, DW_AT_count, UINT64_MAX);
	uint64_t upper = rk_debug_get_number(range, DW_AT_upper_bound, UINT64_MAX);
	if (count == UINT64_MAX && upper != UINT64_MAX)
		count = upper + 1;
	return count == UINT64_MAX ? 0 : count;
}

static void describe_array(struct rk_str *out, Dwarf_Die *die)
{
	Dwarf_Die child;
	if (dwarf_child(die, &child) != 0)
		return;
	do {
		if (dwarf_tag(&child) == DW_TAG_subrange_type)
			rk_str_addf(out, "[%llu]", (unsigned long long)array_count(&child));
	} while (dwarf_siblingof(&child, &child) == 0);
}

static void describe_params(struct rk_str *out, Dwarf_Die *die, int depth)
{
	Dwarf_Die child, type;
	const char *separator = "";

	rk_str_add(out, " (");
	if (dwarf_child(die, &child) == 0) {
		do {
			int tag = dwarf_tag(&child);
			if (tag != DW_TAG_formal_parameter && tag != DW_TAG_unspecified_parameters)
				continue;
			rk_str_add(out, separator);
			separator = ", ";
			if (tag == DW_TAG_unspecified_parameters)
				rk_str_add(out, "...");
			else if (rk_debug_get_type(&child, &type))
				rk_debug_describe(out, &type, depth + 1);
		} while (dwarf_siblingof(&child, &child) == 0);
	}
	rk_str_add(out, ")");
}

void rk_debug_describe_function(struct rk_str *out, Dwarf_Die *die, int depth)
{
	Dwarf_Die type;
	if (rk_debug_get_type(die, &type))
		rk_debug_describe(out, &type, depth + 1);
	else
		rk_str_add(out, "void");
	describe_params(out, die, depth);
}

static void describe_derived(struct rk_str *out, Dwarf_Die *die, int tag, int depth)
{
	Dwarf_Die inner;
	if (rk_debug_get_type(die, &inner))
		rk_debug_describe(out, &inner, depth + 1);
	else
		rk_str_add(out, "void");
	if (tag == DW_TAG_array_type)
		describe_array(out, die);
	else
		rk_str_add(out, tag == DW_TAG_pointer_type    ? " *"
				: tag == DW_TAG_const_type    ? " const"
				: tag == DW_TAG_volatile_type ? " volatile"
							      : "");
}

void rk_debug_describe(struct rk_str *out, Dwarf_Die *die, int depth)
{
	int tag = dwarf_tag(die);
	const char *name = dwarf_diename(die);

	if (depth > RK_DEBUG_DEPTH_MAX) {
		rk_str_add(out, "...");
		return;
	}
	switch (tag) {
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
	case DW_TAG_enumeration_type:
		rk_str_addf(out, "%s%s", rk_debug_tag_word(tag), name ? name : "(unnamed)");
		return;
	case DW_TAG_pointer_type:
	case DW_TAG_const_type:
	case DW_TAG_volatile_type:
	case DW_TAG_restrict_type:
	case DW_TAG_array_type: describe_derived(out, die, tag, depth); return;
	case DW_TAG_subroutine_type: rk_debug_describe_function(out, die, depth); return;
	default: rk_str_add(out, name ? name : "?"); return;
	}
}

static uint64_t add_meaning_of_type(struct rk_map *hashes, Dwarf_Die *die, uint64_t hash, int depth)
{
	Dwarf_Die type;

	return rk_debug_get_type(die, &type)
		       ? rk_debug_hash_number(hash, rk_debug_meaning(hashes, &type, depth + 1))
		       : hash;
}

/* What die has as its type, returns or is made of; then its parameters or dimensions. */
static uint64_t meaning_with_children(struct rk_map *hashes, Dwarf_Die *die, uint64_t hash,
				      int depth)
{
	Dwarf_Die child;

	hash = add_meaning_of_type(hashes, die, hash, depth);
	if (dwarf_child(die, &child) != 0)
		return hash;
	do {
		switch (dwarf_tag(&child)) {
		case DW_TAG_subrange_type:
			hash = rk_debug_hash_number(hash, array_count(&child));
			break;
		case DW_TAG_unspecified_parameters: hash = rk_debug_hash_str(hash, "..."); break;
		case DW_TAG_formal_parameter:
			hash = add_meaning_of_type(hashes, &child, hash, depth);
			break;
		}
	} while (dwarf_siblingof(&child, &child) == 0);
	return hash;
}

uint64_t rk_debug_meaning_of_function(struct rk_map *hashes, Dwarf_Die *die, int depth)
{
	return meaning_with_children(hashes, die, rk_debug_hash_str(RK_HASH_INIT, "function"),
				     depth);
}

static uint64_t make_meaning(struct rk_map *hashes, Dwarf_Die *die, int depth)
{
	int tag = dwarf_tag(die);
	const char *name = dwarf_diename(die);
	uint64_t hash = rk_debug_hash_number(RK_HASH_INIT, (uint64_t)tag);

	switch (tag) {
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
	case DW_TAG_enumeration_type:
		return name ? rk_debug_hash_str(hash, name)
			    : rk_debug_layout_hash(hashes, die, 0, depth + 1);
	case DW_TAG_pointer_type: return add_meaning_of_type(hashes, die, hash, depth);
	case DW_TAG_array_type: return meaning_with_children(hashes, die, hash, depth);
	case DW_TAG_subroutine_type: return rk_debug_meaning_of_function(hashes, die, depth);
	default:
		hash = rk_debug_hash_str(hash, name);
		return rk_debug_hash_number(hash, rk_debug_get_number(die, DW_AT_byte_size, 0));
	}
}

uint64_t rk_debug_meaning(struct rk_map *hashes, Dwarf_Die *die, int depth)
{
	Dwarf_Die at;

	if (depth > RK_DEBUG_DEPTH_MAX)
		return 0;
	void *key = die->addr; /* libdw keeps the section where it is */
	uintptr_t known = (uintptr_t)rk_map_get_ptr(hashes, key);
	if (known)
		return known;
	/* "const void" has no type; a typedef that is the only name of a layout is hashed as what it is, a name */
	uint64_t hash = rk_debug_strip(die, &at) ? make_meaning(hashes, &at, depth) : 0;
	hash |= 1;
	/* without memory it is computed again the next time */
	(void)rk_map_set_ptr(hashes, key, (void *)(uintptr_t)hash);
	return hash;
}
