// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel's own symbol table: each form of addresses, order, long names, and every field broken
 * once.
 */
#include <string.h>

#include "lib/target/kallsyms.h"
#include "tests/unit/ksymmake.h"
#include "tests/unit/tap.h"

#define BASE 0xffffffff81000000ULL

static const struct ksymmake_entry entries[] = {
	{'A', "fixed_percpu_data", 0x0, true},
	{'D', "runqueues", 0x1f000, true},
	{'T', "_stext", BASE, false},
	{'t', "helper", BASE + 0x10, false},
	{'T', "tcp_ack_lock", BASE + 0x20, false},
	{'t', "helper", BASE + 0x30, false},
	{'d', "helper", BASE + 0x700000, false},
};

static void check_entries(const struct rk_kallsyms *k, size_t skip_first)
{
	is_int((long long)k->nr, (long long)(ARRAY_SIZE(entries) - skip_first), "entries");
	for (size_t i = skip_first; i < ARRAY_SIZE(entries); i++) {
		const struct rk_ksym *sym = &k->v[i - skip_first];
		is_str(sym->name, entries[i].name, "name");
		ok(sym->address == entries[i].address, "address of '%s'", sym->name);
		is_int(sym->type, entries[i].type, "type");
	}
}

static void test_forms(void)
{
	static const enum rk_kallsyms_form forms[] = {RK_KALLSYMS_ADDRESSES, RK_KALLSYMS_OFFSETS,
						      RK_KALLSYMS_ABSOLUTE_PERCPU};
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		/* addresses below the base can't be told by unsigned offsets */
		size_t skip_first = forms[i] == RK_KALLSYMS_OFFSETS ? 2 : 0;
		struct ksymmake made;
		ksymmake(entries + skip_first, ARRAY_SIZE(entries) - skip_first, forms[i], BASE,
			 &made);
		_cleanup_kallsyms_ struct rk_kallsyms *k = NULL;
		if (no_err(rk_kallsyms_decode(&made.tables, &k), "decodes"))
			check_entries(k, skip_first);
		ksymmake_deinit(&made);
	}
}

static void test_find(void)
{
	struct ksymmake made;
	ksymmake(entries, ARRAY_SIZE(entries), RK_KALLSYMS_ABSOLUTE_PERCPU, BASE, &made);
	_cleanup_kallsyms_ struct rk_kallsyms *k = NULL;
	if (!no_err(rk_kallsyms_decode(&made.tables, &k), "decodes"))
		bail_out("no table");
	const struct rk_ksym *sym = rk_kallsyms_find(k, "helper");
	ok(sym == &k->v[3], "the first of a name");
	ok(sym->next == &k->v[5] && sym->next->next == &k->v[6] && !sym->next->next->next,
	   "the others follow in table order");
	ok(rk_kallsyms_find(k, "help") == NULL, "no such name");
	ok(k->has_data, "data symbols are seen");
	ksymmake_deinit(&made);
}

static void test_text_only(void)
{
	struct ksymmake made;
	ksymmake(entries + 2, 4, RK_KALLSYMS_OFFSETS, BASE, &made);
	_cleanup_kallsyms_ struct rk_kallsyms *k = NULL;
	if (no_err(rk_kallsyms_decode(&made.tables, &k), "decodes"))
		ok(!k->has_data, "a table of functions only");
	ksymmake_deinit(&made);
}

/* A name of `len` characters whose first token doesn't shorten it. */
static struct rk_err *decode_long(size_t len, char *ret_name, struct rk_kallsyms **ret)
{
	memset(ret_name, 'x', len);
	ret_name[len] = '\0';
	const struct ksymmake_entry entry = {'t', ret_name, BASE, false};
	struct ksymmake made;
	ksymmake(&entry, 1, RK_KALLSYMS_ADDRESSES, BASE, &made);
	struct rk_err *err = rk_kallsyms_decode(&made.tables, ret);
	ksymmake_deinit(&made);
	return err;
}

