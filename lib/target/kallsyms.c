// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Decoding the kernel's compressed symbol table: every name is a run of bytes, each of which stands
 * for a string of the token table; the first character of the expansion is the symbol's type.
 * Nothing in it is trusted.
 */
#include "lib/target/kallsyms.h"

#include <ctype.h>
#include <string.h>

/* kallsyms_token_index has one entry per byte value (scripts/kallsyms.c write_src()). */
#define NR_TOKENS 256

struct token {
	const char *s;
	size_t len;
};

static uint16_t get_u16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t get_u32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint64_t get_u64(const uint8_t *p)
{
	return get_u32(p) | (uint64_t)get_u32(p + 4) << 32;
}

static struct rk_err *read_tokens(const struct rk_kallsyms_tables *t,
				  struct token ret_tokens[NR_TOKENS])
{
	if (t->token_index_size < NR_TOKENS * 2)
		return rk_err(RK_ERR_FORMAT, "kallsyms_token_index has %zu bytes, not %d",
			      t->token_index_size, NR_TOKENS * 2);
	for (unsigned int i = 0; i < NR_TOKENS; i++) {
		size_t at = get_u16(t->token_index + 2 * i);
		const uint8_t *end = at < t->token_table_size ? memchr(t->token_table + at, '\0',
								       t->token_table_size - at)
							      : NULL;
		if (!end)
			return rk_err(RK_ERR_FORMAT,
				      "kallsyms token %u at %zu leaves the token table", i, at);
		ret_tokens[i].s = (const char *)t->token_table + at;
		ret_tokens[i].len = (size_t)(end - (t->token_table + at));
	}
	return NULL;
}

/* kernel/kallsyms.c kallsyms_sym_address() */
static uint64_t entry_address(const struct rk_kallsyms_tables *t, uint32_t i)
{
	if (t->form == RK_KALLSYMS_ADDRESSES)
		return get_u64(t->addresses + 8 * (size_t)i);
	uint32_t offset = get_u32(t->addresses + 4 * (size_t)i);
	if (t->form == RK_KALLSYMS_OFFSETS)
		return t->relative_base + offset;
	if ((int32_t)offset >= 0)
		return offset;
	return t->relative_base - 1 - (uint64_t)(int64_t)(int32_t)offset;
}

/* kernel/kallsyms.c kallsyms_expand_symbol(); *pos moves to the next entry. */
static struct rk_err *expand(const struct rk_kallsyms_tables *t, const struct token *tokens,
			     uint32_t i, size_t *pos, char ret_text[RK_KSYM_NAME_LEN + 1])
{
	size_t at = *pos, len;
	if (at >= t->names_size)
		return rk_err(RK_ERR_FORMAT, "kallsyms name %u at %zu leaves the name table", i,
			      at);
	len = t->names[at++];
	/* since 6.1 a "big" symbol has a second length byte */
	if (len & 0x80) {
		if (at >= t->names_size)
			return rk_err(RK_ERR_FORMAT,
				      "length of kallsyms name %u leaves the name table", i);
		len = (len & 0x7f) | (size_t)t->names[at++] << 7;
	}
	if (len == 0 || len > t->names_size - at)
		return rk_err(RK_ERR_FORMAT, "kallsyms name %u has length %zu, %zu bytes are left",
			      i, len, t->names_size - at);
	size_t used = 0;
	for (size_t k = 0; k < len; k++) {
		const struct token *token = &tokens[t->names[at + k]];
		if (token->len > RK_KSYM_NAME_LEN - used)
			return rk_err(RK_ERR_FORMAT, "kallsyms name %u is longer than %d", i,
				      RK_KSYM_NAME_LEN - 1);
		memcpy(ret_text + used, token->s, token->len);
		used += token->len;
	}
	if (used == 0)
		return rk_err(RK_ERR_FORMAT, "kallsyms name %u is empty", i);
	ret_text[used] = '\0';
	*pos = at + len;
	return NULL;
}

/*
 * Chains are built from the end, so that each insertion is a prepend and the order is the table's.
 */
