// SPDX-License-Identifier: GPL-2.0-or-later
/* Every byte stands for itself, but three stand for longer strings, so that expansion is tested. */
#include "tests/unit/ksymmake.h"

#include <string.h>

static const char *const long_tokens[] = {[1] = "tcp_", [2] = "_lock", [3] = "Tvery"};

static const char *token(unsigned int byte, char self[2])
{
	if (byte < ARRAY_SIZE(long_tokens) && long_tokens[byte])
		return long_tokens[byte];
	self[0] = (char)byte;
	self[1] = '\0';
	return self;
}

static void add_le(struct rk_str *out, uint64_t value, unsigned int size)
{
	for (unsigned int i = 0; i < size; i++)
		rk_str_add_char(out, (char)(value >> (8 * i)));
}

static void add_tokens(struct ksymmake *made)
{
	for (unsigned int byte = 0; byte < 256; byte++) {
		char self[2];
		const char *s = token(byte, self);
		add_le(&made->token_index, made->token_table.len, 2);
		rk_str_add_bytes(&made->token_table, s, strlen(s) + 1);
	}
}

static void compress(const struct ksymmake_entry *entry, struct rk_str *out)
{
	_cleanup_str_ struct rk_str text = RK_STR_INIT, bytes = RK_STR_INIT;
	rk_str_addf(&text, "%c%s", entry->type, entry->name);
	for (const char *s = rk_str_get(&text); *s;) {
		unsigned int i = ARRAY_SIZE(long_tokens);
		while (--i > 0 && !rk_has_prefix(s, long_tokens[i]))
			;
		rk_str_add_char(&bytes, i ? (char)i : *s);
		s += i ? strlen(long_tokens[i]) : 1;
	}
	if (bytes.len <= 0x7f) {
		rk_str_add_char(out, (char)bytes.len);
	} else {
		rk_str_add_char(out, (char)((bytes.len & 0x7f) | 0x80));
		rk_str_add_char(out, (char)(bytes.len >> 7));
	}
	rk_str_add_bytes(out, rk_str_get(&bytes), bytes.len);
}

static void add_address(const struct ksymmake_entry *entry, enum rk_kallsyms_form form,
			uint64_t base, struct rk_str *out)
{
	if (form == RK_KALLSYMS_ADDRESSES)
		add_le(out, entry->address, 8);
	else if (form == RK_KALLSYMS_OFFSETS)
		add_le(out, entry->address - base, 4);
	else
		add_le(out, entry->absolute ? entry->address : base - entry->address - 1, 4);
}

void ksymmake(const struct ksymmake_entry *entries, size_t nr, enum rk_kallsyms_form form,
	      uint64_t base, struct ksymmake *ret)
{
	*ret = (struct ksymmake){};
	add_tokens(ret);
	for (size_t i = 0; i < nr; i++) {
		compress(&entries[i], &ret->names);
		add_address(&entries[i], form, base, &ret->addresses);
	}
	ret->tables = (struct rk_kallsyms_tables){
		.nr = (uint32_t)nr,
		.relative_base = base,
		.form = form,
		.names = (const uint8_t *)rk_str_get(&ret->names),
		.names_size = ret->names.len,
		.token_table = (const uint8_t *)rk_str_get(&ret->token_table),
		.token_table_size = ret->token_table.len,
		.token_index = (const uint8_t *)rk_str_get(&ret->token_index),
		.token_index_size = ret->token_index.len,
		.addresses = (const uint8_t *)rk_str_get(&ret->addresses),
		.addresses_size = ret->addresses.len,
	};
}

static void table(struct rk_str *out, const char *name, const struct rk_str *bytes)
{
	rk_str_addf(out, ".globl %s\n.balign 8\n%s:\n", name, name);
	for (size_t i = 0; i < bytes->len; i++)
		rk_str_addf(out, "\t.byte %u\n", (uint8_t)bytes->s[i]);
}

void ksymmake_assembly(const struct ksymmake *made, struct rk_str *ret)
{
	bool relative = made->tables.form != RK_KALLSYMS_ADDRESSES;
	rk_str_add(ret, ".section .rodata, \"a\"\n");
	table(ret, relative ? "kallsyms_offsets" : "kallsyms_addresses", &made->addresses);
	if (relative)
		rk_str_addf(ret,
			    ".globl kallsyms_relative_base\n.balign 8\nkallsyms_relative_base:\n"
			    "\t.quad 0x%llx\n",
			    (unsigned long long)made->tables.relative_base);
	rk_str_addf(ret, ".globl kallsyms_num_syms\n.balign 8\nkallsyms_num_syms:\n\t.long %u\n",
		    made->tables.nr);
	table(ret, "kallsyms_names", &made->names);
	table(ret, "kallsyms_token_table", &made->token_table);
	table(ret, "kallsyms_token_index", &made->token_index);
}

void ksymmake_deinit(struct ksymmake *made)
{
	rk_str_deinit(&made->names);
	rk_str_deinit(&made->token_table);
	rk_str_deinit(&made->token_index);
	rk_str_deinit(&made->addresses);
}