static void test_long_names(void)
{
	static const size_t lengths[] = {1, 126, 127, 128, 254, 255, 256, RK_KSYM_NAME_LEN - 1};
	char name[RK_KSYM_NAME_LEN + 1];
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		_cleanup_kallsyms_ struct rk_kallsyms *k = NULL;
		if (no_err(decode_long(lengths[i], name, &k), "a name of this length"))
			is_str(k->v[0].name, name, "is whole");
	}
	struct rk_kallsyms *k = NULL;
	is_err(decode_long(RK_KSYM_NAME_LEN, name, &k), RK_ERR_FORMAT,
	       "kallsyms name 0 is longer than 511", "one more than the kernel can hold");
	ok(k == NULL, "the result is untouched");
}

/* One field of valid tables set to something else. */
static void breaks(void (*change)(struct ksymmake *), enum rk_err_code code, const char *message)
{
	struct ksymmake made;
	struct rk_kallsyms *k = NULL;
	ksymmake(entries, ARRAY_SIZE(entries), RK_KALLSYMS_ABSOLUTE_PERCPU, BASE, &made);
	change(&made);
	is_err(rk_kallsyms_decode(&made.tables, &k), code, message, message);
	ksymmake_deinit(&made);
}

static void too_many(struct ksymmake *m)
{
	m->tables.nr = RK_KALLSYMS_MAX + 1;
}

static void more_than_addresses(struct ksymmake *m)
{
	m->tables.nr++;
}

static void short_addresses(struct ksymmake *m)
{
	m->tables.addresses_size = 3;
}

static void short_names(struct ksymmake *m)
{
	m->tables.names_size -= 2;
}

static void tiny_names(struct ksymmake *m)
{
	m->tables.names_size = 13;
}

static void zero_length(struct ksymmake *m)
{
	m->names.s[0] = 0;
}

static void cut_length(struct ksymmake *m)
{
	/* the first name ends just before the table does, and the next is a length's first byte */
	m->names.s[0] = 12;
	m->names.s[13] = (char)0x80;
	m->tables.names_size = 14;
}

static void names_end(struct ksymmake *m)
{
	m->names.s[0] = 13;
	m->tables.names_size = 14;
}

static void short_index(struct ksymmake *m)
{
	m->tables.token_index_size--;
}

static void token_outside(struct ksymmake *m)
{
	m->token_index.s[2 * 9] = m->token_index.s[2 * 9 + 1] = (char)0xff;
}

static void token_open(struct ksymmake *m)
{
	m->tables.token_table_size--;
}

static void empty_name(struct ksymmake *m)
{
	/* a name of one byte whose token is empty */
	m->names.s[0] = 1;
	m->names.s[1] = 0;
}

static void test_broken(void)
{
	breaks(too_many, RK_ERR_LIMIT, "kallsyms has 8388609 entries, at most 8388608 are read");
	breaks(more_than_addresses, RK_ERR_FORMAT, "kallsyms has 8 entries, but addresses for 7");
	breaks(short_addresses, RK_ERR_FORMAT, "kallsyms has 7 entries, but addresses for 0");
	breaks(short_names, RK_ERR_FORMAT, "kallsyms name 6 has length 7, 5 bytes are left");
	breaks(tiny_names, RK_ERR_FORMAT, "kallsyms has 7 entries, but 13 bytes of names");
	breaks(zero_length, RK_ERR_FORMAT, "kallsyms name 0 has length 0, 68 bytes are left");
	breaks(cut_length, RK_ERR_FORMAT, "length of kallsyms name 1 leaves the name table");
	breaks(names_end, RK_ERR_FORMAT, "kallsyms name 1 at 14 leaves the name table");
	breaks(short_index, RK_ERR_FORMAT, "kallsyms_token_index has 511 bytes, not 512");
	breaks(token_outside, RK_ERR_FORMAT, "kallsyms token 9 at 65535 leaves the token table");
	breaks(token_open, RK_ERR_FORMAT, "kallsyms token 255 at 520 leaves the token table");
	breaks(empty_name, RK_ERR_FORMAT, "kallsyms name 0 is empty");
}

int main(void)
{
	test_forms();
	test_find();
	test_text_only();
	test_long_names();
	test_broken();
	return done_testing();
}