static struct rk_err *index_names(struct rk_kallsyms *k)
{
	for (size_t i = k->nr; i-- > 0;) {
		struct rk_ksym *sym = &k->v[i];
		struct rk_ksym *first = rk_map_get(&k->by_name, sym->name);
		sym->next = first;
		/* the key must be that of an entry that stays: any of the chain does */
		if (!rk_map_set(&k->by_name, sym->name, sym))
			return rk_err_nomem();
	}
	return NULL;
}

static struct rk_err *decode_entries(const struct rk_kallsyms_tables *t, struct rk_kallsyms *k)
{
	struct token tokens[NR_TOKENS];
	RK_TRY(read_tokens(t, tokens));

	k->v = rk_arena_calloc(&k->arena, t->nr, sizeof(*k->v));
	if (!k->v)
		return rk_err_nomem();
	size_t pos = 0;
	char text[RK_KSYM_NAME_LEN + 1];
	for (uint32_t i = 0; i < t->nr; i++) {
		RK_TRY(expand(t, tokens, i, &pos, text));
		struct rk_ksym *sym = &k->v[i];
		sym->type = text[0];
		sym->address = entry_address(t, i);
		sym->name = rk_arena_strdup(&k->arena, text + 1);
		if (!sym->name)
			return rk_err_nomem();
		char type = (char)tolower((unsigned char)sym->type);
		if (type == 'd' || type == 'b')
			k->has_data = true;
		k->nr++;
	}
	return index_names(k);
}

struct rk_err *rk_kallsyms_decode(const struct rk_kallsyms_tables *tables, struct rk_kallsyms **ret)
{
	size_t entry = tables->form == RK_KALLSYMS_ADDRESSES ? 8 : 4;

	if (tables->nr > RK_KALLSYMS_MAX)
		return rk_err(RK_ERR_LIMIT, "kallsyms has %u entries, at most %u are read",
			      tables->nr, RK_KALLSYMS_MAX);
	if (tables->addresses_size / entry < tables->nr)
		return rk_err(RK_ERR_FORMAT, "kallsyms has %u entries, but addresses for %zu",
			      tables->nr, tables->addresses_size / entry);
	/* an entry takes at least a length and one token */
	if (tables->names_size / 2 < tables->nr)
		return rk_err(RK_ERR_FORMAT, "kallsyms has %u entries, but %zu bytes of names",
			      tables->nr, tables->names_size);
	_cleanup_kallsyms_ struct rk_kallsyms *k = calloc(1, sizeof(*k));
	if (!k)
		return rk_err_nomem();
	rk_arena_init(&k->arena);
	RK_TRY(decode_entries(tables, k));
	*ret = take_ptr(k);
	return NULL;
}

void rk_kallsyms_free(struct rk_kallsyms *kallsyms)
{
	if (!kallsyms)
		return;
	rk_map_deinit(&kallsyms->by_name);
	rk_arena_deinit(&kallsyms->arena);
	free(kallsyms);
}

const struct rk_ksym *rk_kallsyms_find(const struct rk_kallsyms *kallsyms, const char *name)
{
	return rk_map_get(&kallsyms->by_name, name);
}

/* The tables' symbols, looked for in one pass over vmlinux' symbol table. */
enum table {
	NUM_SYMS,
	NAMES,
	TOKEN_TABLE,
	TOKEN_INDEX,
	OFFSETS,
	ADDRESSES,
	RELATIVE_BASE,
	STEXT,
	NR_TABLES
};

static const char *const table_names[NR_TABLES] = {
	[NUM_SYMS] = "kallsyms_num_syms",
	[NAMES] = "kallsyms_names",
	[TOKEN_TABLE] = "kallsyms_token_table",
	[TOKEN_INDEX] = "kallsyms_token_index",
	[OFFSETS] = "kallsyms_offsets",
	[ADDRESSES] = "kallsyms_addresses",
	[RELATIVE_BASE] = "kallsyms_relative_base",
	[STEXT] = "_stext",
};

