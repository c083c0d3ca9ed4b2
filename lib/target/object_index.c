// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Finding symbols of one shipped object by name: global ones, and local ones within the block of
 * one compiled file.
 */
#include <elf.h>

#include "lib/target/symbols_internal.h"

static struct rk_err *add_block(struct rk_object_index *index, const char *file, uint32_t first,
				uint32_t end)
{
	struct rk_block block = {.file = file, .first = first, .end = end};
	return rk_vec_push(&index->blocks, block) ? NULL : rk_err_nomem();
}

/*
 * Local symbols come first (gABI "Symbol Table"), so that the first other one ends the last block.
 */
static struct rk_err *collect_blocks(struct rk_object_index *index, const struct rk_elf *elf)
{
	const char *file = NULL;
	uint32_t first = 1, i;

	for (i = 1; i < elf->nr_symbols && elf->symbols[i].bind == STB_LOCAL; i++) {
		if (elf->symbols[i].type != STT_FILE)
			continue;
		if (file)
			RK_TRY(add_block(index, file, first, i));
		file = elf->symbols[i].name;
		first = i + 1;
	}
	index->has_files = file;
	index->first_global = i;
	RK_TRY(add_block(index, file ? file : "", first, i));
	index->nr_ordered = index->blocks.nr;
	return NULL;
}

static struct rk_err *collect_globals(struct rk_object_index *index, const struct rk_elf *elf)
{
	for (size_t i = index->first_global; i < elf->nr_symbols; i++) {
		struct rk_symbol *sym = &elf->symbols[i];
		if (sym->shndx == SHN_UNDEF || sym->bind == STB_LOCAL || !sym->name[0])
			continue;
		if (!rk_map_set(&index->globals, sym->name, sym))
			return rk_err_nomem();
	}
	return NULL;
}

struct rk_err *rk_object_index_create(const struct rk_elf *elf, struct rk_object_index **ret)
{
	_cleanup_object_index_ struct rk_object_index *index = calloc(1, sizeof(*index));
	if (!index)
		return rk_err_nomem();
	RK_TRY(collect_blocks(index, elf));
	RK_TRY(collect_globals(index, elf));
	*ret = take_ptr(index);
	return NULL;
}

void rk_object_index_destroy(struct rk_object_index *index)
{
	if (!index)
		return;
	rk_map_deinit(&index->globals);
	rk_vec_for_each(&index->blocks, block)
		rk_map_deinit(&block->by_name);
	rk_vec_deinit(&index->blocks);
	free(index);
}

static bool is_function_or_data(const struct rk_symbol *sym)
{
	return sym->type == STT_FUNC || sym->type == STT_OBJECT;
}

/* The first of a name wins, but a function or datum wins over a label from inline assembly. */
static struct rk_err *index_block(struct rk_block *block, const struct rk_elf *elf)
{
	for (uint32_t i = block->first; i < block->end; i++) {
		struct rk_symbol *sym = &elf->symbols[i];
		if (!rk_is_named_local(sym))
			continue;
		const struct rk_symbol *old = rk_map_get(&block->by_name, sym->name);
		if (old && (is_function_or_data(old) || !is_function_or_data(sym)))
			continue;
		if (!rk_map_set(&block->by_name, sym->name, sym))
			return rk_err_nomem();
	}
	block->is_indexed = true;
	return NULL;
}

/* Blocks from the file are in order of their symbols; those added later are few and follow. */
static struct rk_block *find_block(const struct rk_object_index *index, uint32_t first,
				   uint32_t end)
{
	size_t low = 0, high = index->nr_ordered;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (index->blocks.v[mid].first < first)
			low = mid + 1;
		else
			high = mid;
	}
	/* a file without local symbols makes an empty block before the next one */
	for (; low < index->nr_ordered && index->blocks.v[low].first == first; low++)
		if (index->blocks.v[low].end == end)
			return &index->blocks.v[low];
	for (size_t i = index->nr_ordered; i < index->blocks.nr; i++)
		if (index->blocks.v[i].first == first && index->blocks.v[i].end == end)
			return &index->blocks.v[i];
	return NULL;
}

struct rk_err *rk_object_index_block(struct rk_object_index *index, const struct rk_elf *elf,
				     const char *file, uint32_t first, uint32_t end)
{
	struct rk_block *block = find_block(index, first, end);
	if (!block) {
		RK_TRY(add_block(index, file, first, end));
		block = &index->blocks.v[index->blocks.nr - 1];
	}
	return block->is_indexed ? NULL : index_block(block, elf);
}

struct rk_symbol *rk_owner_lookup(const struct rk_owner *owner, const char *name)
{
	const struct rk_object_index *index = owner->object->priv;
	const struct rk_block *block = find_block(index, owner->first, owner->end);
	struct rk_symbol *sym = block ? rk_map_get(&block->by_name, name) : NULL;
	return sym ? sym : rk_map_get(&index->globals, name);
}