static void find_tables(const struct rk_elf *elf, const struct rk_symbol *ret_found[NR_TABLES])
{
	for (int t = 0; t < NR_TABLES; t++)
		ret_found[t] = NULL;
	rk_elf_for_each_symbol(elf, sym) {
		if (!sym->section || (sym->name[0] != 'k' && sym->name[0] != '_'))
			continue;
		for (int t = 0; t < NR_TABLES; t++)
			if (strcmp(sym->name, table_names[t]) == 0)
				ret_found[t] = sym;
	}
}

/* From the table's symbol to the end of its section; NULL if there is no content. */
static const uint8_t *table_bytes(const struct rk_elf *elf, const struct rk_symbol *sym,
				  size_t *ret_size)
{
	const struct rk_section *section = sym ? sym->section : NULL;
	if (!section || !section->data || sym->value < section->address ||
	    sym->value - section->address >= section->size)
		return NULL;
	*ret_size = section->size - (sym->value - section->address);
	return rk_elf_at(elf, sym->value, *ret_size);
}

static struct rk_err *locate(const struct rk_elf *elf, const struct rk_symbol *const *found,
			     struct rk_kallsyms_tables *ret)
{
	struct rk_kallsyms_tables t = {};
	size_t size;
	const uint8_t *p = table_bytes(elf, found[NUM_SYMS], &size);
	if (!p || size < 4)
		return rk_err(RK_ERR_UNSUPPORTED, "'%s' has no kallsyms tables (CONFIG_KALLSYMS)",
			      elf->path);
	t.nr = get_u32(p);
	t.names = table_bytes(elf, found[NAMES], &t.names_size);
	t.token_table = table_bytes(elf, found[TOKEN_TABLE], &t.token_table_size);
	t.token_index = table_bytes(elf, found[TOKEN_INDEX], &t.token_index_size);
	bool relative = found[OFFSETS];
	t.form = relative ? RK_KALLSYMS_OFFSETS : RK_KALLSYMS_ADDRESSES;
	t.addresses = table_bytes(elf, found[relative ? OFFSETS : ADDRESSES], &t.addresses_size);
	if (relative) {
		p = table_bytes(elf, found[RELATIVE_BASE], &size);
		if (p && size < 8)
			p = NULL;
		if (p)
			t.relative_base = get_u64(p);
	}
	if (!t.names || !t.token_table || !t.token_index || !t.addresses || (relative && !p))
		return rk_err(RK_ERR_FORMAT, "'%s': its kallsyms tables are incomplete", elf->path);
	*ret = t;
	return NULL;
}

static bool agrees_with(const struct rk_kallsyms *k, const struct rk_symbol *stext)
{
	const struct rk_ksym *sym = rk_kallsyms_find(k, "_stext");
	return sym && stext && sym->address == stext->value;
}

struct rk_err *rk_kallsyms_read(const struct rk_elf *vmlinux, struct rk_kallsyms **ret)
{
	const struct rk_symbol *found[NR_TABLES];
	find_tables(vmlinux, found);
	struct rk_kallsyms_tables tables;
	RK_TRY(locate(vmlinux, found, &tables));

	/*
	 * CONFIG_KALLSYMS_ABSOLUTE_PERCPU (every x86_64 SMP kernel) leaves no mark in the tables,
	 * but with it the offset of _stext is negative and without it it isn't.
	 */
	if (tables.form == RK_KALLSYMS_OFFSETS)
		tables.form = RK_KALLSYMS_ABSOLUTE_PERCPU;
	_cleanup_kallsyms_ struct rk_kallsyms *k = NULL;
	RK_TRY(rk_err_wrap(rk_kallsyms_decode(&tables, &k), "'%s'", vmlinux->path));
	if (!agrees_with(k, found[STEXT]) && tables.form == RK_KALLSYMS_ABSOLUTE_PERCPU) {
		tables.form = RK_KALLSYMS_OFFSETS;
		rk_kallsyms_free(take_ptr(k));
		RK_TRY(rk_err_wrap(rk_kallsyms_decode(&tables, &k), "'%s'", vmlinux->path));
	}
	if (!agrees_with(k, found[STEXT]))
		return rk_err(RK_ERR_MISMATCH,
			      "'%s': its kallsyms tables don't give '_stext' the address it has",
			      vmlinux->path);
	*ret = take_ptr(k);
	return NULL;
}
